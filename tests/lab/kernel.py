"""What the kernel's filter (nft) is told to look for, and what the kernel says of its clock."""

import ctypes

TCP_HEADER = 32  # with timestamps, as it sends them
HELLO_HEADERS = 5 + 43  # record, message, version, random


def text_at(text, ends=1200):
    """The text, wherever in the first `ends` bytes of a hello: nft compares at fixed places."""
    value = text.encode()[:8]
    return [f"@th,{(TCP_HEADER + at) * 8},{len(value) * 8} 0x{value.hex()}"
            for at in range(HELLO_HEADERS, ends)]


def clock_kept():
    """Whether a time service keeps the clock: adjtimex(2) without STA_UNSYNC."""
    timex = (ctypes.c_long * 64)()
    ctypes.CDLL(None).adjtimex(timex)
    return timex[5] & 0x40 == 0
