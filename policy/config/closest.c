#include "policy/config/closest.h"

#include <ctype.h>
#include <string.h>

enum { MAX_LEN = 32 };

static size_t min(size_t a, size_t b) { return a < b ? a : b; }

// edits_between is the optimal string alignment distance. Three rows of its matrix are kept.
static size_t edits_between(const char *a, size_t a_len, const char *b, size_t b_len) {
    size_t rows[3][MAX_LEN + 1] = {0};
    for (size_t j = 0; j <= b_len; j++) {
        rows[0][j] = j;
    }
    for (size_t i = 1; i <= a_len; i++) {
        size_t *row = rows[i % 3];
        const size_t *above = rows[(i + 2) % 3], *above2 = rows[(i + 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= b_len; j++) {
            int x = tolower((unsigned char)a[i - 1]), y = tolower((unsigned char)b[j - 1]);
            row[j] = min(min(above[j], row[j - 1]) + 1, above[j - 1] + (x != y));
            if (i > 1 && j > 1 && x == tolower((unsigned char)b[j - 2]) &&
                y == tolower((unsigned char)a[i - 2])) {
                row[j] = min(row[j], above2[j - 2] + 1);
            }
        }
    }
    return rows[a_len % 3][b_len];
}

void closest_offer(struct closest *closest, const char *name) {
    size_t word_len = strlen(closest->word), name_len = strlen(name);
    if (word_len > MAX_LEN || name_len > MAX_LEN) {
        return;
    }
    size_t edits = edits_between(closest->word, word_len, name, name_len);
    if (edits <= name_len / 3 && (closest->name == NULL || edits < closest->edits)) {
        closest->name = name;
        closest->edits = edits;
    }
}
