/* tests/fuzz/replay_main.c -- feeds each file of a folder to a fuzzer's entry, where there is no libFuzzer.
 * usage: <name>_fuzz FOLDER. An empty folder is a failure: it would prove nothing; so is a goal that is
 * missed. */
#include <dirent.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define INPUT_BYTES_MAX (1u << 20)

/* A fuzzer may say what its kept corpus must reach: how many of these goals it missed, each told. */
__attribute__((weak)) int fuzz_goals_missed(void);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* Copies to a block of exactly the file's size, so that the address sanitizer sees a read past its end. */
static int replay(const char *path)
{
    struct stat info;
    if (stat(path, &info) != 0 || !S_ISREG(info.st_mode)) return 0;
    FILE *file = fopen(path, "rb");
    size_t size = (size_t)info.st_size;
    uint8_t *bytes = size <= INPUT_BYTES_MAX ? malloc(size + (size == 0)) : NULL;
    if (!file || !bytes || fread(bytes, 1, size, file) != size) {
        fprintf(stderr, "%s: cannot be read whole (at most %u bytes)\n", path, INPUT_BYTES_MAX);
        exit(1);
    }
    fclose(file);
    LLVMFuzzerTestOneInput(bytes, size);
    free(bytes);
    return 1;
}

int main(int argc, char **argv)
{
    DIR *folder = argc == 2 ? opendir(argv[1]) : NULL;
    if (!folder) {
        fprintf(stderr, "usage: %s FOLDER (one that exists)\n", argv[0]);
        return 2;
    }
    int count = 0;
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        char path[PATH_MAX];
        int size = snprintf(path, sizeof path, "%s/%s", argv[1], entry->d_name);
        if (size > 0 && (size_t)size < sizeof path) count += replay(path);
    }
    closedir(folder);
    printf("%s: %d inputs\n", argv[1], count);
    int missed = fuzz_goals_missed ? fuzz_goals_missed() : 0;
    return count > 0 && missed == 0 ? 0 : 1;
}
