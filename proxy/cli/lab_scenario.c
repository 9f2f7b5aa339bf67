#include "proxy/cli/lab_scenario.h"

#include <string.h>

#include "logs/base/check.h"

const struct lab_scenario lab_scenarios[] = {
#include "proxy/cli/lab_scenarios.inc"
};

const size_t lab_num_scenarios = ARRAY_LEN(lab_scenarios);

const struct lab_scenario *lab_scenario_find(const char *name) {
    for (size_t i = 0; i < lab_num_scenarios; i++) {
        if (strcmp(lab_scenarios[i].name, name) == 0) {
            return &lab_scenarios[i];
        }
    }
    return NULL;
}
