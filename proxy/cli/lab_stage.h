// Where the lab plays: a folder, the certificates, and for each scenario a proxy, a server, a
// client and perhaps a box of their own, so that none has a part in the history of another.
#ifndef PROXY_CLI_LAB_STAGE_H_
#define PROXY_CLI_LAB_STAGE_H_

#include "logs/base/err.h"
#include "proxy/cli/lab_scenario.h"

struct lab_stage;

// struct lab_seen is what the proxy made of it. Texts are cut, and empty where there was no record.
struct lab_seen {
    char id[64], party[32], cause[64], confidence[16], says[512];
    bool ruled_out; // what the scenario wants to be ruled out was, or it wants nothing
};

// lab_stage_new sets up in the folder `dir`, which exists. lab_stage_free leaves the folder with
// what is in it; NULL does nothing. Both, and lab_stage_play, are for one thread.
WUNRES struct lab_stage *lab_stage_new(const char *dir, struct err *err);
void lab_stage_free(struct lab_stage *stage);

// lab_stage_log is the file that the proxy's records are in.
const char *lab_stage_log(const struct lab_stage *stage);

// lab_stage_play plays `scenario` to its end and tells what was seen. It fails where something
// could not be started. Nothing of it runs afterwards.
WUNRES bool lab_stage_play(struct lab_stage *stage, const struct lab_scenario *scenario,
                           struct lab_seen *out, struct err *err);

// lab_seen_right returns whether that is what the scenario expects.
bool lab_seen_right(const struct lab_seen *seen, const struct lab_scenario *scenario);

#endif // PROXY_CLI_LAB_STAGE_H_
