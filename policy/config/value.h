// The values of a policy file: what JSON is accepted for a key, what it becomes in a rule, and
// back.
#ifndef POLICY_CONFIG_VALUE_H_
#define POLICY_CONFIG_VALUE_H_

#include <jansson.h>

#include "logs/base/buf.h"
#include "policy/config/key.h"
#include "policy/config/reader.h"

enum { VALUE_EXPECTED_MAX = 128 };

// value_read puts `json` where `key`, whose value is no object, has it in `rule`. Lists and strings
// go to the reader's arena. It returns false and fills the reader's error when the value is bad.
WUNRES bool value_read(struct reader *reader, struct policy_rule *rule, const struct key *key,
                       const json_t *json);

// value_json returns the value of `key` in `rule` in its canonical form; the caller decrefs it.
WUNRES json_t *value_json(const struct policy_rule *rule, const struct key *key);

// value_expected writes what `key` takes, for "expected ...".
void value_expected(char out[VALUE_EXPECTED_MAX], const struct key *key);

#endif // POLICY_CONFIG_VALUE_H_
