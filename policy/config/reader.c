#include "policy/config/reader.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_SHOWN = 120 };

// cut_text makes `text` at most `max` bytes long, between two characters of UTF-8, and ends what it
// had to cut in dots.
static void cut_text(char *text, size_t max) {
    if (strlen(text) <= max) {
        return;
    }
    size_t len = max - strlen("...");
    while (len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80) {
        len--;
    }
    strcpy(text + len, "...");
}

static size_t enter(struct reader *reader, const char *step) {
    size_t before = reader->path_len;
    int n = snprintf(reader->path + before, sizeof(reader->path) - before, "%s", step);
    CHECK(n >= 0 && (size_t)n < sizeof(reader->path) - before);
    reader->path_len = before + (size_t)n;
    return before;
}

size_t reader_enter_key(struct reader *reader, const char *key) {
    char step[READER_SHOW_MAX + 2];
    bool plain = key[0] != '\0' && strlen(key) < READER_SHOW_MAX / 2;
    for (const char *p = key; *p != '\0'; p++) {
        plain = plain && ((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || *p == '_' ||
                          (*p >= '0' && *p <= '9'));
    }
    if (plain) {
        snprintf(step, sizeof(step), "%s%s", reader->path_len == 0 ? "" : ".", key);
    } else {
        char shown[READER_SHOW_MAX];
        json_t *string = json_string(key);
        CHECK(string != NULL);
        reader_show(shown, string);
        json_decref(string);
        snprintf(step, sizeof(step), "[%s]", shown);
    }
    return enter(reader, step);
}

size_t reader_enter_item(struct reader *reader, size_t i) {
    char step[32];
    snprintf(step, sizeof(step), "[%zu]", i);
    return enter(reader, step);
}

void reader_leave(struct reader *reader, size_t path_len) {
    CHECK(path_len <= reader->path_len);
    reader->path_len = path_len;
    reader->path[path_len] = '\0';
}

bool reader_refuse(struct reader *reader, const char *fmt, ...) {
    char sentence[sizeof(((struct err *)NULL)->msg)];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(sentence, sizeof(sentence), fmt, ap);
    va_end(ap);
    size_t len = strlen(reader->name);
    const char *tail = len > NAME_SHOWN ? reader->name + len - NAME_SHOWN : reader->name;
    return err_set(reader->err, "%s%s: %s%s%s", tail == reader->name ? "" : "...", tail,
                   reader->path, reader->path_len == 0 ? "" : ": ", sentence);
}

void reader_show(char out[READER_SHOW_MAX], const json_t *value) {
    if (json_is_object(value)) {
        snprintf(out, READER_SHOW_MAX, "an object");
        return;
    }
    if (json_is_array(value)) {
        snprintf(out, READER_SHOW_MAX, json_array_size(value) == 0 ? "an empty list" : "a list");
        return;
    }
    char *text = json_dumps(value, JSON_ENCODE_ANY);
    CHECK(text != NULL);
    cut_text(text, READER_SHOW_MAX - 1);
    snprintf(out, READER_SHOW_MAX, "%s", text);
    free(text);
}

bool reader_expect_object(struct reader *reader, const json_t *json) {
    if (json_is_object(json)) {
        return true;
    }
    char shown[READER_SHOW_MAX];
    reader_show(shown, json);
    return reader_refuse(reader, "expected an object, found %s", shown);
}

json_t *reader_json(struct reader *reader, const char *text, size_t text_len) {
    json_error_t error;
    json_t *json = json_loadb(text, text_len, JSON_REJECT_DUPLICATES, &error);
    if (json != NULL) {
        return json;
    }
    const char *says = error.text;
    switch (json_error_code(&error)) {
    case json_error_null_character:
    case json_error_null_byte_in_key:
        says = "a string may not hold \\u0000";
        break;
    case json_error_stack_overflow:
        says = "objects and lists are nested too deeply";
        break;
    default:
        break;
    }
    char at[48];
    snprintf(at, sizeof(at), "line %d, column %d", error.line, error.column);
    reader_refuse(reader, "%s: %s", at, says);
    return NULL;
}

char *reader_file(size_t *out_len, const char *path, size_t max, struct err *err) {
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        err_errno(err, "%s", path);
        return NULL;
    }
    // One byte more than allowed, so that the parser sees what is too long.
    char *text = xmalloc(max + 1);
    *out_len = fread(text, 1, max + 1, file);
    if (ferror(file)) {
        err_errno(err, "%s", path);
        free(text);
        text = NULL;
    }
    fclose(file);
    return text;
}
