// The half of a playbook that compares: `<<` and `==`.
#ifndef TESTS_UNIT_PROXY_SESSION_PLAYBOOK_EXPECT_H_
#define TESTS_UNIT_PROXY_SESSION_PLAYBOOK_EXPECT_H_

#include "tests/unit/proxy/session/playbook_driver.h"

// unescape turns `|` and `\xHH` into bytes and returns how many; `out` has room for twice the text.
size_t unescape(uint8_t *out, const char *text);

// pattern_at is byte `i` of the pattern of `fills`.
uint8_t pattern_at(uint64_t i);

// expect_side and expect_session hold the play against one line of a script; a session's returns
// false for a word that it does not know. expect_field compares a field of the current record.
void expect_side(struct play *play, enum side side, const char *verb, const char *arg);
bool expect_session(struct play *play, const char *word, const char *arg);
void expect_field(struct play *play, const char *path, const char *arg);

#endif // TESTS_UNIT_PROXY_SESSION_PLAYBOOK_EXPECT_H_
