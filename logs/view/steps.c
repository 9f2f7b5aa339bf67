#include "logs/view/steps.h"

#include <stdio.h>
#include <string.h>

#include "logs/record/record.h"
#include "logs/record/text.h"

enum { STEPS_MAX = 128, BAR_MIN = 10, BAR_MAX = 80 };

// struct step is one row: `us` since accept, and since `from_us` on its way there.
struct step {
    int64_t us, from_us;
    bool server;
    const char *label;
    const struct obj *alert; // NULL for a step of the handshake
};

struct steps {
    struct arena arena;
    struct step steps[STEPS_MAX];
    size_t num;
};

static bool has_both(const struct obj *root) {
    return record_leg(root, false) != NULL && record_leg(root, true) != NULL;
}

static void steps_add(struct steps *steps, struct step step) {
    if (steps->num < STEPS_MAX) {
        steps->steps[steps->num++] = step;
    }
}

static void add_alerts(struct steps *steps, const struct obj *leg, bool server) {
    for (size_t i = 0; i < obj_num(leg, F_LEG_ALERTS); i++) {
        const struct obj *alert = obj_at(leg, F_LEG_ALERTS, i);
        const char *name = text_dup(&steps->arena, alert, F_ALERT_NAME);
        int64_t us = -1;
        (void)obj_int(alert, F_ALERT_MS, &us);
        steps_add(steps, (struct step){.us = us,
                                       .server = server,
                                       .label = name != NULL ? name : "alert",
                                       .alert = alert});
    }
}

static void add_times(struct steps *steps, const struct obj *leg, bool server, enum field first,
                      enum field last) {
    for (enum field field = first; field <= last; field++) {
        int64_t us;
        if (obj_int(leg, field, &us)) {
            steps_add(steps,
                      (struct step){.us = us, .server = server, .label = field_row(field)->label});
        }
    }
}

// add_leg adds what happened on a leg. What ended it comes before its end.
static void add_leg(struct steps *steps, const struct obj *leg, bool server) {
    add_times(steps, leg, server, F_LEG_MS_DNS, F_LEG_MS_END - 1);
    add_alerts(steps, leg, server);
    add_times(steps, leg, server, F_LEG_MS_END, F_LEG_MS_END);
}

// steps_sort puts the steps in order of time; those of one moment keep the order they had. What
// each leg waited for begins with its step before.
static void steps_sort(struct steps *steps) {
    for (size_t i = 1; i < steps->num; i++) {
        struct step step = steps->steps[i];
        size_t j = i;
        for (; j > 0 && steps->steps[j - 1].us > step.us; j--) {
            steps->steps[j] = steps->steps[j - 1];
        }
        steps->steps[j] = step;
    }
    int64_t last[2] = {0, 0};
    for (size_t i = 0; i < steps->num; i++) {
        steps->steps[i].from_us = last[steps->steps[i].server];
        if (steps->steps[i].us > 0) {
            last[steps->steps[i].server] = steps->steps[i].us;
        }
    }
}

// scale_max returns the time at the right edge: that of the last step, but where the end comes long
// after all else, that of the last step before it, so that the handshake is not crushed.
static int64_t scale_max(const struct steps *steps) {
    int64_t max = 1, before_end = 1;
    for (size_t i = 0; i < steps->num; i++) {
        const struct step *step = &steps->steps[i];
        max = step->us > max ? step->us : max;
        bool end = step->alert == NULL && strcmp(step->label, field_row(F_LEG_MS_END)->label) == 0;
        before_end = !end && step->us > before_end ? step->us : before_end;
    }
    return before_end > 1 && max > before_end * 3 ? before_end * 5 / 4 : max;
}

// bar draws in `text` what the step took and returns it.
static struct span bar(char text[BAR_MAX], const struct step *step, int64_t max, size_t width) {
    size_t from = (size_t)((step->from_us < max ? step->from_us : max) * (int64_t)width / max);
    size_t to = (size_t)((step->us < max ? step->us : max) * (int64_t)width / max);
    from = from < width ? from : width - 1;
    to = to < width ? to : width - 1;
    memset(text, ' ', from);
    memset(text + from, step->server ? '-' : '=', to - from);
    text[to] = step->us > max ? '>' : '|';
    return (struct span){(const uint8_t *)text, to + 1};
}

void steps_time_line(struct page *page, const struct obj *root) {
    struct steps steps = {.num = 0};
    add_leg(&steps, record_leg(root, false), false);
    add_leg(&steps, record_leg(root, true), true);
    steps_sort(&steps);
    if (steps.num != 0) {
        page_title(page, "TIME LINE");
    }
    bool both = has_both(root);
    size_t fixed = both ? 48 : 36;
    size_t width = page->width > fixed + BAR_MIN ? page->width - fixed : BAR_MIN;
    width = width < BAR_MAX ? width : BAR_MAX;
    int64_t max = scale_max(&steps);
    for (size_t i = 0; i < steps.num; i++) {
        const struct step *step = &steps.steps[i];
        if (step->us < 0) {
            continue; // an alert whose time was not seen, or nonsense in a log
        }
        char when[32], text[BAR_MAX];
        snprintf(when, sizeof(when), "%9.1f ms", (double)step->us / 1000);
        const char *leg = step->server ? "server leg" : "client leg";
        const struct page_cell cells[] = {
            {13, STYLE_PLAIN, {(const uint8_t *)when, strlen(when)}},
            {11, STYLE_PLAIN, {(const uint8_t *)leg, strlen(leg)}},
            {21,
             step->alert != NULL ? STYLE_BAD : STYLE_PLAIN,
             {(const uint8_t *)step->label, strlen(step->label)}},
            {0, step->server ? STYLE_SERVER : STYLE_CLIENT, bar(text, step, max, width)},
        };
        const struct page_cell alone[] = {cells[0], cells[2], cells[3]};
        page_row(page, both ? cells : alone, both ? ARRAY_LEN(cells) : ARRAY_LEN(alone));
    }
    arena_cleanup(&steps.arena);
}

// from_to says who sent an alert to whom: on the client leg the proxy is the server, on the server
// leg the client.
static void from_to(char out[64], const struct obj *root, const struct step *step) {
    bool by_client = obj_str_is(step->alert, F_ALERT_FROM, "client");
    const char *client = step->server ? "proxy" : "client";
    const char *server = step->server || !has_both(root) ? "server" : "proxy";
    snprintf(out, 64, "%s to %s", by_client ? client : server, by_client ? server : client);
}

void steps_alerts(struct page *page, const struct obj *root) {
    struct steps steps = {.num = 0};
    add_alerts(&steps, record_leg(root, false), false);
    add_alerts(&steps, record_leg(root, true), true);
    steps_sort(&steps);
    if (steps.num != 0) {
        page_title(page, "ALERTS");
    }
    for (size_t i = 0; i < steps.num; i++) {
        const struct step *step = &steps.steps[i];
        const char *level = text_dup(&steps.arena, step->alert, F_ALERT_LEVEL);
        const char *code = text_dup(&steps.arena, step->alert, F_ALERT_CODE);
        const char *after = text_dup(&steps.arena, step->alert, F_ALERT_AFTER);
        char when[32] = "", way[64];
        if (step->us >= 0) {
            snprintf(when, sizeof(when), "%9.1f ms", (double)step->us / 1000);
        }
        from_to(way, root, step);
        const char *what = arena_printf(
            &steps.arena, "%s %s (%s)%s%s", level != NULL ? level : "", step->label,
            code != NULL ? code : "?", after != NULL ? ", after " : "", after != NULL ? after : "");
        bool fatal = obj_str_is(step->alert, F_ALERT_LEVEL, "fatal");
        const struct page_cell cells[] = {
            {13, STYLE_PLAIN, {(const uint8_t *)when, strlen(when)}},
            {16, STYLE_PLAIN, {(const uint8_t *)way, strlen(way)}},
            {0, fatal ? STYLE_BAD : STYLE_PLAIN, {(const uint8_t *)what, strlen(what)}},
        };
        page_row(page, cells, ARRAY_LEN(cells));
    }
    arena_cleanup(&steps.arena);
}
