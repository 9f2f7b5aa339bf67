#include "proxy/cli/probe_run.h"

#include <ev.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "logs/record/json.h"
#include "logs/store/log_writer.h"
#include "logs/store/paths.h"
#include "logs/view/path_page.h"
#include "logs/view/verdict_page.h"
#include "policy/ca/trust_verify.h"
#include "policy/verdict/verdict.h"
#include "proxy/cli/exit.h"
#include "proxy/cli/log_open.h"
#include "proxy/cli/output.h"
#include "proxy/cli/probe_ech.h"
#include "proxy/cli/probe_table.h"
#include "proxy/net/clock.h"
#include "proxy/probe/chain_proof.h"
#include "proxy/probe/locator.h"
#include "proxy/probe/minimize.h"
#include "proxy/tls/ech_config.h"
#include "proxy/tls/hello_edit.h"
#include "proxy/tls/hello_shape.h"

enum { RESIDUAL_US = 100 * 1000, SENTENCE_MAX = 8 * 1024 };

struct probe_work {
    const struct probe_options *options;
    struct page page;
    char host[PROBE_HOST_MAX];
    char server_name[PROBE_HOST_MAX]; // "": none
    uint16_t port;
    struct hello_keys *keys;
    struct hello_draft asked, client;
    bool has_client;
    struct client_cert *shown; // --cert
    struct buf ech;            // an ECHConfigList, or empty
    struct ech_config ech_config;
    struct probe_pick picks[OPTION_LIST_MAX];
    struct trust *trust;
    struct parent_tls *parent_tls; // NULL: there is no https:// parent
    struct record *record;
    struct ev_loop *loop;
    struct inquiry_config config;
    struct inquiry *inquiry;
    struct chain_proof *proof;
    struct minimize *minimize;
    struct locator *locator;
    struct hello_draft failing; // what is minimized
    size_t num_planned;
    bool progress;    // a line of it is on the terminal
    bool interrupted; // by the user
};

static int fail(int status, const struct err *err) {
    fprintf(stderr, "tlsblame probe: %s\n", err->msg);
    return status;
}

// ---- hellos

// like_take takes the hello of a record's client, and its host where none was given.
static bool like_take(struct probe_work *w, const struct obj *root, struct err *err) {
    const struct obj *client = record_leg(root, false);
    struct span raw = obj_span(client, F_LEG_OFFER_RAW);
    const char *host = obj_str(root, F_RECORD_HOST), *sni = obj_str(client, F_LEG_SERVER_NAME);
    int64_t port = 443;
    if (raw.p == NULL) {
        return err_set(err, "%s holds no ClientHello of a client", w->options->like);
    }
    if (!hello_draft_read_wire(&w->client, NULL, raw.p, raw.len, err)) {
        return err_prefix(err, "the ClientHello of %s: ", w->options->like);
    }
    w->has_client = true;
    if (w->host[0] == '\0') {
        host = host != NULL ? host : sni;
        if (host == NULL) {
            return err_set(err, "%s does not say which host was meant", w->options->like);
        }
        snprintf(w->host, sizeof(w->host), "%s", host);
        (void)obj_int(root, F_RECORD_PORT, &port);
        w->port = (uint16_t)port;
    }
    snprintf(w->server_name, sizeof(w->server_name), "%s", sni != NULL ? sni : "");
    return true;
}

// like_read finds the record of --like. It returns 0 or the exit status.
static int like_read(struct probe_work *w) {
    struct err err = {0};
    size_t i;
    int status;
    if (w->options->like == NULL) {
        return 0;
    }
    struct log_reader *reader = log_open(&status, "probe", w->options->log);
    if (reader == NULL) {
        return status;
    }
    struct record *record = NULL;
    bool ok = log_reader_find(reader, &i, w->options->like, &err) &&
              (record = log_reader_read(reader, i, &err)) != NULL &&
              like_take(w, record->root, &err);
    record_free(record);
    log_reader_free(reader);
    return ok ? 0 : fail(EXIT_USAGE, &err);
}

static void hello_make(struct probe_work *w) {
    const struct probe_options *o = w->options;
    const char *name = w->server_name[0] != '\0' ? w->server_name : NULL;
    if (w->has_client) {
        hello_draft_copy(&w->asked, &w->client);
        hello_keys_swap(w->keys, &w->asked, NULL);
        if (o->server_name != NULL) {
            hello_edit_sni(&w->asked, o->server_name);
        }
    } else {
        hello_shape_make(&w->asked, hello_shape_find(o->shape), name, w->keys);
    }
}

static void names_set(struct probe_work *w) {
    const struct probe_options *o = w->options;
    snprintf(w->host, sizeof(w->host), "%s", o->target.host);
    w->port = o->target.port;
    if (o->server_name != NULL) {
        snprintf(w->server_name, sizeof(w->server_name), "%s", o->server_name);
    } else if (!o->target.literal) {
        snprintf(w->server_name, sizeof(w->server_name), "%s", o->target.host);
    }
}

// ---- what is shown, and encrypted to

// ech_take makes the configuration one to ask with.
static bool ech_take(struct probe_work *w, const char *from, struct err *err) {
    if (!ech_config_read(&w->ech_config, buf_data(&w->ech), w->ech.len, err)) {
        return err_prefix(err, strcmp(from, "dns") == 0 ? "DNS: " : "--ech-config: ");
    }
    w->config.ech = (struct span){buf_data(&w->ech), w->ech.len};
    w->config.ech_name = w->ech_config.public_name;
    w->config.ech_from = from;
    return true;
}

// given_read reads the files of the options. It returns 0 or the exit status.
static int given_read(struct probe_work *w) {
    const struct probe_options *o = w->options;
    struct err err;
    if (o->cert != NULL) {
        w->shown = client_cert_read(o->cert, o->key, &err);
        if (w->shown == NULL) {
            return fail(EXIT_USAGE, &err);
        }
        w->config.shown = w->shown;
    }
    if (o->ech_config != NULL &&
        ((w->config.server_name == NULL && !err_set(&err, "--ech-config needs a name to hide")) ||
         !probe_ech_read(&w->ech, o->ech_config, &err) || !ech_take(w, "given", &err))) {
        return fail(EXIT_USAGE, &err);
    }
    return 0;
}

// ech_pick is the place of the probe that needs a configuration among those asked for, or their
// number.
static size_t ech_pick(const struct probe_options *o) {
    size_t i = 0;
    while (i < o->num_picks && o->picks[i].probe->ech != PROBE_ECH_CONFIG) {
        i++;
    }
    return i;
}

// asks_dns returns whether DNS is asked for a configuration: not for who was told where the host
// is, nor for what a parent proxy looks up.
static bool asks_dns(const struct probe_work *w) {
    const struct probe_options *o = w->options;
    return o->ech_config == NULL && w->config.server_name != NULL && !o->has_parent &&
           !o->target.literal && (o->address == NULL || o->resolver != NULL) &&
           (o->num_picks == 0 || ech_pick(o) != o->num_picks);
}

// ech_find asks DNS for a configuration. Without one, who asks for it by name gets GREASE.
static void ech_find(struct probe_work *w) {
    const struct probe_options *o = w->options;
    struct inquiry_config *config = &w->config;
    struct err err;
    if (asks_dns(w)) {
        probe_ech_look_up(&w->ech, w->loop,
                          config->other_resolver != NULL ? config->other_resolver
                                                         : config->resolver,
                          w->host, w->port);
        if (w->ech.len != 0 && !ech_take(w, "dns", &err)) {
            fail(0, &err);
        }
    }
    if (config->ech.len == 0 && ech_pick(o) != o->num_picks) {
        fprintf(stderr, "tlsblame probe: no configuration to encrypt to; asking with GREASE\n");
        w->picks[ech_pick(o)] = probe_pick_of("ech-grease");
    }
}

// ---- what is printed

static void page_flush(struct probe_work *w) {
    if (w->progress) {
        fputs("\r\033[K", stderr);
        w->progress = false;
    }
    if (w->page.out->len != 0) {
        fwrite(buf_data(w->page.out), 1, w->page.out->len, stdout);
        fflush(stdout);
    }
    buf_cleanup(w->page.out);
}

static bool talks(const struct probe_work *w) { return !w->options->json && !w->options->quiet; }

static void on_result(void *ctx, const struct obj *experiment) {
    struct probe_work *w = ctx;
    const struct plan *plan = inquiry_plan(w->inquiry);
    if (!talks(w)) {
        return;
    }
    probe_table_result(&w->page, experiment);
    page_flush(w);
    if (w->options->live) {
        fprintf(stderr, "\r\033[K%zu of %u so far", obj_num(w->record->root, F_RECORD_EXPERIMENTS),
                plan->begun);
        w->progress = true;
    }
}

static void on_planned(void *ctx, const struct probe_pick *pick, const struct hello_draft *hello) {
    struct probe_work *w = ctx;
    w->num_planned++;
    probe_table_plan(&w->page, pick, hello);
}

static int print_plan(struct probe_work *w) {
    unsigned most = (unsigned)w->options->budget;
    probe_table_plan_head(&w->page);
    inquiry_preview(&w->config, on_planned, w);
    page_newline(&w->page);
    page_printf(&w->page, STYLE_PLAIN,
                "%zu probes, at most %u connections to %s port %u%s; nothing was sent.",
                w->num_planned, most, w->host, w->port,
                w->options->num_picks == 0 ? ", the choice depending on the first answer" : "");
    page_newline(&w->page);
    if (asks_dns(w) || w->config.ech.len != 0) {
        page_paragraph(&w->page, STYLE_PLAIN, 0, true,
                       page_span(asks_dns(w) ? "DNS is asked for an HTTPS record; with a "
                                               "configuration in it `ech` and `public-name` are "
                                               "asked, too, and `ech-retry` where the server "
                                               "offers another."
                                             : "`ech-retry` follows where the server offers "
                                               "another configuration."));
    }
    if (w->options->locate) {
        page_paragraph(
            &w->page, STYLE_PLAIN, 0, true,
            page_span("--locate sends on top of that, to the address that was connected "
                      "to: a SYN and two hellos, one by another name of the same length, "
                      "with each TTL from 1 up to the server's; up to 14 hellos and 30 "
                      "SYNs more to be sure; and 5 UDP datagrams."));
    }
    page_flush(w);
    return output_finish("probe");
}

// ---- the record

static void record_start(struct probe_work *w) {
    struct obj *root = w->record->root;
    uint64_t id;
    hello_keys_random(w->keys, (uint8_t *)&id, sizeof(id));
    bool kept;
    obj_set_int(root, F_RECORD_TIMESTAMP, clock_wall_ms());
    if (clock_kept(&kept)) {
        obj_set_int(root, F_RECORD_CLOCK_KEPT, kept);
    }
    obj_set_strf(root, F_RECORD_ID, "%016llx", (unsigned long long)id);
    obj_set_str(root, F_RECORD_MODE, "probe");
    obj_set_str(root, F_RECORD_HOST, w->host);
    obj_set_int(root, F_RECORD_PORT, w->port);
    if (w->options->has_parent) {
        obj_set_str(root, F_RECORD_PARENT_HOST, w->options->parent.host);
        obj_set_int(root, F_RECORD_PARENT_PORT, w->options->parent.port);
        obj_set_int(root, F_RECORD_PARENT_TLS, w->options->parent.tls);
    }
}

static void warn(void *ctx, const char *says) {
    (void)ctx;
    fprintf(stderr, "tlsblame probe: %s\n", says);
}

// record_log appends the record to the log, of which a running proxy may be another writer: so it
// is not rotated from here.
static bool record_log(const struct probe_work *w, struct err *err) {
    const char *log = w->options->log;
    char *path = log != NULL ? xstrdup(log) : paths_state("log.ndjson", err);
    if (path == NULL || (log == NULL && !paths_make_parent(path, err))) {
        free(path);
        return false;
    }
    const struct log_writer_options options = {.path = path, .max_file = INT64_MAX, .warn = warn};
    struct log_writer *writer = log_writer_open(&options, err);
    free(path);
    if (writer == NULL) {
        return false;
    }
    (void)log_writer_put(writer, w->record->root);
    log_writer_flush(writer);
    bool ok = log_writer_counts(writer).written == 1;
    log_writer_close(writer);
    return ok || err_set(err, "the record could not be written to the log");
}

static int print_json(struct probe_work *w) {
    struct buf *out = w->page.out;
    if (!json_write(out, w->record->root) || !buf_append(out, "\n", 1)) {
        buf_cleanup(out);
    }
    page_flush(w);
    return output_finish("probe");
}

static int print_verdict(struct probe_work *w) {
    const struct obj *root = w->record->root;
    page_newline(&w->page);
    if (obj_has(root, F_RECORD_MINIMIZED)) {
        page_puts(&w->page, STYLE_TITLE, "SMALLEST    ");
        page_paragraph(&w->page, STYLE_PLAIN, VERDICT_PAGE_INDENT, true,
                       obj_span(root, F_RECORD_MINIMIZED));
        page_newline(&w->page);
    }
    verdict_page_write(&w->page, obj_get(root, F_RECORD_VERDICT), w->options->quiet);
    page_printf(&w->page, STYLE_PLAIN, "  more      tlsblame show%s%s %s",
                w->options->log != NULL ? " --log " : "",
                w->options->log != NULL ? w->options->log : "", obj_str(root, F_RECORD_ID));
    page_newline(&w->page);
    page_flush(w);
    return output_finish("probe");
}

// conclude makes the verdict, writes the record and returns the exit status.
static int conclude(struct probe_work *w) {
    struct err err;
    const struct obj *root = w->record->root, *leg = record_leg(root, true);
    verdict_decide(w->record->root);
    bool logged = record_log(w, &err);
    int status = w->options->json ? print_json(w) : print_verdict(w);
    if (!logged) {
        return fail(EXIT_ENVIRONMENT, &err);
    }
    if (status != 0) {
        return status;
    }
    if (obj_str_is(leg, F_LEG_END_HOW, "dns")) {
        return EXIT_ENVIRONMENT;
    }
    return record_failed(root) ? EXIT_FINDING : 0;
}

// ---- the loop

static void on_done(void *ctx) {
    struct probe_work *w = ctx;
    ev_break(w->loop, EVBREAK_ALL);
}

static void on_signal(struct ev_loop *loop, ev_signal *watcher, int revents) {
    (void)loop, (void)revents;
    struct probe_work *w = watcher->data;
    w->interrupted = true;
    if (w->minimize != NULL) {
        minimize_stop(w->minimize);
    } else if (w->locator != NULL) {
        locator_stop(w->locator);
    } else if (w->proof != NULL) {
        chain_proof_stop(w->proof);
    } else {
        inquiry_stop(w->inquiry);
    }
}

static void on_try(void *ctx, size_t num, bool passed) {
    struct probe_work *w = ctx;
    if (w->options->live) {
        fprintf(stderr, "\r\033[Kminimizing: hello %zu %s", num, passed ? "passes" : "fails");
        w->progress = true;
    }
}

// is_minimized returns whether a probe's hello is worth it where it fails and the base passes: one
// with something put in, or one that was asked for.
static bool is_minimized(const struct probe_work *w, const struct probe_pick *pick) {
    const struct probe *probe = pick->probe;
    return probe->follow == PROBE_FOLLOW_IN ||
           (w->options->num_picks != 0 && probe->sends == EXCHANGE_SENDS_HELLO &&
            probe->target == PROBE_TARGET_HOST && probe->origin == PROBE_ORIGIN_ASKED);
}

// failing_find sets the hello that is to be minimized: the one that was asked about, which may fail
// by chance, or another where that passes. It returns false where nothing fails.
static bool failing_find(struct probe_work *w) {
    const struct plan *plan = inquiry_plan(w->inquiry);
    const struct plan_entry *base = &plan->entries[0];
    hello_draft_copy(&w->failing, &w->asked);
    for (size_t i = 1; i < plan->num && base->failed == 0; i++) {
        const struct probe_pick *pick = &plan->entries[i].pick;
        if (plan_differs(plan, i) && is_minimized(w, pick)) {
            const struct probe_material material = {.asked = &w->asked,
                                                    .keys = w->keys,
                                                    .host = w->config.server_name,
                                                    .seed = w->config.seed};
            return probe_make(pick, &material, &w->failing);
        }
    }
    return base->failed != 0 && strcmp(base->failure, "unreachable") != 0;
}

// minimize_run looks for the smallest change, and puts it into the record.
static void minimize_run(struct probe_work *w) {
    struct inquiry_config inquiry = w->config;
    const struct minimize_config config = {
        .inquiry = &inquiry,
        .address = w->config.parent.host == NULL
                       ? obj_str(record_leg(w->record->root, true), F_LEG_ADDRESS)
                       : NULL,
        .on_try = on_try,
        .on_done = on_done,
        .ctx = w,
    };
    struct buf text;
    buf_init(&text, SENTENCE_MAX);
    if (failing_find(w)) {
        inquiry.asked = &w->failing;
        w->minimize = minimize_new(&config);
        ev_run(w->loop, 0);
        (void)minimize_says(w->minimize, &text);
        minimize_free(w->minimize);
        w->minimize = NULL;
    } else {
        buf_printf(&text, "No hello fails that could be made smaller.");
    }
    if (text.len != 0) {
        obj_set_strn(w->record->root, F_RECORD_MINIMIZED, buf_data(&text), text.len);
    }
    buf_cleanup(&text);
}

static void on_hop(void *ctx, const struct locate *locate, int ttl) {
    struct probe_work *w = ctx;
    if (!talks(w)) {
        return;
    }
    struct record *record = record_new();
    struct obj *hop = obj_add(obj_sub(record->root, F_RECORD_PATH), F_PATH_HOPS);
    locate_hop_record(locate, hop, ttl);
    path_page_hop(&w->page, hop);
    page_flush(w);
    record_free(record);
}

// locate_run follows the way to the server, and puts it into the record.
static void locate_run(struct probe_work *w) {
    const struct locator_config config = {
        .inquiry = &w->config,
        .address = obj_str(record_leg(w->record->root, true), F_LEG_ADDRESS),
        .on_hop = on_hop,
        .on_done = on_done,
        .ctx = w,
    };
    if (config.address == NULL) {
        return; // nothing was ever connected to
    }
    if (talks(w)) {
        page_newline(&w->page);
        path_page_head(&w->page);
        page_flush(w);
    }
    w->locator = locator_new(&config);
    ev_run(w->loop, 0);
    locator_record(w->locator, obj_sub(w->record->root, F_RECORD_PATH));
    locator_free(w->locator);
    w->locator = NULL;
    if (talks(w)) {
        path_page_says(&w->page, obj_get(w->record->root, F_RECORD_PATH));
        page_flush(w);
    }
}

// fetch_run fetches what the server's chain lacks.
static void fetch_run(struct probe_work *w) {
    const struct probe_options *o = w->options;
    const struct chain_proof_config config = {
        .fetcher = {.loop = w->loop,
                    .resolver = w->config.resolver,
                    .fetch = {.total_us = o->total_us,
                              .parent_tls = w->parent_tls,
                              .parent_authorization = w->config.parent_authorization},
                    .parent_host = w->config.parent.host,
                    .parent_port = w->config.parent.port,
                    .connect_us = o->connect_us,
                    .family = o->family},
        .trust = w->trust,
        .now = clock_wall_ms() / 1000,
        .aia = true,
        .crl = true,
        .on_done = on_done,
        .ctx = w,
    };
    if (record_leg(w->record->root, true) == NULL) {
        return;
    }
    w->proof = chain_proof_new(&config, obj_sub(w->record->root, F_RECORD_LEG_SERVER));
    if (w->proof != NULL) {
        ev_run(w->loop, 0);
    }
    chain_proof_free(w->proof);
    w->proof = NULL;
}

static void loop_run(struct probe_work *w) {
    ev_signal interrupt;
    ev_now_update(w->loop); // reading the roots takes its time, which no timer is to count
    w->inquiry = inquiry_new(&w->config, w->record->root);
    ev_signal_init(&interrupt, on_signal, SIGINT);
    interrupt.data = w;
    ev_signal_start(w->loop, &interrupt);
    ev_run(w->loop, 0);
    if (w->options->fetch && !w->interrupted) {
        fetch_run(w);
    }
    if (w->options->minimize) {
        minimize_run(w);
    }
    if (w->options->locate && !w->interrupted) {
        locate_run(w);
    }
    ev_signal_stop(w->loop, &interrupt);
    inquiry_free(w->inquiry);
    w->inquiry = NULL;
}

static void config_set(struct probe_work *w) {
    const struct probe_options *o = w->options;
    memcpy(w->picks, o->picks, sizeof(w->picks));
    w->config = (struct inquiry_config){
        .loop = w->loop,
        .has_other_resolver = o->resolver != NULL,
        .peer = {w->host, w->port, o->address},
        .parent = {o->has_parent ? o->parent.host : NULL, o->parent.port, NULL},
        .parent_authorization = o->parent.authorization,
        .direct = true,
        .server_name = w->server_name[0] != '\0' ? w->server_name : NULL,
        .asked = &w->asked,
        .client = w->has_client ? &w->client : NULL,
        .keys = w->keys,
        .trust = w->trust,
        .budget = (unsigned)o->budget,
        .repeats = (unsigned)o->repeats,
        .parallel = (unsigned)o->parallel,
        .seed = o->seed,
        .pace_us = o->pace_us,
        .residual_us = RESIDUAL_US,
        .connect_us = o->connect_us,
        .answer_us = o->answer_us,
        .total_us = o->total_us,
        .family = o->family,
        .with_library = true,
        .picks = w->picks,
        .num_picks = o->num_picks,
        .on_result = on_result,
        .on_done = on_done,
        .ctx = w,
    };
    for (size_t i = 0; i < o->num_controls; i++) {
        struct inquiry_peer *peer = i == 0 ? &w->config.control : &w->config.others[i - 1];
        *peer = (struct inquiry_peer){o->controls[i].host, o->controls[i].port,
                                      o->control_addresses[i]};
    }
}

static bool trusts_parent(void *ctx, const CBS *chain, size_t num_chain) {
    const struct probe_work *w = ctx;
    struct verification *verification = xcalloc(1, sizeof(*verification));
    trust_verify(w->trust, chain, num_chain, w->options->parent.host, clock_wall_ms() / 1000,
                 verification);
    bool ok = verification->ok;
    verification_cleanup(verification);
    free(verification);
    return ok;
}

static void parent_set(struct probe_work *w) {
    const struct probe_options *o = w->options;
    if (o->has_parent && o->parent.tls) {
        w->parent_tls = parent_tls_new(o->parent.host, trusts_parent, w);
        w->config.parent_tls = w->parent_tls;
    }
}

static int probe_and_print(struct probe_work *w) {
    struct err err;
    parent_set(w);
    w->trust = trust_new(NULL, w->options->trust.items, w->options->trust.num, &err);
    if (w->trust == NULL) {
        return fail(EXIT_USAGE, &err);
    }
    w->config.trust = w->trust;
    w->config.resolver = resolver_new(w->loop, NULL, w->options->connect_us, &err);
    if (w->config.resolver == NULL) {
        return fail(EXIT_ENVIRONMENT, &err);
    }
    if (w->options->resolver != NULL) {
        w->config.other_resolver =
            resolver_new(w->loop, w->options->resolver, w->options->connect_us, &err);
        if (w->config.other_resolver == NULL) {
            resolver_free(w->config.resolver);
            return fail(EXIT_USAGE, &err);
        }
    }
    ech_find(w);
    record_start(w);
    if (talks(w)) {
        probe_table_head(&w->page);
        page_flush(w);
    }
    loop_run(w);
    resolver_free(w->config.other_resolver);
    resolver_free(w->config.resolver);
    return conclude(w);
}

int probe_run(const struct probe_options *options) {
    struct probe_work w = {.options = options, .page = options->page};
    signal(SIGPIPE, SIG_IGN);
    buf_init(&w.ech, ECH_CONFIG_LIST_MAX);
    hello_draft_init(&w.asked);
    hello_draft_init(&w.client);
    hello_draft_init(&w.failing);
    names_set(&w);
    w.keys = hello_keys_new(NULL, NULL);
    w.record = record_new();
    w.loop = ev_loop_new(EVFLAG_AUTO);
    CHECK(w.loop != NULL);
    int status = like_read(&w);
    if (status == 0) {
        hello_make(&w);
        config_set(&w);
        status = given_read(&w);
    }
    if (status == 0) {
        status = options->plan ? print_plan(&w) : probe_and_print(&w);
    }
    ev_loop_destroy(w.loop);
    parent_tls_free(w.parent_tls);
    trust_free(w.trust);
    client_cert_free(w.shown);
    buf_cleanup(&w.ech);
    record_free(w.record);
    hello_keys_free(w.keys);
    hello_draft_cleanup(&w.asked);
    hello_draft_cleanup(&w.client);
    hello_draft_cleanup(&w.failing);
    return status;
}
