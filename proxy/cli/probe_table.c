#include "proxy/cli/probe_table.h"

#include <stdio.h>
#include <string.h>

#include "logs/record/text.h"
#include "proxy/probe/outcome.h"
#include "proxy/tls/client_hello.h"
#include "proxy/tls/fingerprint.h"

enum { NAME_WIDTH = 17, FACTOR_WIDTH = 24, TIME_WIDTH = 9, OUTCOME_MAX = 256 };

void probe_table_head(struct page *page) {
    page_printf(page, STYLE_DIM, "%-*s %-*s %*s  %s", NAME_WIDTH, "probe", FACTOR_WIDTH, "factor",
                TIME_WIDTH, "ms", "what came back");
    page_newline(page);
}

// answer_us is how long the answer took, from the hello, or to the end without one.
static int64_t answer_us(const struct obj *leg) {
    int64_t from, to;
    if (!obj_int(leg, F_LEG_MS_HELLO, &from) && !obj_int(leg, F_LEG_MS_CONNECT, &from)) {
        from = 0;
    }
    if (!obj_int(leg, F_LEG_MS_ANSWER, &to) && !obj_int(leg, F_LEG_MS_END, &to)) {
        to = from;
    }
    return to - from;
}

// told adds what a whole handshake has told beside its leg.
static void told(char *outcome, const struct obj *experiment) {
    static const struct {
        enum field field;
        const char *word, *says;
    } rows[] = {
        {F_EXPERIMENT_CLIENT_CERT, "accepted", "certificate accepted"},
        {F_EXPERIMENT_CLIENT_CERT, "refused", "certificate refused"},
        {F_EXPERIMENT_CLIENT_CERT, "unsuitable", "no algorithm for the certificate's key"},
        {F_EXPERIMENT_CLIENT_CERT, "needed", "a certificate is needed"},
        {F_EXPERIMENT_CLIENT_CERT, "not-needed", "no certificate is needed"},
        {F_EXPERIMENT_CLIENT_CERT, "not-asked", "no certificate asked for"},
        {F_EXPERIMENT_CLIENT_CERT, "unclear", "unclear what of the certificate"},
        {F_EXPERIMENT_ECH, "accepted", "ECH accepted"},
        {F_EXPERIMENT_ECH, "rejected", "ECH rejected, another configuration offered"},
        {F_EXPERIMENT_ECH, "disabled", "ECH rejected, none offered"},
        {F_EXPERIMENT_ECH, "unproven", "ECH rejected, without the public name's certificate"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (obj_str_is(experiment, rows[i].field, rows[i].word)) {
            size_t len = strlen(outcome);
            snprintf(outcome + len, OUTCOME_MAX - len, "; %s", rows[i].says);
        }
    }
}

void probe_table_result(struct page *page, const struct obj *experiment) {
    const struct obj *leg = obj_get(experiment, F_EXPERIMENT_LEG);
    char time[32], outcome[OUTCOME_MAX];
    bool answered = obj_str_is(experiment, F_EXPERIMENT_RESULT, "answered");
    struct arena arena = {0};
    const char *name = text_or_empty(&arena, experiment, F_EXPERIMENT_PROBE);
    const char *factors = text_or_empty(&arena, experiment, F_EXPERIMENT_FACTORS);
    snprintf(time, sizeof(time), "%*.1f ", TIME_WIDTH, (double)answer_us(leg) / 1000);
    outcome_write(outcome, sizeof(outcome), leg);
    told(outcome, experiment);
    const struct page_cell cells[] = {
        {NAME_WIDTH, STYLE_PLAIN, page_span(name)},
        {FACTOR_WIDTH, STYLE_DIM, page_span(factors)},
        {TIME_WIDTH + 1, STYLE_PLAIN, page_span(time)},
        {0, answered ? STYLE_GOOD : STYLE_BAD, page_span(outcome)},
    };
    page_row(page, cells, ARRAY_LEN(cells));
    arena_cleanup(&arena);
}

void probe_table_plan_head(struct page *page) {
    page_printf(page, STYLE_DIM, "%-*s %-*s %6s %-8s %s", NAME_WIDTH, "probe", FACTOR_WIDTH,
                "factor", "bytes", "pieces", "JA4");
    page_newline(page);
}

static void ja4_of(char out[JA4_SIZE], const struct hello_draft *hello) {
    struct client_hello parsed;
    struct buf message;
    out[0] = '\0';
    buf_init(&message, HELLO_DRAFT_MAX);
    if (!hello_draft_message(hello, &message, NULL) ||
        !client_hello_parse(&parsed, NULL, buf_data(&message), message.len) ||
        !fingerprint_ja4(out, JA4_TCP, &parsed)) {
        out[0] = '\0';
    }
    buf_cleanup(&message);
}

void probe_table_plan(struct page *page, const struct probe_pick *pick,
                      const struct hello_draft *hello) {
    char name[PROBE_NAME_MAX], factor[PROBE_NAME_MAX], ja4[JA4_SIZE] = "-", size[16] = "-";
    char pieces[32] = "1";
    probe_name(name, pick);
    probe_factor(factor, pick);
    if (hello != NULL) {
        snprintf(size, sizeof(size), "%zu", hello_draft_len(hello));
        snprintf(pieces, sizeof(pieces), "%zur %zus", hello->num_record_cuts + 1,
                 hello->num_segment_cuts + 1);
        ja4_of(ja4, hello);
    }
    page_printf(page, STYLE_PLAIN, "%-*s %-*s %6s %-8s %s", NAME_WIDTH, name, FACTOR_WIDTH, factor,
                size, pieces, ja4);
    page_newline(page);
}
