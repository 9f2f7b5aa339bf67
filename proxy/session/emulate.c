// Which box the session is, and what its reactions meet.
#include "proxy/session/emulate.h"

#include <stdio.h>
#include <string.h>

#include "proxy/session/http.h"
#include "proxy/session/trigger.h"

enum { AGENT_MAX = 512, SERVER_TEXT_MAX = 300, HOLD_MAX_S = 3600 };

void emulate_begin(struct session *s) {
    const struct policy_rule *rule = s->rule;
    const struct emulated *box = rule->action == ACTION_EMULATE     ? &s->shared->boxes[rule->index]
                                 : rule->action == ACTION_INTERCEPT ? &s->shared->as
                                                                    : NULL;
    if (box != NULL && box->profile != NULL) {
        s->profile = box->profile;
        s->forge = box->forge;
        obj_set_str(s->record->root, F_RECORD_EMULATION_PROFILE, s->profile->name);
    }
}

void emulate_did(struct session *s, const char *reaction, const char *action) {
    if (s->record == NULL) {
        return;
    }
    if (reaction != NULL) {
        obj_set_str(s->record->root, F_RECORD_EMULATION_REACTION, reaction);
    }
    obj_set_str(s->record->root, F_RECORD_EMULATION_ACTION, action);
}

static const char *action_name(enum profile_action action) {
    static const char *const names[] = {
        [PROFILE_PASS] = "pass",
        [PROFILE_RST] = "rst",
        [PROFILE_FIN] = "fin",
        [PROFILE_ALERT] = "alert",
        [PROFILE_STALL] = "stall",
        [PROFILE_DROP_AFTER] = "drop_after",
        [PROFILE_BLACKHOLE_BIG] = "blackhole_big",
        [PROFILE_BLOCK_PAGE] = "block_page",
        [PROFILE_FOREIGN_CERT] = "foreign_cert",
        [PROFILE_PLAIN_HTTP] = "plain_http",
        [PROFILE_EDIT_HELLO] = "edit_hello",
    };
    return names[action];
}

// server_text is what residual blocking knows the server by: its address, or its name where a
// parent proxy resolves that.
static const char *server_text(const struct session *s, char out[SERVER_TEXT_MAX]) {
    const char *address = obj_str(s->lanes[SIDE_SERVER].observe.leg, F_LEG_ADDRESS);
    snprintf(out, SERVER_TEXT_MAX, "%s:%d", address != NULL ? address : s->host, s->port);
    return out;
}

// hello_read reads the hello that `raw`, or where that is empty the leg's observer, holds.
static void hello_read(const struct session *s, struct client_hello *out) {
    const struct observe *client = &s->lanes[SIDE_CLIENT].observe;
    if (client->sslv2) {
        (void)client_hello_parse_sslv2(out, NULL, client->hello.p, client->hello.len);
    } else {
        (void)client_hello_parse(out, NULL, client->hello.p, client->hello.len);
    }
}

// facts_gather collects what conditions ask about. `agent` is room for a string.
static struct trigger_facts facts_gather(struct session *s, struct client_hello *hello,
                                         char agent[AGENT_MAX]) {
    const struct obj *leg = s->lanes[SIDE_CLIENT].observe.leg;
    int64_t records = 1, reads = 1;
    (void)obj_int(leg, F_LEG_OFFER_RECORDS, &records);
    (void)obj_int(leg, F_LEG_OFFER_SEGMENTS, &reads);
    hello_read(s, hello);
    bool named = http_header(front_http(s), "User-Agent", agent, AGENT_MAX);
    return (struct trigger_facts){
        .hello = hello,
        .host = s->host,
        .user_agent = named ? agent : NULL,
        .segments = trigger_segments(s->peek.wire_len, (size_t)reads),
        .records = (size_t)records,
        .nth = s->emulation.nth,
    };
}

// act does what reaction number `i` says.
static bool act(struct session *s, size_t i, bool residual, void (*resume)(struct session *s)) {
    const struct profile_reaction *reaction = &s->profile->reactions[i];
    char path[32], server[SERVER_TEXT_MAX];
    snprintf(path, sizeof(path), "reactions[%zu]", i);
    emulate_did(s, residual ? "residual" : path, action_name(reaction->action));
    if (reaction->residual_seconds != 0 && !residual) {
        memory_punish(s->shared->memory, s->client.ip, server_text(s, server), i,
                      s->now_us + reaction->residual_seconds * INT64_C(1000000));
    }
    return react(s, reaction, resume);
}

// weigh looks for the first reaction of the moment `at` whose conditions hold.
static bool weigh(struct session *s, enum profile_at at, void (*resume)(struct session *s)) {
    const struct profile *profile = s->profile;
    if (profile == NULL || s->emulation.passed) {
        return false;
    }
    char agent[AGENT_MAX];
    struct client_hello hello;
    struct trigger_facts facts = facts_gather(s, &hello, agent);
    for (size_t i = 0; i < profile->num_reactions; i++) {
        const struct profile_reaction *reaction = &profile->reactions[i];
        if (reaction->at != at) {
            continue;
        }
        facts.draw = reaction->when.probability != 0 ? memory_draw(s->shared->memory) : 0;
        if (trigger_met(&reaction->when, &facts)) {
            return act(s, i, false, resume);
        }
    }
    return false;
}

// punished returns whether an earlier connection brought this one what it met.
static bool punished(struct session *s, void (*resume)(struct session *s)) {
    char server[SERVER_TEXT_MAX];
    size_t i;
    return s->profile->num_reactions != 0 &&
           memory_punished(s->shared->memory, &i, s->client.ip, server_text(s, server),
                           s->now_us) &&
           i < s->profile->num_reactions && act(s, i, true, resume);
}

bool emulate_hello(struct session *s) {
    if (s->profile == NULL) {
        return false;
    }
    s->emulation.nth = memory_count(s->shared->memory, s->client.ip, s->host);
    if (s->profile->order == PROFILE_SERVER_FIRST) {
        return false; // the server's answer comes first: emulate_answer
    }
    return punished(s, sniff_go_on) || weigh(s, PROFILE_AT_HELLO, sniff_go_on);
}

bool emulate_second_hello(struct session *s) {
    if (s->profile == NULL || s->emulation.second_asked ||
        !obj_has(s->lanes[SIDE_CLIENT].observe.leg, F_LEG_OFFER_RAW_2)) {
        return false;
    }
    s->emulation.second_asked = true;
    return weigh(s, PROFILE_AT_SECOND_HELLO,
                 s->state == STATE_TUNNEL ? tunnel_go_on : downstream_go_on);
}

bool emulate_answer(struct session *s) {
    if (s->profile == NULL || s->emulation.answer_asked) {
        return false;
    }
    s->emulation.answer_asked = true;
    void (*resume)(struct session * s) = s->state == STATE_TUNNEL ? tunnel_go_on : upstream_go_on;
    if (s->profile->order == PROFILE_SERVER_FIRST &&
        (punished(s, resume) || weigh(s, PROFILE_AT_HELLO, resume))) {
        return true;
    }
    return weigh(s, PROFILE_AT_ANSWER, resume);
}

bool emulate_established(struct session *s) {
    return s->profile != NULL && weigh(s, PROFILE_AT_ESTABLISHED, downstream_finished);
}

void emulate_hold(struct session *s, int64_t us, void (*resume)(struct session *s)) {
    s->emulation.resume = resume;
    session_enter(s, STATE_HELD, us != 0 ? us : HOLD_MAX_S * INT64_C(1000000));
}

void emulate_held(struct session *s, const struct event *event) {
    const struct lane *client = &s->lanes[SIDE_CLIENT];
    if (event->kind == EVENT_TIMER) {
        s->emulation.resume(s);
    } else if (client->eof) {
        end_both(s, "client", client->closed ? "rst" : "fin", NULL);
        session_close(s);
    }
}
