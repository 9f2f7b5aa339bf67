// What a lane keeps of its wire for the record: the handshake's bytes, both ways, up to where
// application data begins, and the secrets that open them.
#ifndef PROXY_SESSION_WIRE_LOG_H_
#define PROXY_SESSION_WIRE_LOG_H_

#include "logs/base/buf.h"
#include "logs/record/obj.h"
#include "policy/config/policy.h"

enum wire_direction { WIRE_FROM_PEER, WIRE_TO_PEER };

enum {
    WIRE_LOG_MAX = 64 * 1024,        // bytes kept, both ways
    WIRE_LOG_DATA_MAX = 1024 * 1024, // likewise, with application data
    WIRE_LOG_PIECES = 1024,
};

struct wire_piece {
    int64_t us;
    uint32_t len;
    enum wire_direction direction;
};

// struct wire_log belongs to its lane. Each direction is a stream: its bytes are counted from the
// first that was told, and those at its front are sure to be no application data.
struct wire_log {
    bool on, data_too;
    bool data[2];        // application data has begun
    uint64_t total[2];   // bytes told
    uint64_t sure[2];    // of them no application data
    uint64_t written[2]; // of them in the record
    struct buf bytes[2]; // kept and not yet in the record
    struct wire_piece *pieces;
    size_t num_pieces, cap_pieces;
    struct buf secrets; // lines of an NSS key log
};

// wire_log_init makes a log that keeps nothing; wire_log_begin begins to keep, as far as `policy`
// says, and forgets what was kept before. wire_log_cleanup frees all and keeps nothing more.
void wire_log_init(struct wire_log *log);
void wire_log_begin(struct wire_log *log);
void wire_log_cleanup(struct wire_log *log);

// wire_log_policy takes over what policy wants to be kept, once that is decided.
void wire_log_policy(struct wire_log *log, const struct record_policy *policy);

// wire_log_bytes takes bytes of one direction, at `us`.
void wire_log_bytes(struct wire_log *log, enum wire_direction direction, const void *p,
                    size_t p_len, int64_t us);

// wire_log_undo takes the last `len` bytes of a direction back: others go in their place. What the
// record has already stays.
void wire_log_undo(struct wire_log *log, enum wire_direction direction, size_t len);

// wire_log_pass counts bytes of one direction that nobody has seen; wire_log_wants returns whether
// application data would still be kept, so that it has to be seen.
void wire_log_pass(struct wire_log *log, enum wire_direction direction, uint64_t len);
bool wire_log_wants(const struct wire_log *log);

// wire_log_sure says that the first `len` bytes of a direction are no application data.
void wire_log_sure(struct wire_log *log, enum wire_direction direction, uint64_t len);

// wire_log_data says that application data follows what is sure. Unless policy wants it, nothing
// behind that is kept.
void wire_log_data(struct wire_log *log, enum wire_direction direction);

// wire_log_secret takes a line of an NSS key log, if `policy` can want it.
void wire_log_secret(struct wire_log *log, const struct record_policy *policy, const char *line);

// struct wire_log_leg is the leg of the record that a log is written to.
struct wire_log_leg {
    struct obj *leg;
    const struct record_policy *policy;
    bool server_leg;
    int64_t start_us; // times of the record count from here
};

// wire_log_settle adds to the leg of an established handshake what is kept, where all of it is
// sure: it takes less memory there. Once data has begun both ways the secrets that open it are
// forgotten, unless policy wants them.
void wire_log_settle(struct wire_log *log, const struct wire_log_leg *to);

// wire_log_write adds to the leg what is kept and not yet there, and its secrets. Before the
// `final` time these are only those that can open no application data, whatever follows.
void wire_log_write(struct wire_log *log, const struct wire_log_leg *to, bool final);

#endif // PROXY_SESSION_WIRE_LOG_H_
