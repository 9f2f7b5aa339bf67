// Lists of code points as JSON, remembered: "[\"TLS_AES_128_GCM_SHA256\",...]".
#ifndef LOGS_RECORD_CODE_TEXT_H_
#define LOGS_RECORD_CODE_TEXT_H_

#include "logs/record/obj.h"

// code_text_find returns the text of a list that code_text_keep was given, or `{NULL, 0}`. It
// belongs to the thread and lives until its next code_text_keep.
struct span code_text_find(enum registry registry, const uint16_t *codes, size_t num);

// code_text_keep copies the text of a list. A list of more than 64 codes, and one of so few that it
// is as soon written as found, is not kept; what is kept may have to make room.
void code_text_keep(enum registry registry, const uint16_t *codes, size_t num, struct span text);

#endif // LOGS_RECORD_CODE_TEXT_H_
