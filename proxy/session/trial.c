#include "proxy/session/trial.h"

#include <string.h>

#include "policy/verdict/predicate.h"
#include "proxy/session/upstream.h"

enum {
    CANARY_US = 2 * 1000 * 1000, // the client's time to say something after its Finished
    UNUSED_US = 1000 * 1000,     // who dislikes a certificate leaves sooner than who does not need
                                 // a connection
    REFUSAL_MAX = 2 * 19,        // bytes of alerts in TLS 1.3, less than any Finished
};

static bool allowed(const struct retry_policy *policy) {
    return policy->tunnel || policy->canary || policy->num_forms != 0;
}

void trial_begin(struct session *s) {
    const struct obj *root = s->record->root, *leg = s->lanes[SIDE_CLIENT].observe.leg;
    struct trial *trial = &s->trial;
    if (s->shared->tries == NULL || s->profile != NULL || s->rule->action != ACTION_INTERCEPT ||
        !allowed(&s->rule->retry)) {
        return;
    }
    trial->watched = true;
    trial->key = tries_key_make(s->client.ip, obj_str(root, F_RECORD_USER_AGENT),
                                obj_str(leg, F_LEG_JA4), s->host, s->port);
    trial->try = tries_begin(s->shared->tries, &trial->key, &s->rule->retry, s->now_us);
    if (trial->try.kind != TRY_ORDINARY) {
        char name[TRY_NAME_MAX];
        obj_set_str(s->record->root, F_RECORD_CLIENT_TRY, try_name(name, &trial->try));
    }
}

// drop makes the connection an ordinary one after all.
static void drop(struct session *s, bool never) {
    struct trial *trial = &s->trial;
    tries_drop(s->shared->tries, &trial->key, &trial->try, never);
    trial->try = (struct try){TRY_ORDINARY, 0};
    obj_unset(s->record->root, F_RECORD_CLIENT_TRY);
}

struct leaf_cache *trial_leaf(struct session *s, struct leaf_request *request, bool mirrored,
                              struct leaf_cache *leaves) {
    const struct try *try = &s->trial.try;
    if (try->kind != TRY_FORM && try->kind != TRY_CANARY) {
        return leaves;
    }
    bool sound = mirrored && s->upstream->verified != NULL &&
                 s->upstream->verified->verification.ok && request->origin != NULL;
    bool same =
        try->kind == TRY_FORM && try->which == LEAF_FORM_RSA && request->key_type != CERT_KEY_P256;
    if (!sound || same) {
        drop(s, same);
        return leaves;
    }
    if (try->kind == TRY_FORM) {
        return forge_leaves(s->shared->forms[try->which]);
    }
    if (try->which == CANARY_WRONG_NAME) {
        request->host = "another-name.invalid";
        request->origin = request->origin_sha256 = NULL;
        request->verification = NULL;
        return leaves;
    }
    return forge_leaves(s->shared->untrusted);
}

// canary_end tells the client nothing, and the server that it is over.
static void canary_end(struct session *s, const char *by, const char *how, const char *detail) {
    struct lane *server = &s->lanes[SIDE_SERVER];
    end_set(s, SIDE_CLIENT, by, how, detail);
    end_set(s, SIDE_SERVER, "proxy", "fin", NULL);
    if (server->open) {
        lane_say_closed(server);
    }
    record_finish(s);
    session_reset(s, SIDE_CLIENT);
    session_close(s);
}

bool trial_canary(struct session *s) {
    if (s->trial.try.kind != TRY_CANARY) {
        return false;
    }
    session_enter(s, STATE_CANARY, CANARY_US);
    trial_input(s, NULL);
    return true;
}

void trial_input(struct session *s, const struct event *event) {
    struct lane *client = &s->lanes[SIDE_CLIENT];
    uint8_t piece[256];
    ERR_clear_error();
    int n = lane_read(client, piece, sizeof(piece));
    OPENSSL_cleanse(piece, sizeof(piece));
    if (n > 0) {
        observe_step(&client->observe, STEP_DATA, s->now_us);
        canary_end(s, "proxy", "rst",
                   "the client went on with a certificate that it had to refuse");
    } else if (client->peer_alert > 0) {
        canary_end(s, "client", "alert", NULL);
    } else if (client->closed) {
        canary_end(s, "client", end_how_errno(client->errnum), NULL);
    } else if (client->eof || (SSL_get_shutdown(client->ssl) & SSL_RECEIVED_SHUTDOWN) != 0) {
        canary_end(s, "client", "fin", NULL);
    } else if (event != NULL && event->kind == EVENT_TIMER) {
        canary_end(s, "proxy", "timeout", "the client said nothing");
    }
}

// ended_word is how the client ended its leg, as a word of EXPERIMENT.result; NULL: it did not.
static const char *ended_word(const struct view *view) {
    const char *how = obj_str(view->down, F_LEG_END_HOW);
    if (view->client_alert.obj != NULL) {
        return "alert";
    }
    if (how == NULL || !obj_str_is(view->down, F_LEG_END_BY, "client")) {
        return NULL;
    }
    return strcmp(how, "alert") == 0 ? "alert"
           : strcmp(how, "rst") == 0 ? "reset"
           : strcmp(how, "fin") == 0 ? "closed"
                                     : NULL;
}

// left_at_once returns whether the client, which sent nothing, left soon after its handshake.
static bool left_at_once(const struct view *view) {
    int64_t finished, end;
    return obj_int(view->down, F_LEG_MS_FINISHED, &finished) &&
           obj_int(view->down, F_LEG_MS_END, &end) && end - finished <= UNUSED_US;
}

// refusal returns in which way the client refused what it was shown, NULL where it did not, or
// where that cannot be told.
static const char *refusal(const struct view *view) {
    static const enum predicate objections[] = {P_C_REFUSES, P_C_ALERT_TIME, P_C_ALERT_REVOKED,
                                                P_C_ALERT_DECRYPT};
    enum answer data = predicate_ask(view, P_CLIENT_DATA);
    int64_t sent;
    if (data == YES) {
        return NULL;
    }
    for (size_t i = 0; i < ARRAY_LEN(objections); i++) {
        if (predicate_ask(view, objections[i]) == YES) {
            return "alert";
        }
    }
    if (predicate_ask(view, P_C_LEFT) != YES) {
        return NULL;
    }
    if (view->mode == MODE_WIRE && data == UNKNOWN) {
        bool none = obj_int(view->down, F_LEG_DATA_RECEIVED, &sent) && sent <= REFUSAL_MAX;
        return none && view->down_step >= LEG_ANSWER ? ended_word(view) : NULL;
    }
    bool at_certificate = predicate_ask(view, P_C_AT_CERTIFICATE) == YES;
    bool unused = predicate_ask(view, P_C_DONE) == YES && left_at_once(view);
    return at_certificate || unused ? ended_word(view) : NULL;
}

struct record *trial_settle(struct session *s) {
    struct trial *trial = &s->trial;
    struct obj *root = s->record->root;
    struct view view;
    if (!trial->watched || trial->try.kind == TRY_ORDINARY) {
        return NULL;
    }
    view_init(&view, root);
    const char *result = predicate_ask(&view, P_CLIENT_DATA) == YES ? "answered" : refusal(&view);
    return tries_end(s->shared->tries, &trial->key, &trial->try, result, root, s->now_us);
}

bool trial_news(struct session *s, const struct record *record) {
    return tries_told(s->shared->tries, &s->trial.key, obj_get(record->root, F_RECORD_VERDICT));
}

void trial_note(struct session *s) {
    const struct trial *trial = &s->trial;
    const struct obj *root = s->record->root;
    struct view view;
    if (!trial->watched || trial->try.kind != TRY_ORDINARY) {
        return;
    }
    view_init(&view, root);
    if (view.mode != MODE_INTERCEPT || predicate_ask(&view, P_LEAF_SOUND) != YES) {
        return;
    }
    if (predicate_ask(&view, P_CLIENT_DATA) == YES) {
        tries_worked(s->shared->tries, &trial->key, s->rule->retry.canary, s->now_us);
    } else if (predicate_ask(&view, P_SAME_WORKED) != YES) {
        const char *result = refusal(&view);
        if (result != NULL) {
            tries_refused(s->shared->tries, &trial->key, root, result, s->now_us);
        }
    }
}
