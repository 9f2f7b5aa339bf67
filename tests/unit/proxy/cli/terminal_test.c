#include "proxy/cli/terminal.h"

#include <pty.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/unit/unit.h"

// A terminal of 123 columns, and what is none.
static FILE *terminal, *file;
static int other_end;

static void begin(void) {
    int fd;
    const struct winsize size = {.ws_col = 123, .ws_row = 40};
    CU_ASSERT_FATAL(openpty(&other_end, &fd, NULL, NULL, &size) == 0);
    terminal = fdopen(fd, "w");
    file = tmpfile();
    CU_ASSERT_FATAL(terminal != NULL && file != NULL);
    unsetenv("NO_COLOR");
    unsetenv("COLUMNS");
    setenv("TERM", "xterm", 1);
}

static void end(void) {
    fclose(terminal);
    fclose(file);
    close(other_end);
}

static bool color(const char *when, FILE *to) {
    bool color;
    CU_ASSERT(terminal_color(&color, when, to));
    return color;
}

static void test_color(void) {
    begin();
    CU_ASSERT(color("auto", terminal));
    CU_ASSERT_FALSE(color("auto", file));
    CU_ASSERT(color("always", file));
    CU_ASSERT_FALSE(color("never", terminal));
    setenv("NO_COLOR", "", 1);
    CU_ASSERT(color("auto", terminal));
    setenv("NO_COLOR", "1", 1);
    CU_ASSERT_FALSE(color("auto", terminal));
    CU_ASSERT(color("always", terminal));
    unsetenv("NO_COLOR");
    setenv("TERM", "dumb", 1);
    CU_ASSERT_FALSE(color("auto", terminal));
    bool unused;
    CU_ASSERT_FALSE(terminal_color(&unused, "sometimes", terminal));
    CU_ASSERT_FALSE(terminal_color(&unused, "", terminal));
    end();
}

static void test_width(void) {
    begin();
    CU_ASSERT_EQUAL(terminal_width(terminal, 80), 123);
    CU_ASSERT_EQUAL(terminal_width(file, 80), 80);
    setenv("COLUMNS", "100", 1);
    CU_ASSERT_EQUAL(terminal_width(terminal, 80), 100);
    CU_ASSERT_EQUAL(terminal_width(file, 80), 100);
    setenv("COLUMNS", "1", 1);
    CU_ASSERT_EQUAL(terminal_width(file, 80), 40);
    setenv("COLUMNS", "99999999999999999999", 1);
    CU_ASSERT_EQUAL(terminal_width(file, 80), 1000);
    setenv("COLUMNS", "wide", 1);
    CU_ASSERT_EQUAL(terminal_width(file, 80), 80);
    end();
}

const struct unit_case unit_cases[] = {
    {"colour", test_color},
    {"width", test_width},
    {NULL, NULL},
};
