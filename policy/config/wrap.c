#include "policy/config/wrap.h"

#include <string.h>

enum { WIDTH = 80 };

bool wrap_text(struct buf *out, int indent, const char *label, const char *text) {
    bool ok = buf_printf(out, "%-*s", indent, label);
    size_t column = (size_t)indent;
    while (ok && *text != '\0') {
        size_t word_len = strcspn(text, " ");
        if (column > (size_t)indent && column + 1 + word_len > WIDTH) {
            ok = buf_printf(out, "\n%*s", indent, "");
            column = (size_t)indent;
        } else if (column > (size_t)indent) {
            ok = buf_printf(out, " ");
            column++;
        }
        ok = ok && buf_append(out, text, word_len);
        column += word_len;
        text += word_len + strspn(text + word_len, " ");
    }
    return ok && buf_printf(out, "\n");
}
