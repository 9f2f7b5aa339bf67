"""The project's three macros: a room, a unit test, a fuzz target. The one warnings list is here."""

_COPTS = [
    "-Wall",
    "-Wextra",
    "-Wformat=2",
    "-Wmissing-prototypes",
    "-Wshadow",
    "-Wstrict-prototypes",
    "-Wvla",
]

def room(name, srcs = [], hdrs = [], deps = [], visibility = None, **kwargs):
    """A library of the tree. Who may use it is `visibility`; what it may use is tests/arrows."""
    native.cc_library(
        name = name,
        srcs = srcs,
        hdrs = hdrs,
        copts = _COPTS,
        linkstatic = True,
        visibility = visibility,
        deps = deps,
        **kwargs
    )

def unit_test(name, srcs, deps = [], **kwargs):
    """A CUnit program: `srcs` define `unit_cases`, main() is tests/unit/unit.c."""
    native.cc_test(
        name = name,
        size = kwargs.pop("size", "small"),
        srcs = srcs,
        copts = _COPTS,
        linkstatic = True,
        deps = deps + ["//tests/unit"],
        **kwargs
    )

def fuzz_target(name, srcs, corpus, deps = [], **kwargs):
    """One source, two lives: a test that replays its corpus, and a libFuzzer binary.

    Args:
      name: the target.
      srcs: define `LLVMFuzzerTestOneInput`.
      corpus: the folder of inputs, below this package. It may not be empty.
      deps: the rooms under test.
      **kwargs: for cc_test.
    """
    inputs = native.glob([corpus + "/**"])
    if not inputs:
        fail("fuzz target %s: the corpus folder %s is empty" % (name, corpus))
    native.cc_test(
        name = name,
        size = kwargs.pop("size", "small"),
        srcs = srcs,
        args = ["/".join([p for p in [native.package_name(), corpus] if p])],
        copts = _COPTS,
        data = inputs,
        linkopts = select({
            "//third_party:fuzzing": ["-fsanitize=fuzzer"],
            "//conditions:default": [],
        }),
        linkstatic = True,
        tags = kwargs.pop("tags", []) + ["fuzz"],
        deps = deps + select({
            "//third_party:fuzzing": [],
            "//conditions:default": ["//tests/fuzz:replay"],
        }),
        **kwargs
    )
