#include "proxy/cli/export_case.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "logs/base/file.h"
#include "logs/pcap/record_capture.h"
#include "logs/record/json.h"
#include "policy/learn/learn.h"
#include "policy/profiles/profile.h"
#include "policy/redact/redact.h"
#include "policy/verdict/verdict.h"
#include "proxy/cli/explain_page.h"
#include "proxy/cli/lab_case.h"

enum { FILE_TEXT_MAX = 64 * 1024 * 1024, PATH_TEXT_MAX = 4096, PAGE_WIDTH = 80 };

// struct kit is a folder being written, under another name until it is whole.
struct kit {
    char dir[PATH_TEXT_MAX];
    struct record **records; // as they are written
    size_t num;
    bool plain, profile, behind, differs;
    size_t num_played; // of the records: what run.sh can do
    const struct redact_counts *counts;
    char profile_why[512];
};

static const char *const files[] = {"records.ndjson", "capture.pcapng", "policy.json",
                                    "profile.json",   "behind.json",    "hello.bin",
                                    "run.sh",         "README.md"};

static bool path_make(char out[PATH_TEXT_MAX], const struct kit *kit, const char *name) {
    int len = snprintf(out, PATH_TEXT_MAX, "%s/%s", kit->dir, name);
    return len > 0 && len < PATH_TEXT_MAX;
}

static void kit_remove(const struct kit *kit) {
    char path[PATH_TEXT_MAX];
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        if (path_make(path, kit, files[i])) {
            (void)unlink(path);
        }
    }
    (void)rmdir(kit->dir);
}

static bool file_put(const struct kit *kit, const char *name, mode_t mode, struct buf *text,
                     struct err *err) {
    char path[PATH_TEXT_MAX];
    bool ok = path_make(path, kit, name) ? file_replace(path, mode, buf_data(text), text->len, err)
                                         : err_set(err, "the path of %s is too long", name);
    buf_cleanup(text);
    return ok;
}

// ---- the records

static bool same(const struct obj *a, const struct obj *b, enum field field) {
    const char *x = obj_str(a, field), *y = obj_str(b, field);
    return x == y || (x != NULL && y != NULL && strcmp(x, y) == 0);
}

// verdict_holds returns whether what is written leads to the verdict that it bears.
static bool verdict_holds(const struct obj *root) {
    struct record *again = record_new();
    obj_copy(again->root, root);
    verdict_decide(again->root);
    const struct obj *was = obj_get(root, F_RECORD_VERDICT);
    const struct obj *is = obj_get(again->root, F_RECORD_VERDICT);
    bool holds = same(was, is, F_VERDICT_PARTY) && same(was, is, F_VERDICT_CAUSE);
    record_free(again);
    return holds;
}

static void records_make(struct kit *kit, struct redact *redact, const struct obj *const *roots) {
    for (size_t i = 0; i < kit->num && !kit->plain; i++) {
        redact_learn(redact, roots[i]);
    }
    for (size_t i = 0; i < kit->num; i++) {
        if (kit->plain) {
            kit->records[i] = record_new();
            obj_copy(kit->records[i]->root, roots[i]);
        } else {
            kit->records[i] = redact_record(redact, roots[i]);
        }
        kit->differs = kit->differs || !verdict_holds(kit->records[i]->root);
    }
    kit->counts = redact_counts(redact);
}

static bool records_put(const struct kit *kit, struct err *err) {
    struct buf text;
    bool ok = true;
    buf_init(&text, FILE_TEXT_MAX);
    for (size_t i = 0; i < kit->num; i++) {
        ok = ok && json_write(&text, kit->records[i]->root) && buf_append(&text, "\n", 1);
    }
    if (!ok) {
        buf_cleanup(&text);
        return err_set(err, "the records are too long");
    }
    return file_put(kit, "records.ndjson", 0600, &text, err);
}

static bool capture_put(const struct kit *kit, struct err *err) {
    char path[PATH_TEXT_MAX];
    FILE *file = path_make(path, kit, "capture.pcapng") ? fopen(path, "wxe") : NULL;
    if (file == NULL) {
        return err_errno(err, "cannot write %s/capture.pcapng", kit->dir);
    }
    CHECK(fchmod(fileno(file), 0600) == 0);
    struct capture_writer *writer = capture_writer_new(file);
    for (size_t i = 0; i < kit->num; i++) {
        size_t bare = 0;
        (void)record_capture_write(writer, &bare, kit->records[i]->root);
    }
    bool ok = capture_writer_free(writer, err);
    bool closed = fclose(file) == 0;
    return ok && (closed || err_errno(err, "cannot write %s", path));
}

static bool hello_put(const struct kit *kit, struct err *err) {
    struct span raw = {NULL, 0};
    struct buf bytes;
    for (size_t i = 0; i < kit->num && raw.p == NULL; i++) {
        raw = obj_span(record_leg(kit->records[i]->root, false), F_LEG_OFFER_RAW);
    }
    buf_init(&bytes, FILE_TEXT_MAX);
    return raw.p == NULL ||
           (buf_append(&bytes, raw.p, raw.len) && file_put(kit, "hello.bin", 0600, &bytes, err));
}

// ---- policy and profile

// policy_put writes what policy said of the first record; hosts of experiments are left alone.
static bool policy_put(const struct kit *kit, struct err *err) {
    const struct obj *root = kit->records[0]->root;
    const char *action = obj_str(root, F_RECORD_POLICY_ACTION);
    const char *failure = obj_str(root, F_RECORD_POLICY_ON_FAILURE);
    struct buf text;
    buf_init(&text, FILE_TEXT_MAX);
    buf_printf(&text, "{\n    \"default\": {\n        \"action\": \"%s\",\n",
               (action != NULL && strcmp(action, "tunnel") == 0) ||
                       obj_str_is(root, F_RECORD_MODE, "import")
                   ? "tunnel"
                   : "intercept");
    if (failure != NULL) {
        buf_printf(&text, "        \"on_server_failure\": \"%s\",\n", failure);
    }
    if (obj_is(root, F_RECORD_POLICY_VERIFY, 0)) {
        buf_printf(&text, "        \"server_leg\": {\"verify\": false},\n");
    }
    buf_printf(&text, "        \"experiments\": false\n    }\n}\n");
    return file_put(kit, "policy.json", 0600, &text, err);
}

// profile_put writes the profile of the box that the recording proxy was.
static bool profile_put(struct kit *kit, struct err *err) {
    const char *name = obj_str(kit->records[0]->root, F_RECORD_EMULATION_PROFILE);
    struct buf text;
    if (name == NULL) {
        return true;
    }
    struct err why;
    struct profile *profile = profile_load(name, &why);
    if (profile == NULL) {
        snprintf(kit->profile_why, sizeof(kit->profile_why),
                 "The proxy was the box of a profile of its user's own, \"%s\", which is not in "
                 "the record: put it here as `profile.json`.\n",
                 name);
        return true;
    }
    buf_init(&text, FILE_TEXT_MAX);
    bool ok = profile_print(&text, profile);
    profile_unref(profile);
    kit->profile = ok;
    return ok ? file_put(kit, "profile.json", 0600, &text, err)
              : err_set(err, "the profile is too long");
}

// sighting_add adds what the proxy saw of a box behind it: what that shows its clients.
static void sighting_add(struct learn *learn, const struct obj *root) {
    const struct obj *leg = record_leg(root, true);
    const char *name = obj_str(leg, F_LEG_SERVER_NAME);
    int64_t ms = 0;
    (void)obj_int(root, F_RECORD_TIMESTAMP, &ms);
    struct learn_sighting sighting = {.id = obj_str(root, F_RECORD_ID),
                                      .host = name != NULL ? name : obj_str(root, F_RECORD_HOST),
                                      .time = ms / 1000,
                                      .front = leg};
    (void)!learn_add(learn, &sighting);
}

// behind_learned appends the profile that the certificates of a box behind the proxy tell.
static bool behind_learned(const struct kit *kit, struct buf *out, struct err *err) {
    struct learn *learn = learn_new("behind");
    for (size_t i = 0; i < kit->num; i++) {
        const char *how = lab_case_behind(kit->records[i]->root);
        if (how != NULL && how[0] == '\0') {
            sighting_add(learn, kit->records[i]->root);
        }
    }
    bool ok = learn_print(learn, out, err);
    learn_free(learn);
    return ok;
}

// behind_put writes the box behind the proxy, where the records show one: it is one box.
static bool behind_put(struct kit *kit, struct err *err) {
    const char *how = NULL;
    struct buf text;
    for (size_t i = 0; i < kit->num && how == NULL; i++) {
        how = lab_case_behind(kit->records[i]->root);
    }
    if (how == NULL) {
        return true;
    }
    buf_init(&text, FILE_TEXT_MAX);
    bool ok;
    if (how[0] == '\0') {
        ok = behind_learned(kit, &text, err);
    } else {
        struct profile *profile = profile_load(how, err);
        ok = profile != NULL && profile_print(&text, profile);
        profile_unref(profile);
    }
    kit->behind = ok;
    if (!ok) {
        buf_cleanup(&text);
        return false;
    }
    return file_put(kit, "behind.json", 0600, &text, err);
}

// ---- for people

static bool run_put(const struct kit *kit, struct err *err) {
    struct buf text;
    buf_init(&text, FILE_TEXT_MAX);
    buf_printf(
        &text,
        "#!/bin/sh\n"
        "# Plays the case on the loopback interface: a server with what was wrong with the\n"
        "# recorded one, a proxy%s, and a client that sends the recorded hello and does what\n"
        "# the recorded client did. Prints the verdict that is expected and the one that\n"
        "# came. Exit status: 0 when they are the same; 1 when not; 2 when the case cannot\n"
        "# be played; 3 when the environment failed.\n"
        "exec \"${TLSBLAME:-tlsblame}\" lab --case \"$(dirname -- \"$0\")\" \"$@\"\n",
        kit->profile ? " that is the box of profile.json" : "");
    return file_put(kit, "run.sh", 0700, &text, err);
}

static void verdict_tell(struct buf *out, const struct obj *root) {
    struct buf text;
    buf_init(&text, FILE_TEXT_MAX);
    struct page page = {.out = &text, .width = PAGE_WIDTH};
    explain_record_page(&page, root);
    buf_printf(out, "```\n");
    (void)!buf_append(out, buf_data(&text), text.len);
    buf_printf(out, "```\n\n");
    buf_cleanup(&text);
}

// playing_tell says whether run.sh can play each record, and if not, why.
static void playing_tell(struct buf *out, struct kit *kit) {
    for (size_t i = 0; i < kit->num; i++) {
        const struct obj *root = kit->records[i]->root;
        struct lab_case played;
        struct err why;
        const struct lab_case_files present = {kit->profile ? "profile.json" : NULL,
                                               kit->behind ? "behind.json" : NULL};
        bool ok = lab_case_init(&played, root, &present, &why);
        lab_case_cleanup(&played);
        kit->num_played += ok;
        buf_printf(out, "- %s: %s%s%s.\n", obj_str(root, F_RECORD_ID),
                   ok ? "`run.sh` plays it" : "cannot be played, and `run.sh` says so: ",
                   ok ? "" : why.msg,
                   ok && played.scenario.client.hello == NULL &&
                           played.scenario.client.agent != NULL
                       ? ", with a client of its own in place of the recorded hello, which leads "
                         "no further than ServerHelloDone in TLS 1.2"
                       : "");
    }
}

static const char how[] =
    "\n## How to run it\n\n"
    "    PATH=/where/tlsblame/is:$PATH ./run.sh\n\n"
    "It needs the program alone, no network and no root, and leaves nothing behind. The server is\n"
    "one of `tlsblame lab`, with a certificate of its own that has the recorded defect, under the\n"
    "name `site.localhost`; the client sends the recorded hello with that name and keys of its\n"
    "own. Experiments are not made again. To look closer:\n\n"
    "    tlsblame show --log records.ndjson\n"
    "    tlsblame explain --log records.ndjson\n";

static bool readme_put(struct kit *kit, struct err *err) {
    struct buf text;
    buf_init(&text, FILE_TEXT_MAX);
    buf_printf(&text, "# A TLS handshake that failed, and who broke it\n\n"
                      "Recorded and judged by tlsblame, for a bug report.\n\n## The verdict\n\n");
    for (size_t i = 0; i < kit->num; i++) {
        verdict_tell(&text, kit->records[i]->root);
    }
    buf_printf(&text,
               "## What is here\n\n"
               "- `records.ndjson`: all that was observed, one connection a line\n"
               "- `capture.pcapng`: the same for Wireshark\n"
               "- `policy.json`: what the proxy was told to do\n%s"
               "- `hello.bin`: the client's hello, as it was on the wire\n"
               "%s- `run.sh`: plays the case\n\n%s",
               kit->profile ? "- `profile.json`: the box that the proxy was\n" : "",
               kit->behind
                   ? "- `behind.json`: the box behind the proxy, as far as its certificates "
                     "or what it did tell\n"
                   : "",
               kit->profile_why);
    playing_tell(&text, kit);
    (void)!buf_append(&text, how, sizeof(how) - 1);
    buf_printf(&text, "\n## What was redacted\n\n");
    if (kit->plain) {
        buf_printf(&text,
                   "Nothing: names, addresses, certificates and secrets are the real ones.\n");
    } else {
        (void)!buf_append(&text, redact_tells, strlen(redact_tells));
        buf_printf(&text,
                   "\nHere these were %zu host names, %zu addresses, %zu User-Agents and %zu "
                   "certificates; the bytes of %zu legs were left out.\n",
                   kit->counts->names, kit->counts->addresses, kit->counts->agents,
                   kit->counts->certificates, kit->counts->wires);
    }
    if (kit->differs) {
        buf_printf(&text, "\nThe verdict above was made when the connection ended. Made from these "
                          "files alone it is another one: something that it rests on is gone.\n");
    }
    return file_put(kit, "README.md", 0600, &text, err);
}

// ---- the folder

// dir_is_free returns whether a folder can take the place of `dir`.
static bool dir_is_free(const char *dir, struct err *err) {
    DIR *open = opendir(dir);
    const struct dirent *entry = NULL;
    if (open == NULL) {
        return errno == ENOENT || err_errno(err, "cannot write %s", dir);
    }
    do {
        entry = readdir(open);
    } while (entry != NULL &&
             (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0));
    closedir(open);
    return entry == NULL || err_set(err, "%s is there already, and not empty", dir);
}

static bool kit_write(struct kit *kit, struct err *err) {
    return records_put(kit, err) && capture_put(kit, err) && policy_put(kit, err) &&
           profile_put(kit, err) && behind_put(kit, err) && hello_put(kit, err) &&
           run_put(kit, err) && readme_put(kit, err);
}

bool export_case_write(const char *dir, size_t *out_played, const struct obj *const *roots,
                       size_t num, bool plain, struct err *err) {
    struct kit kit = {.num = num, .plain = plain};
    uint8_t seed[REDACT_SEED_LEN];
    CHECK(num != 0 && getrandom(seed, sizeof(seed), 0) == sizeof(seed));
    size_t dir_len = strlen(dir);
    while (dir_len > 1 && dir[dir_len - 1] == '/') {
        dir_len--;
    }
    int len = snprintf(kit.dir, sizeof(kit.dir), "%.*s.XXXXXX", (int)dir_len, dir);
    if (!dir_is_free(dir, err)) {
        return false;
    }
    if (len < 0 || (size_t)len >= sizeof(kit.dir) || mkdtemp(kit.dir) == NULL) {
        return err_errno(err, "cannot make the folder %s", dir);
    }
    struct redact *redact = redact_new(seed);
    kit.records = xcalloc(num, sizeof(*kit.records));
    records_make(&kit, redact, roots);
    bool ok = kit_write(&kit, err) &&
              (rename(kit.dir, dir) == 0 || err_errno(err, "cannot make the folder %s", dir));
    if (!ok) {
        kit_remove(&kit);
    }
    *out_played = kit.num_played;
    for (size_t i = 0; i < num; i++) {
        record_free(kit.records[i]);
    }
    free(kit.records);
    redact_free(redact);
    return ok;
}
