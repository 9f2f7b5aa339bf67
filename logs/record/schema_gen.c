// Writes schema.json and schema.md into the folder that it is given.
#include <stdio.h>
#include <stdlib.h>

#include "logs/record/schema.h"

enum { DOCUMENT_MAX = 4 * 1024 * 1024 };

static bool document_write(const char *folder, const char *name, bool (*make)(struct buf *out)) {
    struct buf out;
    char *path = NULL;
    buf_init(&out, DOCUMENT_MAX);
    CHECK(make(&out) && asprintf(&path, "%s/%s", folder, name) >= 0);
    FILE *f = fopen(path, "w");
    bool ok = f != NULL && fwrite(buf_data(&out), 1, out.len, f) == out.len;
    ok = f != NULL && fclose(f) == 0 && ok;
    if (!ok) {
        perror(path);
    }
    free(path);
    buf_cleanup(&out);
    return ok;
}

int main(int argc, char **argv) {
    if (argc != 2) {
        fprintf(stderr, "usage: schema_gen FOLDER\n");
        return 2;
    }
    return document_write(argv[1], "schema.json", schema_write_json) &&
                   document_write(argv[1], "schema.md", schema_write_markdown)
               ? 0
               : 3;
}
