#include "logs/record/schema.h"

#include <string.h>

#include "logs/record/json.h"
#include "logs/record/record.h"

// By enum field_type: what JSON Schema says of one, and what people are told.
static const struct {
    const char *json, *words;
    bool list;
} types[] = {
    // clang-format off
    [TYPE_STR]        = {"\"type\": \"string\"",                               "string",            false},
    [TYPE_INT]        = {"\"type\": \"integer\"",                              "integer",           false},
    [TYPE_MS]         = {"\"type\": \"number\"",                               "number, ms",        false},
    [TYPE_BOOL]       = {"\"type\": \"boolean\"",                              "boolean",           false},
    [TYPE_TIME]       = {"\"type\": \"string\", \"format\": \"date-time\"",    "time, ms",          false},
    [TYPE_DATE]       = {"\"type\": \"string\", \"format\": \"date-time\"",    "time, s",           false},
    [TYPE_CODE]       = {"\"type\": \"string\"",                               "code point",        false},
    [TYPE_CODES]      = {"\"type\": \"string\"",                               "code points",       true},
    [TYPE_STRS]       = {"\"type\": \"string\"",                               "strings",           true},
    [TYPE_BYTES]      = {"\"type\": \"string\", \"contentEncoding\": \"base64\"", "base64",         false},
    [TYPE_BYTES_LIST] = {"\"type\": \"string\", \"contentEncoding\": \"base64\"", "list of base64", true},
    [TYPE_OBJ]        = {NULL, NULL, false},
    [TYPE_OBJS]       = {NULL, NULL, true},
    // clang-format on
};

// By enum registry.
static const char *const registries[REGISTRY_COUNT] = {
    // clang-format off
    [REGISTRY_VERSION]                 = "version",
    [REGISTRY_CIPHER]                  = "cipher suite",
    [REGISTRY_GROUP]                   = "supported group",
    [REGISTRY_SIGNATURE_SCHEME]        = "signature scheme",
    [REGISTRY_EXTENSION]               = "extension",
    [REGISTRY_CERT_COMPRESSION]        = "certificate compression algorithm",
    [REGISTRY_COMPRESSION_METHOD]      = "compression method",
    [REGISTRY_POINT_FORMAT]            = "point format",
    [REGISTRY_PSK_MODE]                = "PSK key exchange mode",
    [REGISTRY_CLIENT_CERTIFICATE_TYPE] = "client certificate type",
    // clang-format on
};

static bool put(struct buf *out, const char *s) { return buf_append(out, s, strlen(s)); }

static bool put_indent(struct buf *out, size_t depth) {
    bool ok = put(out, "\n");
    for (; ok && depth > 0; depth--) {
        ok = put(out, "  ");
    }
    return ok;
}

// put_kind writes the name of `kind` as a key: "key_share".
static bool put_kind(struct buf *out, enum kind kind) {
    bool ok = true;
    for (const char *c = kind_row(kind)->name; ok && *c != '\0'; c++) {
        ok = buf_append(out, *c == ' ' || *c == '-' ? "_" : c, 1);
    }
    return ok;
}

static bool put_string(struct buf *out, const char *s) {
    return json_write_string(out, s, strlen(s));
}

static bool write_type(struct buf *out, const struct field_row *row) {
    if (types[row->type].json != NULL) {
        return put(out, types[row->type].json);
    }
    return put(out, "\"$ref\": \"#/$defs/") && put_kind(out, row->extra) && put(out, "\"");
}

// write_property writes what the key of `row` holds, after the key.
static bool write_property(struct buf *out, const struct field_row *row) {
    bool list = types[row->type].list;
    return put(out, "{\"description\": ") && put_string(out, row->doc) &&
           put(out, list ? ", \"type\": \"array\", \"items\": {" : ", ") && write_type(out, row) &&
           put(out, list ? "}}" : "}");
}

static size_t shared_dots(const char *a, const char *b) {
    size_t dots = 0;
    for (; *a != '\0' && *a == *b; a++, b++) {
        dots += *a == '.';
    }
    return dots;
}

static size_t num_dots(const char *s) {
    size_t dots = 0;
    for (; *s != '\0'; s++) {
        dots += *s == '.';
    }
    return dots;
}

// write_field writes the property of `row`: it leaves the objects that `last`, the path before it,
// was in and enters its own.
static bool write_field(struct buf *out, const char *last, const struct field_row *row) {
    size_t shared = shared_dots(last, row->path), depth = 4 + num_dots(last);
    bool ok = true;
    for (size_t close = num_dots(last) - shared; ok && close > 0; close--, depth--) {
        ok = put_indent(out, depth - 1) && put(out, "}}");
    }
    ok = ok && (*last == '\0' || put(out, ","));
    const char *p = row->path;
    for (size_t skip = shared; skip > 0; skip--) {
        p = strchr(p, '.') + 1;
    }
    depth = 4 + shared;
    for (const char *dot; ok && (dot = strchr(p, '.')) != NULL; p = dot + 1, depth++) {
        ok = put_indent(out, depth) && json_write_string(out, p, (size_t)(dot - p)) &&
             put(out, ": {\"type\": \"object\", \"properties\": {");
    }
    return ok && put_indent(out, depth) && put_string(out, p) && put(out, ": ") &&
           write_property(out, row);
}

static bool write_kind(struct buf *out, enum kind kind) {
    const struct kind_row *row = kind_row(kind);
    bool ok = put_indent(out, 2) && put(out, "\"") && put_kind(out, kind) && put(out, "\": {") &&
              put_indent(out, 3) && put(out, "\"description\": ") && put_string(out, row->doc) &&
              put(out, ",") && put_indent(out, 3) && put(out, "\"type\": \"object\",");
    if (kind == KIND_RECORD) {
        ok = ok && put_indent(out, 3) && put(out, "\"required\": [\"schema\", \"id\"],");
    }
    ok = ok && put_indent(out, 3) && put(out, "\"properties\": {");
    const char *last = "";
    for (enum field field = row->first; ok && field < row->end; field++) {
        ok = write_field(out, last, field_row(field));
        last = field_row(field)->path;
    }
    for (size_t close = num_dots(last); ok && close > 0; close--) {
        ok = put_indent(out, 3 + close) && put(out, "}}");
    }
    return ok && put_indent(out, 3) && put(out, "}") && put_indent(out, 2) && put(out, "}");
}

bool schema_write_json(struct buf *out) {
    bool ok = put(out, "{\n"
                       "  \"$schema\": \"https://json-schema.org/draft/2020-12/schema\",\n"
                       "  \"$id\": \"urn:tlsblame:record:" SCHEMA_VERSION "\",\n"
                       "  \"title\": \"A line of tlsblame's log\",\n"
                       "  \"$ref\": \"#/$defs/record\",\n"
                       "  \"$defs\": {");
    for (enum kind kind = 0; ok && kind < KIND_COUNT; kind++) {
        ok = (kind == 0 || put(out, ",")) && write_kind(out, kind);
    }
    return ok && put(out, "\n  }\n}\n");
}

static bool write_row(struct buf *out, const struct field_row *row) {
    bool ok = buf_printf(out, "| `%s` | ", row->path);
    if (row->type == TYPE_OBJ || row->type == TYPE_OBJS) {
        ok = ok && put(out, row->type == TYPE_OBJS ? "list of " : "") &&
             put(out, kind_row(row->extra)->name);
    } else {
        ok = ok && put(out, types[row->type].words);
    }
    if (row->type == TYPE_CODE || row->type == TYPE_CODES) {
        CHECK(registries[row->extra] != NULL);
        ok = ok && buf_printf(out, ": %s", registries[row->extra]);
    }
    return ok &&
           buf_printf(out, " | %s | %s |\n", (row->flags & FLAG_ECS) != 0 ? "ECS" : "", row->doc);
}

bool schema_write_markdown(struct buf *out) {
    bool ok = put(
        out,
        "# The record, schema " SCHEMA_VERSION "\n\n"
        "Generated from `fields.inc`; do not edit. `schema.json` says the same to programs.\n\n"
        "The log holds one JSON object per connection and line. What was not seen is absent, "
        "never\n"
        "`null` and never false. Dots in a path are nested objects: `tls.version` is\n"
        "`{\"tls\": {\"version\": ...}}`. ECS marks what has the name and the meaning of Elastic "
        "Common\n"
        "Schema. A code point is written by its name in IANA's registry, or as `GREASE (0x1a1a)` "
        "or\n"
        "`0x1234 (unknown)`. Times are UTC; durations are milliseconds since the connection was\n"
        "accepted. A connection that outlives 30 seconds is written then, without `end`, and "
        "again\n"
        "when it ends: of several lines with one `id` the last counts.\n\n"
        "Readers ignore keys that they do not know. A minor version only adds fields; a major one\n"
        "may change what is there.\n\n"
        "| version | what changed |\n| --- | --- |\n| 1.0 | the first |\n");
    for (enum kind kind = 0; ok && kind < KIND_COUNT; kind++) {
        const struct kind_row *row = kind_row(kind);
        ok = buf_printf(out,
                        "\n## %s\n\n%s\n\n| path | type | | meaning |\n| --- | --- | --- | --- |\n",
                        row->name, row->doc);
        for (enum field field = row->first; ok && field < row->end; field++) {
            ok = write_row(out, field_row(field));
        }
    }
    return ok;
}
