#include "policy/ca/leaf_box.h"

#include <stdio.h>
#include <string.h>

#include "policy/ca/box.h"
#include "policy/ca/host_name.h"

enum { DAY = 24 * 60 * 60 };

// set_wildcard names "*.parent" and "parent", or the host where that has no parent of two labels.
static void set_wildcard(struct leaf_spec *spec, const char *host) {
    struct host_name name;
    leaf_spec_name_host(spec, host);
    const char *dot = host_name_init(&name, host) ? strchr(name.text, '.') : NULL;
    if (dot == NULL || name.ip_len != 0 || strchr(dot + 1, '.') == NULL) {
        return;
    }
    char wildcard[sizeof(name.text) + 1];
    snprintf(wildcard, sizeof(wildcard), "*%s", dot);
    buf_consume(&spec->san, spec->san.len);
    leaf_spec_set_cn(spec, wildcard, strlen(wildcard), CBS_ASN1_UTF8STRING);
    CHECK(leaf_spec_add_dns(spec, wildcard) && leaf_spec_add_dns(spec, dot + 1));
}

// names_host returns whether a name of `spec` speaks for `host`.
static bool names_host(const struct leaf_spec *spec, const char *host) {
    struct host_name name;
    CBS san;
    CBS_init(&san, buf_data(&spec->san), spec->san.len);
    return host_name_init(&name, host) && host_name_in_san(&name, san, NULL);
}

// add_names appends those of `names`, contents of GeneralNames, that are not there yet. Past the
// ceiling they are left out.
static void add_names(struct leaf_spec *spec, const struct buf *names) {
    CBS rest, name, there, other;
    unsigned tag;
    CBS_init(&rest, buf_data(names), names->len);
    while (CBS_get_any_asn1_element(&rest, &name, &tag, NULL)) {
        bool found = false;
        CBS_init(&there, buf_data(&spec->san), spec->san.len);
        while (!found && CBS_get_any_asn1_element(&there, &other, &tag, NULL)) {
            found = CBS_mem_equal(&other, CBS_data(&name), CBS_len(&name));
        }
        if (!found) {
            (void)!buf_append(&spec->san, CBS_data(&name), CBS_len(&name));
        }
    }
}

// set_all names the CN, the names that are there already and those of `host`.
static void set_all(struct leaf_spec *spec, const char *cn, const struct leaf_spec *host) {
    struct buf servers = spec->san;
    buf_init(&spec->san, LEAF_MAX_SAN);
    if (cn != NULL) {
        (void)!leaf_spec_add_dns(spec, cn);
    }
    add_names(spec, &servers);
    add_names(spec, &host->san);
    buf_cleanup(&servers);
}

// set_attributes makes the subject of what the box puts there.
static void set_attributes(struct leaf_spec *spec, const struct cert_knob_strings *attributes,
                           const char *host, const char *cn) {
    struct arena arena = {0};
    struct cert_knob_strings filled = {arena_alloc(&arena, attributes->num * sizeof(char *)),
                                       attributes->num};
    CBB name;
    CBS whole, contents;
    for (size_t i = 0; i < attributes->num; i++) {
        const char *text = attributes->items[i], *equals = strchr(text, '=');
        const char *value = strcmp(equals, "={host}") == 0 ? host
                            : strcmp(equals, "={cn}") == 0 ? cn
                                                           : equals + 1;
        filled.items[i] = arena_printf(&arena, "%.*s=%s", (int)(equals - text), text, value);
    }
    CBS_init(&contents, NULL, 0);
    CHECK(CBB_init(&name, 128) && box_name(&name, contents, &filled));
    CBS_init(&whole, CBB_data(&name), CBB_len(&name));
    CHECK(CBS_get_asn1(&whole, &contents, CBS_ASN1_SEQUENCE));
    (void)!buf_append(&spec->subject, CBS_data(&contents), CBS_len(&contents));
    CBB_cleanup(&name);
    arena_cleanup(&arena);
}

static void set_names(struct leaf_spec *spec, const struct cert_knobs *knobs,
                      const struct leaf_box *box, const struct cert_facts *facts) {
    if (facts != NULL) {
        leaf_spec_copy_names(spec, facts, box->host);
    }
    struct leaf_spec host;
    leaf_spec_init(&host);
    leaf_spec_name_host(&host, box->host);
    if (knobs->subject == CERT_KNOB_SUBJECT_HOST) {
        leaf_spec_set_cn(spec, host.cn, host.cn_len, host.cn_tag);
    } else if (knobs->subject == CERT_KNOB_SUBJECT_COPY && facts != NULL) {
        CBS name = facts->raw.subject, contents;
        if (CBS_get_asn1(&name, &contents, CBS_ASN1_SEQUENCE)) {
            // A subject past the ceiling is that of a peer who means no good: its CN is enough.
            (void)!buf_append(&spec->subject, CBS_data(&contents), CBS_len(&contents));
        }
    }
    if (knobs->subject == CERT_KNOB_SUBJECT_ATTRIBUTES) {
        bool named = facts != NULL && facts->subject_cn != NULL;
        set_attributes(spec, &knobs->subject_attributes, box->host,
                       named ? facts->subject_cn : box->host);
    }
    switch (knobs->san) {
    case CERT_KNOB_SAN_COPY:
        break;
    case CERT_KNOB_SAN_NONE:
        buf_consume(&spec->san, spec->san.len);
        break;
    case CERT_KNOB_SAN_HOST:
        buf_consume(&spec->san, spec->san.len);
        CHECK(buf_append(&spec->san, buf_data(&host.san), host.san.len));
        break;
    case CERT_KNOB_SAN_WILDCARD:
        set_wildcard(spec, box->host);
        break;
    case CERT_KNOB_SAN_COPY_AND_HOST:
        if (!names_host(spec, box->host)) {
            (void)!buf_append(&spec->san, buf_data(&host.san), host.san.len);
        }
        break;
    case CERT_KNOB_SAN_OWN:
        buf_consume(&spec->san, spec->san.len);
        for (size_t i = 0; i < knobs->san_names.num; i++) {
            leaf_spec_name_host(&host, knobs->san_names.items[i]);
            add_names(spec, &host.san);
        }
        break;
    case CERT_KNOB_SAN_ALL:
        set_all(spec, facts != NULL ? facts->subject_cn : NULL, &host);
        break;
    }
    leaf_spec_cleanup(&host);
}

// date_of returns the date that `knob` asks for, or `otherwise`. Without a server's certificate
// there is nothing to copy but the CA's.
static int64_t date_of(const struct cert_knob_date *knob, int64_t now, const int64_t *origin,
                       int64_t ca, int64_t otherwise) {
    switch (knob->from) {
    case CERT_KNOB_DATE_NOW:
        return now + knob->seconds;
    case CERT_KNOB_DATE_COPY:
        return origin != NULL ? *origin : ca;
    case CERT_KNOB_DATE_CA:
        return ca;
    case CERT_KNOB_DATE_AUTO:
        break;
    }
    return otherwise;
}

static void set_dates(struct leaf_spec *spec, const struct cert_knobs *knobs,
                      const struct leaf_box *box, const struct cert_facts *facts, int64_t now) {
    struct arena arena = {0};
    struct cert_facts ca;
    CBS der = authority_der(box->ca);
    (void)cert_facts_parse(&ca, &arena, CBS_data(&der), CBS_len(&der));
    const int64_t *before = facts != NULL && facts->has_not_before ? &facts->not_before : NULL;
    const int64_t *after = facts != NULL && facts->has_not_after ? &facts->not_after : NULL;
    spec->not_before = date_of(&knobs->not_before, now, before, ca.not_before, spec->not_before);
    spec->not_after = date_of(&knobs->not_after, now, after, ca.not_after, spec->not_after);
    arena_cleanup(&arena);
    if (knobs->not_before.from == CERT_KNOB_DATE_NOW ||
        knobs->not_after.from == CERT_KNOB_DATE_NOW) {
        // Half of what is left, so that no client gets one in its last hours.
        int64_t fresh_for = (spec->not_after - now) / 2;
        spec->fresh_from = now - DAY;
        spec->fresh_until = now + (fresh_for > 0 ? fresh_for : DAY);
    }
    if (knobs->cache.ttl_seconds != 0 && spec->fresh_until > now + knobs->cache.ttl_seconds) {
        spec->fresh_from = spec->fresh_from < now - DAY ? now - DAY : spec->fresh_from;
        spec->fresh_until = now + knobs->cache.ttl_seconds;
    }
}

static void set_issuer(struct leaf_spec *spec, const struct cert_knobs *knobs,
                       enum leaf_issuer issuer) {
    static const enum leaf_issuer OF_KNOB[] = {[CERT_KNOB_TRUSTED] = LEAF_ISSUER_TRUSTED,
                                               [CERT_KNOB_UNTRUSTED] = LEAF_ISSUER_UNTRUSTED,
                                               [CERT_KNOB_SELF] = LEAF_ISSUER_SELF};
    const unsigned both = LEAF_UNTRUSTED | LEAF_SELF_SIGNED;
    if (issuer == LEAF_ISSUER_AUTO) {
        if (spec->defects & both) {
            return;
        }
        issuer = OF_KNOB[knobs->issuer];
    }
    spec->defects &= ~both;
    spec->defects |= issuer == LEAF_ISSUER_UNTRUSTED ? LEAF_UNTRUSTED : LEAF_OK;
    spec->defects |= issuer == LEAF_ISSUER_SELF ? LEAF_SELF_SIGNED : LEAF_OK;
}

void leaf_spec_for_box(struct leaf_spec *spec, const struct cert_knobs *knobs,
                       const struct leaf_box *box, int64_t now) {
    struct arena arena = {0};
    struct cert_facts facts;
    bool known = false;
    if (box->origin != NULL) {
        (void)cert_facts_parse(&facts, &arena, box->origin, box->origin_len);
        known = CBS_len(&facts.raw.spki) != 0;
    }
    spec->origin = box->origin;
    spec->origin_len = box->origin_len;
    spec->key_type = box_key_type(knobs->key, spec->key_type);
    set_names(spec, knobs, box, known ? &facts : NULL);
    set_dates(spec, knobs, box, known ? &facts : NULL, now);
    set_issuer(spec, knobs, box->issuer);
    arena_cleanup(&arena);
}
