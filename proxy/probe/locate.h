// Where the box is: what TTL-limited SYNs, hellos and datagrams tell, put together. Pure.
//
//   SYNS --> DOUBT --> BASES --> HOPS --> AGAIN --> BEYOND --> OVER
//     +--> nobody accepts --> OVER
//
// The smallest TTL with which a SYN is accepted is how far away whoever answers for the address is.
// A hello with a smaller TTL never gets there: whatever reacts to it is nearer. A box that drops is
// found by what is missing: routers say of a hello with another name of the same length that its
// TTL ran out, and of the one with the name, from the box on, nothing.
#ifndef PROXY_PROBE_LOCATE_H_
#define PROXY_PROBE_LOCATE_H_

#include "logs/record/obj.h"

enum {
    LOCATE_HOPS_MAX = 30,    // TTLs that are tried
    LOCATE_ROUND_MAX = 64,   // tries of a round
    LOCATE_ROUTER_SIZE = 46, // an address in text
    LOCATE_RUNS = 3,         // of what a finding rests on; two of them have to agree
};

enum locate_what {
    LOCATE_SYN,
    LOCATE_DATAGRAM,
    LOCATE_TARGET,  // the hello that is asked about
    LOCATE_CONTROL, // the same by another name
    LOCATE_WHATS
};

enum locate_fate {
    LOCATE_UNKNOWN,  // there was no connection to say anything on
    LOCATE_EXPIRED,  // a router said that its TTL ran out
    LOCATE_LOST,     // neither answered nor acknowledged
    LOCATE_ACKED,    // a hello: acknowledged, and nothing else
    LOCATE_ACCEPTED, // a SYN; a datagram that reached the host
    LOCATE_ANSWERED, // a hello: with a ServerHello
    LOCATE_ALERT,
    LOCATE_RESET,
    LOCATE_CLOSED,
    LOCATE_NOT_TLS,
    LOCATE_FATES
};

struct locate_try {
    enum locate_what what;
    int ttl; // 0: the system's own
};

struct locate_seen {
    enum locate_fate fate;
    const char *router; // who said so, for LOCATE_EXPIRED; NULL: unknown
    int64_t us;         // from the try on; below 0: unknown
};

struct locate_hop {
    uint8_t seen[LOCATE_WHATS][LOCATE_FATES];
    char router[LOCATE_ROUTER_SIZE];          // "" for none known
    char datagram_router[LOCATE_ROUTER_SIZE]; // likewise, of datagrams
    int64_t us[LOCATE_WHATS];                 // of the first try; below 0: unknown
};

enum locate_phase {
    LOCATE_SYNS,
    LOCATE_DOUBT,
    LOCATE_BASES,
    LOCATE_HOPS,
    LOCATE_AGAIN,
    LOCATE_BEYOND,
    LOCATE_OVER
};

struct locate {
    enum locate_phase phase;
    bool has_control;
    int num_syns;                                // TTLs that SYNs were begun with
    struct locate_hop hops[LOCATE_HOPS_MAX + 3]; // by TTL
};

// What a box was found to do.
enum locate_deed {
    LOCATE_NOTHING,
    LOCATE_REACTS,     // it answers the hello in the server's place
    LOCATE_DROPS,      // hellos with the name go no further
    LOCATE_TERMINATES, // it accepts connections in the server's place, and what is sent on them
};

struct locate_box {
    enum locate_deed deed;
    enum locate_fate fate; // of LOCATE_REACTS, how
    int hop;               // the smallest TTL with which it is met,
    int after;             //   and the largest below with which it is not; 0: it may be the first
    bool by_name;          // the hello by another name is not treated so
};

// locate_init begins; without `has_control` no hello by another name is tried.
void locate_init(struct locate *locate, bool has_control);

// locate_next returns the tries of the next round in `out`, in the order in which they are to be
// made, and how many they are: 0 when it is over. All of the round before must have been told.
size_t locate_next(struct locate *locate, struct locate_try out[LOCATE_ROUND_MAX]);
void locate_tell(struct locate *locate, const struct locate_try *made,
                 const struct locate_seen *seen);

// locate_server is the TTL with which SYNs are first accepted; 0: with none so far.
int locate_server(const struct locate *locate);

// locate_fate is what became of most tries, LOCATE_UNKNOWN without any or a majority.
enum locate_fate locate_fate(const struct locate *locate, enum locate_what what, int ttl);

// locate_box finds the box, where two of three tries agree.
void locate_box(const struct locate *locate, struct locate_box *out);

// locate_fate_name is the word for a fate in records: "expired", "reset", ...
const char *locate_fate_name(enum locate_fate fate);

// locate_tried returns whether both hellos were tried with a TTL.
bool locate_tried(const struct locate *locate, int ttl);

// locate_hop_record writes what became of a TTL to `hop`, of KIND_HOP, and locate_record all
// that is known to `path`, of KIND_PATH.
void locate_hop_record(const struct locate *locate, struct obj *hop, int ttl);
void locate_record(const struct locate *locate, struct obj *path);

// locate_other_name writes a name of the same length, with the same dots and the same last label,
// to `out`, of `name`'s size: letters and digits are others, as `seed` has it.
void locate_other_name(char *out, const char *name, uint64_t seed);

#endif // PROXY_PROBE_LOCATE_H_
