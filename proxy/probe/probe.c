#include "proxy/probe/probe.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "logs/record/codepoint.h"
#include "proxy/tls/client_hello.h"
#include "proxy/tls/hello_edit.h"
#include "proxy/tls/hello_shape.h"

enum {
    SMALL_MAX = 517,
    TLS13 = 0x0304,
    ECH_PAYLOAD = 176,
    ECH_PAYLOAD_SMALL = 32,
    PSK_IDENTITY = 192, // bytes of a ticket, as OpenSSL makes them
};

typedef const struct probe_making making;

// ---- edits of one factor

static bool edit_nothing(making *m, struct hello_draft *draft) {
    (void)m, (void)draft;
    return true;
}

// len_keep makes a large hello at least as long as it was: its size is another factor.
static void len_keep(struct hello_draft *draft, size_t len) {
    if (len > SMALL_MAX && hello_draft_len(draft) < len) {
        (void)hello_edit_pad(draft, len);
    }
}

// name_set sets the name, or takes it out where it is NULL.
static void name_set(struct hello_draft *draft, const char *name) {
    size_t len = hello_draft_len(draft);
    hello_edit_sni(draft, name);
    len_keep(draft, len);
}

static bool edit_version(making *m, struct hello_draft *draft) {
    uint16_t version = (uint16_t)m->number;
    size_t len = hello_draft_len(draft);
    hello_edit_version_range(draft, version, version);
    len_keep(draft, len);
    return true;
}

static bool edit_no_sni(making *m, struct hello_draft *draft) {
    (void)m;
    bool has = hello_edit_find(draft, EXT_SERVER_NAME) != NULL;
    name_set(draft, NULL);
    return has;
}

static bool edit_other_name(making *m, struct hello_draft *draft) {
    name_set(draft, m->material->control);
    return m->material->control != NULL;
}

static bool edit_nonce_name(making *m, struct hello_draft *draft) {
    name_set(draft, m->material->nonce);
    return m->material->nonce != NULL;
}

static bool edit_public_name(making *m, struct hello_draft *draft) {
    name_set(draft, m->material->ech_name);
    return m->material->ech_name != NULL;
}

static const struct probe *row_find(const char *name, size_t name_len);

// edit_control is another probe's edit by the control host's name, unless that is about the name.
static bool edit_control(making *m, struct hello_draft *draft) {
    const struct probe *probe = m->value == NULL ? NULL : row_find(m->value, strlen(m->value));
    if (probe != NULL && probe->edit != NULL) {
        const struct probe_making other = {probe, m->material, probe->value, probe->number};
        if (!probe->edit(&other, draft)) {
            return false;
        }
    }
    return (probe != NULL && probe->follow == PROBE_FOLLOW_NAME) || edit_other_name(m, draft);
}

// edit_pq adds a group that makes the hello longer than a packet, and keeps the others.
static bool edit_pq(making *m, struct hello_draft *draft) {
    struct client_hello hello;
    struct buf message;
    uint16_t groups[64] = {HELLO_GROUP_X25519MLKEM768}, shares[16] = {HELLO_GROUP_X25519MLKEM768};
    size_t num_groups = 1, num_shares = 1;
    buf_init(&message, HELLO_DRAFT_MAX);
    bool ok = hello_draft_message(draft, &message, NULL) &&
              client_hello_parse(&hello, NULL, buf_data(&message), message.len) &&
              code_list_has(&hello.versions, TLS13) &&
              !code_list_has(&hello.groups, HELLO_GROUP_X25519MLKEM768);
    for (size_t i = 0; ok && i < hello.groups.num && num_groups < ARRAY_LEN(groups); i++) {
        groups[num_groups++] = (uint16_t)code_list_at(&hello.groups, i);
        if (hello_keys_can(groups[num_groups - 1]) && num_shares == 1) {
            shares[num_shares++] = groups[num_groups - 1];
        }
    }
    if (ok) {
        hello_edit_groups(draft, groups, num_groups);
        hello_keys_offer(m->material->keys, draft, shares, num_shares);
    }
    buf_cleanup(&message);
    return ok;
}

// edit_no_pq takes every group out whose share is longer than that of any curve.
static void no_pq(making *m, struct hello_draft *draft) {
    static const uint16_t groups[] = {0x11ec, 0x11eb, 0x11ed, 0x6399,
                                      0x639a, 0x0200, 0x0201, 0x0202};
    struct client_hello hello;
    struct buf message;
    uint16_t kept[64];
    size_t num = 0;
    bool any = false;
    (void)m;
    buf_init(&message, HELLO_DRAFT_MAX);
    if (hello_draft_message(draft, &message, NULL) &&
        client_hello_parse(&hello, NULL, buf_data(&message), message.len)) {
        for (size_t i = 0; i < hello.groups.num && num < ARRAY_LEN(kept); i++) {
            bool pq = false;
            for (size_t j = 0; j < ARRAY_LEN(groups); j++) {
                pq |= code_list_at(&hello.groups, i) == groups[j];
            }
            any |= pq;
            kept[num] = (uint16_t)code_list_at(&hello.groups, i);
            num += !pq;
        }
    }
    if (any) {
        hello_edit_groups(draft, kept, num);
    }
    buf_cleanup(&message);
}

// edit_small keeps encrypted_client_hello, as a short one: whether that is liked is another factor.
static bool edit_small(making *m, struct hello_draft *draft) {
    static const uint16_t spare[] = {EXT_SESSION_TICKET, EXT_PRE_SHARED_KEY, EXT_EARLY_DATA};
    if (hello_draft_len(draft) <= SMALL_MAX) {
        return false;
    }
    hello_edit_remove(draft, EXT_PADDING);
    if (hello_draft_len(draft) > SMALL_MAX) {
        no_pq(m, draft);
    }
    if (hello_draft_len(draft) > SMALL_MAX && hello_edit_find(draft, EXT_ECH) != NULL) {
        hello_edit_ech_grease(draft, m->material->seed, ECH_PAYLOAD_SMALL);
    }
    for (size_t i = 0; i < ARRAY_LEN(spare) && hello_draft_len(draft) > SMALL_MAX; i++) {
        hello_edit_remove(draft, spare[i]);
    }
    return hello_draft_len(draft) <= SMALL_MAX;
}

static bool edit_big(making *m, struct hello_draft *draft) {
    no_pq(m, draft);
    return hello_draft_len(draft) < m->number && hello_edit_pad(draft, m->number);
}

static bool edit_one(making *m, struct hello_draft *draft) {
    (void)m;
    hello_edit_no_cuts(draft);
    return true;
}

static bool edit_split_tcp(making *m, struct hello_draft *draft) {
    hello_edit_no_cuts(draft);
    hello_edit_cut_segment(draft, HELLO_CUT_IN_SNI, m->number);
    return true;
}

static bool edit_split_record(making *m, struct hello_draft *draft) {
    (void)m;
    hello_edit_no_cuts(draft);
    hello_edit_cut_record(draft, HELLO_CUT_IN_SNI);
    return true;
}

static bool edit_small_split(making *m, struct hello_draft *draft) {
    return (hello_draft_len(draft) <= SMALL_MAX || edit_small(m, draft)) &&
           edit_split_tcp(m, draft);
}

static bool edit_grease(making *m, struct hello_draft *draft) {
    struct hello_draft without;
    hello_draft_init(&without);
    hello_draft_copy(&without, draft);
    bool has = hello_edit_remove_grease(&without);
    hello_draft_cleanup(&without);
    if (!has) {
        hello_edit_add_grease(draft, m->material->seed);
        hello_edit_alpn_grease(draft, m->material->seed);
    }
    return !has;
}

static bool edit_no_grease(making *m, struct hello_draft *draft) {
    size_t len = hello_draft_len(draft);
    (void)m;
    bool has = hello_edit_remove_grease(draft);
    len_keep(draft, len);
    return has;
}

static bool edit_ech_grease(making *m, struct hello_draft *draft) {
    if (hello_edit_find(draft, EXT_ECH) != NULL) {
        return false;
    }
    hello_edit_ech_grease(draft, m->material->seed, ECH_PAYLOAD);
    return true;
}

static bool edit_without(making *m, struct hello_draft *draft) {
    return hello_edit_remove(draft, (uint16_t)m->number);
}

// edit_no_ech pads the hello to what it was: its size is another factor.
static bool edit_no_ech(making *m, struct hello_draft *draft) {
    size_t len = hello_draft_len(draft);
    (void)m;
    return hello_edit_remove(draft, EXT_ECH) && hello_edit_pad(draft, len);
}

static bool edit_alpn(making *m, struct hello_draft *draft) {
    hello_edit_alpn(draft, &m->value, 1);
    return true;
}

static bool edit_no_resumption(making *m, struct hello_draft *draft) {
    (void)m;
    bool any = hello_edit_remove(draft, EXT_SESSION_TICKET);
    any = hello_edit_remove(draft, EXT_EARLY_DATA) || any;
    return hello_edit_remove(draft, EXT_PRE_SHARED_KEY) || any;
}

// edit_psk offers to resume a session that nobody knows, without early data (`number` 0) or with.
static bool edit_psk(making *m, struct hello_draft *draft) {
    if (hello_edit_find(draft, EXT_KEY_SHARE) == NULL ||
        hello_edit_find(draft, EXT_PRE_SHARED_KEY) != NULL) {
        return false;
    }
    hello_edit_psk(draft, m->material->seed, PSK_IDENTITY, m->number != 0);
    return true;
}

static bool edit_group(making *m, struct hello_draft *draft) {
    uint16_t group = (uint16_t)m->number;
    hello_edit_groups(draft, &group, 1);
    hello_keys_offer(m->material->keys, draft, &group, 1);
    return true;
}

static bool edit_cipher(making *m, struct hello_draft *draft) {
    hello_edit_ciphers(draft, &m->number, 1);
    return true;
}

static bool edit_sigalg(making *m, struct hello_draft *draft) {
    uint16_t sigalg = (uint16_t)m->number;
    hello_edit_sigalgs(draft, &sigalg, 1);
    return true;
}

// ---- the table

static const struct probe probes[] = {
// clang-format off
#define PROBE(n, f, s, ...) {.name = (n), .factor = (f), .says = (s), __VA_ARGS__},
#include "proxy/probe/probes.inc"
#undef PROBE
    // clang-format on
};

// The probes that take an argument, and what it is a code point of.
static const struct {
    const char *name;
    enum registry registry;
} takers[] = {
    {"group", REGISTRY_GROUP},
    {"cipher", REGISTRY_CIPHER},
    {"sigalg", REGISTRY_SIGNATURE_SCHEME},
    {"without", REGISTRY_EXTENSION},
};

const struct probe *probe_list(size_t *out_num) {
    *out_num = ARRAY_LEN(probes);
    return probes;
}

static const struct probe *row_find(const char *name, size_t name_len) {
    for (size_t i = 0; i < ARRAY_LEN(probes); i++) {
        if (strlen(probes[i].name) == name_len && memcmp(probes[i].name, name, name_len) == 0) {
            return &probes[i];
        }
    }
    return NULL;
}

enum { TTL_MAX = 255 };

int probe_ttl(const struct probe_pick *pick) {
    char *end;
    errno = 0;
    unsigned long ttl = pick->probe->ttl ? strtoul(pick->argument, &end, 10) : 0;
    return ttl >= 1 && ttl <= TTL_MAX && errno == 0 && *end == '\0' ? (int)ttl : 0;
}

static int taker_find(const struct probe *probe) {
    for (size_t i = 0; i < ARRAY_LEN(takers); i++) {
        if (strcmp(takers[i].name, probe->name) == 0) {
            return (int)i;
        }
    }
    return -1;
}

bool probe_find(struct probe_pick *out, const char *text, struct err *err) {
    size_t len = strcspn(text, "=");
    const char *argument = text[len] == '=' ? text + len + 1 : "";
    uint16_t code;
    *out = (struct probe_pick){.probe = row_find(text, len)};
    if (out->probe == NULL) {
        return err_set(err, "there is no factor '%.60s'; --help lists them", text);
    }
    int taker = taker_find(out->probe);
    if (out->probe->edit == edit_control && *argument != '\0') {
        const struct probe *other = row_find(argument, strlen(argument));
        if (other == NULL || other->follow == PROBE_FOLLOW_NOTHING) {
            return err_set(err, "control takes a factor that makes another hello of it, as in "
                                "control=no-grease");
        }
    } else if (out->probe->ttl) {
        snprintf(out->argument, sizeof(out->argument), "%s", argument);
        return probe_ttl(out) != 0 || err_set(err, "ttl takes a number of hops, as in ttl=5");
    } else if (taker < 0 && *argument != '\0') {
        return err_set(err, "%s takes no value", out->probe->name);
    }
    if (taker >= 0 && !codepoint_parse(takers[taker].registry, &code, argument)) {
        return err_set(err, "%s takes a value by its name or number, as in %s", out->probe->name,
                       taker == 0 ? "group=x25519" : "cipher=0x1301");
    }
    snprintf(out->argument, sizeof(out->argument), "%s", argument);
    return true;
}

struct probe_pick probe_pick_of(const char *name) {
    struct probe_pick pick = {.probe = row_find(name, strlen(name))};
    CHECK(pick.probe != NULL);
    return pick;
}

void probe_name(char out[PROBE_NAME_MAX], const struct probe_pick *pick) {
    snprintf(out, PROBE_NAME_MAX, "%s%s%s", pick->probe->name, *pick->argument != '\0' ? "=" : "",
             pick->argument);
}

void probe_factor(char out[PROBE_NAME_MAX], const struct probe_pick *pick) {
    snprintf(out, PROBE_NAME_MAX, "%s%s", pick->probe->factor, pick->argument);
}

// ---- hellos

// origin_make sets `draft` to what the probe begins with.
static bool origin_make(const struct probe *probe, const struct probe_material *material,
                        struct hello_draft *draft) {
    bool control = probe->target == PROBE_TARGET_CONTROL;
    switch (probe->origin) {
    case PROBE_ORIGIN_ASKED:
        hello_draft_copy(draft, material->asked);
        return true;
    case PROBE_ORIGIN_CLIENT:
    case PROBE_ORIGIN_VERBATIM:
        if (material->client == NULL) {
            return false;
        }
        hello_draft_copy(draft, material->client);
        if (probe->origin == PROBE_ORIGIN_CLIENT) {
            hello_keys_swap(material->keys, draft, NULL);
        }
        return true;
    case PROBE_ORIGIN_SHAPE:
        hello_shape_make(draft, hello_shape_find(probe->value),
                         control ? material->control : material->host, material->keys);
        return true;
    }
    return false;
}

bool probe_library(struct library_config *out, const struct probe_pick *pick,
                   const struct probe_material *material) {
    const struct probe *probe = pick->probe;
    const struct span none = {NULL, 0};
    struct span ech = probe->ech == PROBE_ECH_CONFIG  ? material->ech
                      : probe->ech == PROBE_ECH_RETRY ? material->ech_retry
                                                      : none;
    *out = (struct library_config){
        .server_name = material->host,
        .shown = probe->shows_cert ? material->shown : NULL,
        .ech = ech.p,
        .ech_len = ech.len,
    };
    return (probe->ech == PROBE_ECH_NONE || (ech.len != 0 && material->host != NULL)) &&
           (!probe->shows_cert || material->shown != NULL);
}

bool probe_make(const struct probe_pick *pick, const struct probe_material *given,
                struct hello_draft *draft) {
    const struct probe *probe = pick->probe;
    struct probe_material other = *given;
    const struct probe_material *material = &other;
    if (probe->other != 0) {
        other.control = given->others[probe->other - 1];
    }
    struct probe_making m = {probe, material, probe->value, probe->number};
    int taker = taker_find(probe);
    uint16_t code;
    bool control =
        probe->target == PROBE_TARGET_OTHER_ADDRESS || probe->target == PROBE_TARGET_CONTROL;
    if (control && material->control == NULL) {
        return false;
    }
    if (probe->sends == EXCHANGE_SENDS_LIBRARY) {
        struct library_config library;
        return probe_library(&library, pick, material);
    }
    if (probe->sends != EXCHANGE_SENDS_HELLO) {
        return true;
    }
    if (*pick->argument != '\0' && taker < 0) {
        m.value = pick->argument;
    }
    if (taker >= 0) {
        CHECK(codepoint_parse(takers[taker].registry, &code, pick->argument));
        m.number = code;
    }
    if (!origin_make(probe, material, draft) || (probe->edit != NULL && !probe->edit(&m, draft)) ||
        draft->overflow) {
        return false;
    }
    // One factor and no other: what changes nothing has nothing to tell.
    bool same = probe->edit != NULL && probe->edit != edit_nothing &&
                probe->origin == PROBE_ORIGIN_ASKED && hello_draft_equal(draft, material->asked);
    return !same;
}
