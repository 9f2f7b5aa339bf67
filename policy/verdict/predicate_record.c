#include <errno.h>
#include <string.h>
#include <strings.h>

#include "logs/base/check.h"
#include "policy/verdict/predicate_fn.h"

// among returns whether `value` is one of the words of `words`, which are separated by spaces, or
// begins with one and a space: "http answer" is among "http html".
static bool among(const char *words, const char *value) {
    size_t len = strcspn(value, " /");
    for (const char *w = words; *w != '\0'; w += strspn(w, " ")) {
        size_t w_len = strcspn(w, " ");
        if (w_len == len && memcmp(w, value, len) == 0) {
            return true;
        }
        w += w_len;
    }
    return false;
}

static enum answer str_among(const struct obj *obj, enum field field, const char *words) {
    const char *value = obj_str(obj, field);
    return value == NULL ? UNKNOWN : answer_from(among(words, value));
}

ASK(mode) {
    return view->mode == MODE_UNKNOWN ? UNKNOWN : answer_from((int)view->mode == row->codes[0]);
}

ASK(record_word) { return str_among(view->root, row->fields[0], row->word); }

ASK(status) {
    int64_t status;
    if (!obj_int(view->root, F_RECORD_RESPONSE_STATUS, &status)) {
        return UNKNOWN;
    }
    for (size_t i = 0; row->codes[i] != -1; i++) {
        if (row->codes[i] == status) {
            return YES;
        }
    }
    return NO;
}

ASK(refused_by_policy) {
    enum answer action = str_among(view->root, F_RECORD_POLICY_ACTION, "refuse");
    enum answer status = ask_status(view, row);
    return action == YES || status == YES ? YES : action == NO || status == NO ? NO : UNKNOWN;
}

// connected returns whether TCP to the server came about.
static enum answer connected(const struct view *view) {
    const struct obj *leg = view->dial;
    if (obj_has(leg, F_LEG_MS_CONNECT) || obj_has(leg, F_LEG_MS_HELLO)) {
        return YES;
    }
    const char *at = obj_str(leg, F_LEG_END_AT);
    if (at != NULL) {
        return answer_from(strcmp(at, "dns") != 0 && strcmp(at, "connect") != 0);
    }
    return UNKNOWN;
}

// to_parent returns whether what the dial tells is about a parent proxy.
static bool to_parent(const struct view *view) { return obj_has(view->root, F_RECORD_PARENT_HOST); }

ASK(parent_used) {
    (void)row;
    return to_parent(view) ? YES : UNKNOWN;
}

ASK(dns_error) {
    const struct obj *leg = view->dial;
    if (to_parent(view)) {
        return NO;
    }
    enum answer error = str_among(leg, F_LEG_DNS_ERROR, row->word);
    if (error != UNKNOWN) {
        return error;
    }
    if (obj_str_is(view->root, F_RECORD_MODE, "import")) {
        return UNKNOWN; // a connection of a capture tells nothing of names
    }
    bool resolved = obj_num(leg, F_LEG_DNS_ANSWERS) > 0 || obj_num(leg, F_LEG_TRIED) > 0;
    return resolved || connected(view) == YES ? NO : UNKNOWN;
}

ASK(names_differ) {
    (void)row;
    const char *host = obj_str(view->root, F_RECORD_HOST);
    const char *sni = obj_str(view->offer, F_LEG_SERVER_NAME);
    if (host == NULL || sni == NULL) {
        return UNKNOWN;
    }
    bool address = strchr(host, ':') != NULL || strspn(host, "0123456789.") == strlen(host);
    return answer_from(!address && strcasecmp(host, sni) != 0);
}

ASK(dns_sink) {
    (void)row;
    const struct obj *leg = view->dial;
    enum answer any = obj_num(leg, F_LEG_TRIED) == 0 ? UNKNOWN : NO;
    for (size_t i = 0; i < obj_num(leg, F_LEG_TRIED); i++) {
        const char *address = obj_str(obj_at(leg, F_LEG_TRIED, i), F_TRIED_ADDRESS);
        bool nowhere =
            address != NULL && (strcmp(address, "0.0.0.0") == 0 || strcmp(address, "::") == 0);
        any = answer_or(any, address == NULL ? UNKNOWN : answer_from(nowhere));
    }
    return any;
}

ASK(dial_end) {
    if (to_parent(view) || connected(view) == YES ||
        obj_str_is(view->dial, F_LEG_END_BY, "client")) {
        return NO;
    }
    return answer_and(str_among(view->dial, F_LEG_END_HOW, row->word),
                      str_among(view->dial, F_LEG_END_AT, "connect"));
}

// With --to the client did not choose the address: a box may listen there, in the server's place.
static enum answer chosen_by_client(const struct view *view) {
    if (view->mode == MODE_PROBE) {
        return YES; // by whoever probes
    }
    const char *front = obj_str(view->root, F_RECORD_FRONT);
    return front == NULL ? UNKNOWN : answer_from(strcmp(front, "fixed") != 0);
}

ASK(dialed_here) {
    (void)row;
    const struct obj *leg = view->dial;
    if (to_parent(view) || obj_num(leg, F_LEG_TRIED) == 0) {
        return UNKNOWN;
    }
    enum answer all = YES;
    for (size_t i = 0; i < obj_num(leg, F_LEG_TRIED); i++) {
        const char *address = obj_str(obj_at(leg, F_LEG_TRIED, i), F_TRIED_ADDRESS);
        all = answer_and(all, address == NULL ? UNKNOWN : answer_from(address_loopback(address)));
    }
    return all == YES ? answer_and(YES, chosen_by_client(view)) : all;
}

ASK(loopback) {
    (void)row;
    const char *address = obj_str(view->server, F_LEG_ADDRESS);
    if (address == NULL || obj_has(view->root, F_RECORD_PARENT_HOST)) {
        return UNKNOWN; // or only as far as the parent proxy
    }
    if (!address_loopback(address)) {
        return NO;
    }
    return chosen_by_client(view) == YES ? YES : UNKNOWN;
}

ASK(only_ipv6) {
    (void)row;
    const struct obj *leg = view->dial;
    enum answer all = obj_num(leg, F_LEG_TRIED) == 0 ? UNKNOWN : YES;
    for (size_t i = 0; i < obj_num(leg, F_LEG_TRIED); i++) {
        const char *address = obj_str(obj_at(leg, F_LEG_TRIED, i), F_TRIED_ADDRESS);
        all =
            answer_and(all, address == NULL ? UNKNOWN : answer_from(strchr(address, '.') == NULL));
    }
    return all;
}

ASK(dialed) {
    (void)row;
    if (obj_has(view->server, F_LEG_TRIED) || obj_has(view->server, F_LEG_MS_CONNECT) ||
        obj_has(view->server, F_LEG_END_AT)) {
        return YES;
    }
    return obj_has(view->client, F_LEG_END_AT) ? NO : UNKNOWN;
}

ASK(awaits_server) {
    enum answer asked = ask_dialed(view, row);
    return asked == NO ? NO : answer_and(asked, answer_not(connected(view)));
}

// A record without the end of either leg is one of a connection that goes on.
ASK(still_open) {
    (void)row;
    static const enum field ends[] = {F_LEG_END_BY, F_LEG_END_HOW, F_LEG_END_AT, F_LEG_MS_END};
    bool ended = false;
    for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
        ended = ended || obj_has(view->client, ends[i]) || obj_has(view->server, ends[i]);
    }
    return answer_from(!ended);
}

ASK(plain_flowed) {
    (void)row;
    int64_t received, sent;
    if (!obj_int(view->client, F_LEG_BYTES_RECEIVED, &received) ||
        !obj_int(view->client, F_LEG_BYTES_SENT, &sent)) {
        return UNKNOWN;
    }
    return answer_from(received > 0 && sent > 0);
}

ASK(plain_answered) {
    (void)row;
    int64_t status;
    if (obj_int(view->root, F_RECORD_RESPONSE_STATUS, &status)) {
        return answer_from(status < 400); // the proxy's own answer
    }
    return str_among(view->server, F_LEG_END_AT, "data");
}

// dial_error returns what the kernel said when the proxy itself could not even try.
static const char *dial_error(const struct view *view) {
    bool proxy = obj_str_is(view->dial, F_LEG_END_BY, "proxy") &&
                 obj_str_is(view->dial, F_LEG_END_HOW, "error");
    return proxy && connected(view) != YES ? obj_str(view->dial, F_LEG_END_DETAIL) : NULL;
}

ASK(dialed_itself) {
    (void)row;
    bool proxy = obj_str_is(view->dial, F_LEG_END_BY, "proxy") &&
                 obj_str_is(view->dial, F_LEG_END_HOW, "error");
    const char *detail = proxy ? obj_str(view->dial, F_LEG_END_DETAIL) : NULL;
    return detail == NULL ? UNKNOWN : answer_from(strcmp(detail, strerror(ELOOP)) == 0);
}

ASK(dial_failed_here) {
    (void)row;
    const char *detail = dial_error(view);
    if (detail == NULL) {
        return UNKNOWN;
    }
    return answer_from(strcmp(detail, strerror(EMFILE)) == 0 ||
                       strcmp(detail, strerror(ENFILE)) == 0);
}

ASK(not_tls_tunnel) {
    (void)row;
    return obj_has(view->root, F_RECORD_APPLICATION)    ? YES
           : obj_has(view->client, F_LEG_OFFER_CIPHERS) ? NO
                                                        : UNKNOWN;
}

ASK(answer_not_tls) {
    enum answer kind = str_among(view->up, F_LEG_ANSWER_FIRST_KIND, row->word);
    return kind == UNKNOWN && view->up_step >= LEG_ANSWER ? NO : kind;
}

enum answer mentions(const char *text, const char *parts, const char *apart) {
    for (const char *p = parts; text != NULL && *p != '\0'; p += strspn(p, apart)) {
        char part[32];
        size_t len = strcspn(p, apart);
        CHECK(len < sizeof(part));
        memcpy(part, p, len);
        part[len] = '\0';
        if (strcasestr(text, part) != NULL) {
            return YES;
        }
        p += len;
    }
    return text == NULL ? UNKNOWN : NO;
}

bool word_in(const char *text, const char *word) {
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
    size_t len = strlen(word);
    for (const char *p = text; *p != '\0'; p += strcspn(p, letters)) {
        size_t run = strspn(p, letters);
        if (run == len && memcmp(p, word, len) == 0) {
            return true;
        }
        p += run;
    }
    return false;
}
