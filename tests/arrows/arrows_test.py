"""The arrows between rooms: who may use which room and which library. ROOMS is the design's table."""

import collections
import functools
import os
import re
import unittest

ANYTHING = object()

# Every room stands on these two and need not name them.
COMMON = {"logs/base", "logs/record"}

# room: (rooms it may use, libraries it may use), both from its own BUILD file.
ROOMS = {
    "logs/base": ([], []),
    "logs/record": ([], []),
    "logs/store": ([], ["jansson"]),
    "logs/view": ([], []),
    "logs/compare": ([], []),
    "logs/pcap": ([], ["pcap"]),
    "policy/config": ([], ["jansson"]),
    "policy/decide": (["policy/config"], []),
    "policy/ca": ([], ["boringssl_crypto"]),
    "policy/profiles": (["policy/ca", "policy/config"], ["jansson"]),
    "policy/learn": (["policy/ca", "policy/config", "policy/profiles"], ["boringssl_crypto", "jansson"]),
    "policy/verdict": ([], []),
    "policy/redact": (["policy/verdict"], ["boringssl_crypto"]),
    "proxy/tls": ([], ["boringssl_crypto", "brotli", "zlib"]),
    "proxy/observe": (["policy/ca", "proxy/tls"], ["boringssl_crypto"]),
    "proxy/session": (
        ["policy/ca", "policy/config", "policy/decide", "policy/profiles", "policy/verdict"]
        + ["proxy/observe", "proxy/tls"],
        ["boringssl_crypto", "boringssl_ssl", "http_parser"],
    ),
    "proxy/net": (["proxy/session"], ["cares", "libev"]),
    "proxy/probe": (
        ["policy/ca", "policy/config", "policy/verdict"]
        + ["proxy/net", "proxy/observe", "proxy/session", "proxy/tls"],
        ["boringssl_crypto", "boringssl_ssl", "http_parser", "libev"],
    ),
    "proxy/cli": (ANYTHING, ANYTHING),
}

# Headers of the libraries lie in /usr/include, where the compiler finds them for everybody.
HEADERS = {
    "CUnit/": "cunit",
    "ares": "cares",
    "brotli/": "brotli",
    "ev.h": "libev",
    "http_parser.h": "http_parser",
    "jansson": "jansson",
    "mimalloc": "mimalloc",
    "pcap": "pcap",
    "third_party/boringssl/boringssl.h": "boringssl_crypto",
    "third_party/boringssl/boringssl_ssl.h": "boringssl_ssl",
    "zconf.h": "zlib",
    "zlib.h": "zlib",
}

FLOORS = ["logs", "policy", "proxy"]

TREE = os.path.dirname(os.path.realpath("WORKSPACE"))


def floor(room):
    return FLOORS.index(room.split("/")[0])


def rooms_in_tree():
    """The folders of the three floors that hold a BUILD file or C code."""
    found = set()
    for name in FLOORS:
        for path, _, files in os.walk(os.path.join(TREE, name)):
            if any(f == "BUILD.bazel" or f.endswith((".c", ".h")) for f in files):
                found.add(os.path.relpath(path, TREE))
    return found


@functools.lru_cache
def graph():
    """What Bazel says: package or library -> those it depends on, itself left out."""
    edges = collections.defaultdict(set)
    with open("tests/arrows/graph", encoding="utf-8") as f:
        text = f.read()
    for node in re.findall(r'^  "(//[^"]+)"$', text, re.M):
        edges[name_of(node)].update()
    for a, b in re.findall(r'"(//[^"]+)" -> "(//[^"]+)"', text):
        if name_of(a) != name_of(b):
            edges[name_of(a)].add(name_of(b))
    return edges


def name_of(label):
    """//logs/base:base -> logs/base, and //third_party:libev -> third_party:libev."""
    return label[2:] if label.startswith("//third_party") else label[2:].split(":")[0]


def reach(start):
    seen, todo = set(), [start]
    while todo:
        for name in graph()[todo.pop()] - seen:
            seen.add(name)
            todo.append(name)
    return seen


def may_use(room, name):
    rooms, libraries = ROOMS[room]
    if rooms is ANYTHING:
        return True
    if name.startswith("third_party:"):
        return name.split(":")[1] in libraries
    return name in rooms or (name in COMMON and (room not in COMMON or name == "logs/base"))


def includes(room):
    """(file, header) for each #include below a room."""
    for path, _, files in os.walk(os.path.join(TREE, room)):
        for f in sorted(files):
            if f.endswith((".c", ".h", ".inc")):
                with open(os.path.join(path, f), encoding="utf-8") as source:
                    for header in re.findall(r'^\s*#\s*include\s*[<"]([^">]+)', source.read(), re.M):
                        yield os.path.relpath(os.path.join(path, f), TREE), header


class Table(unittest.TestCase):
    def test_points_from_proxy_to_policy_to_logs(self):
        for room, (rooms, _) in ROOMS.items():
            for used in [] if rooms is ANYTHING else rooms:
                with self.subTest(room=room):
                    self.assertIn(used, ROOMS)
                    self.assertLessEqual(floor(used), floor(room), f"{room} -> {used} points back")

    def test_knows_every_room_of_the_tree(self):
        self.assertEqual(rooms_in_tree() - ROOMS.keys(), set(), "no row in ROOMS")


class Dependencies(unittest.TestCase):
    def test_every_room_is_in_the_graph(self):
        """Else nothing below would be checked for it."""
        missing = rooms_in_tree() - graph().keys()
        self.assertEqual(missing, set(), "neither the program nor a unit test is built from it")

    def test_rooms_use_what_the_table_allows(self):
        for room in sorted(ROOMS.keys() & graph().keys()):
            for used in sorted(graph()[room]):
                with self.subTest(room=room):
                    self.assertTrue(may_use(room, used), f"{room} may not use {used}")

    def test_no_arrow_points_back(self):
        for room in sorted(ROOMS.keys() & graph().keys()):
            for used in sorted(reach(room)):
                with self.subTest(room=room):
                    self.assertFalse(used.startswith("tests"), f"{room} reaches {used}")
                    if used in ROOMS:
                        self.assertLessEqual(floor(used), floor(room), f"{room} reaches {used}")

    def test_libraries_reach_only_rooms_that_lead_to_them(self):
        """By way of other rooms too, and computed from the table alone."""

        def libraries(room):
            rooms, own = ROOMS[room]
            return set(own).union(*(libraries(used) for used in rooms))

        for room in sorted(ROOMS.keys() & graph().keys()):
            if ROOMS[room][0] is not ANYTHING:
                got = {n.split(":")[1] for n in reach(room) if n.startswith("third_party:")}
                with self.subTest(room=room):
                    self.assertLessEqual(got, libraries(room))


class Includes(unittest.TestCase):
    def test_come_from_direct_dependencies(self):
        packages = ROOMS.keys() | {"tests/unit"}
        for room in sorted(rooms_in_tree()):
            for source, header in includes(room):
                with self.subTest(source=source, header=header):
                    for prefix, library in HEADERS.items():
                        if header.startswith(prefix):
                            self.assertIn(f"third_party:{library}", graph()[room])
                    used = os.path.dirname(header)
                    if used in packages and used != room:
                        self.assertIn(used, graph()[room])

    def test_reach_boringssl_only_through_the_wrapper(self):
        for top in FLOORS + ["tests"]:
            for source, header in includes(top):
                with self.subTest(source=source):
                    self.assertFalse(header.startswith("openssl/"), f"{source}: <{header}>")


class BuildFiles(unittest.TestCase):
    def test_rooms_are_rooms(self):
        """A cc_library of one's own, or flags for the linker, would lead around the arrows."""
        for room in sorted(rooms_in_tree()):
            path = os.path.join(TREE, room, "BUILD.bazel")
            with self.subTest(room=room):
                self.assertTrue(os.path.exists(path), f"{room} has no BUILD.bazel")
                with open(path, encoding="utf-8") as f:
                    text = f.read()
                self.assertNotRegex(text, r"\bcc_library\(|\blinkopts\b|\bincludes =")
                self.assertIn("visibility", text)
                if room not in COMMON:
                    self.assertNotIn("//visibility:public", text)
