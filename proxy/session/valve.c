#include "proxy/session/valve.h"

void valve_init(struct valve *valve) { *valve = (struct valve){.left = UINT64_MAX}; }

void valve_cut(struct valve *valve, uint32_t piece, int64_t delay_us) {
    valve->piece = valve->piece_left = piece;
    valve->delay_us = delay_us;
}

size_t valve_room(const struct valve *valve, size_t waiting, int64_t now_us) {
    if (now_us < valve->open_us) {
        return 0;
    }
    uint64_t room = valve->left < waiting ? valve->left : waiting;
    return valve->piece != 0 && valve->piece_left < room ? valve->piece_left : (size_t)room;
}

void valve_passed(struct valve *valve, size_t len, int64_t now_us) {
    if (valve->left != UINT64_MAX) {
        valve->left -= len;
    }
    if (valve->piece == 0) {
        return;
    }
    valve->piece_left -= (uint32_t)len;
    if (valve->piece_left == 0) {
        valve->piece_left = valve->piece;
        valve->open_us = now_us + valve->delay_us;
    }
}

bool valve_swallows(const struct valve *valve) { return valve->left == 0; }

void valve_other_spoke(struct valve *valve) {
    if (valve->flight != 0) {
        valve->left = valve->flight;
    }
}

int64_t valve_deadline(const struct valve *valve, size_t waiting, int64_t now_us) {
    return waiting != 0 && now_us < valve->open_us ? valve->open_us : INT64_MAX;
}
