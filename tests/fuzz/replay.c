// main() of a fuzz target that is not a libFuzzer binary: every file below the folder named on the
// command line is one input and counts as one test. A crash is the failure.
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "logs/base/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t data_len);

static void replay_file(const char *path) {
    FILE *f = fopen(path, "rb");
    CHECK(f != NULL);
    struct stat st;
    CHECK(fstat(fileno(f), &st) == 0);
    size_t len = (size_t)st.st_size;
    // Exactly as large as the input, so that an address sanitizer sees a read past its end.
    uint8_t *data = xmalloc(len);
    CHECK(fread(data, 1, len, f) == len);
    fclose(f);
    printf("%s (%zu bytes)\n", path, len);
    fflush(stdout);
    LLVMFuzzerTestOneInput(data, len);
    free(data);
}

// replay_folder replays what lies below `path` and returns how many inputs that were.
static int replay_folder(const char *path) {
    struct dirent **entries;
    int num_entries = scandir(path, &entries, NULL, alphasort);
    if (num_entries < 0) {
        fprintf(stderr, "replay: %s: %s\n", path, strerror(errno));
        exit(2);
    }
    int replayed = 0;
    for (int i = 0; i < num_entries; i++) {
        if (entries[i]->d_name[0] != '.') {
            char child[PATH_MAX];
            int n = snprintf(child, sizeof(child), "%s/%s", path, entries[i]->d_name);
            CHECK(n > 0 && (size_t)n < sizeof(child));
            struct stat st;
            CHECK(stat(child, &st) == 0);
            if (S_ISDIR(st.st_mode)) {
                replayed += replay_folder(child);
            } else {
                replay_file(child);
                replayed++;
            }
        }
        free(entries[i]);
    }
    free(entries);
    return replayed;
}

int main(int argc, char **argv) {
    if (argc != 2) {
        fprintf(stderr, "usage: %s CORPUS-FOLDER\n", argv[0]);
        return 2;
    }
    int replayed = replay_folder(argv[1]);
    if (replayed == 0) {
        fprintf(stderr, "replay: %s holds no input\n", argv[1]);
        return 1;
    }
    printf("%d passed, 0 failed\n", replayed);
    return 0;
}
