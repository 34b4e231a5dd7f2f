/* Memory between pages that nothing may touch, poisoned. */
#define _GNU_SOURCE
#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* An arena is mapped once, between two pages that nothing may touch. */
enum { ARENAS = 24, ARENA_BYTES = 64 << 20, SLACK = 192 };

static char *arenas[ARENAS];
static int arenas_used;

int places_count(void) { return arenas_used; }

void places_keep(int kept) { arenas_used = kept; }

static char *next_arena(void)
{
    if (arenas_used == ARENAS) {
        fprintf(stderr, "check: too many pictures in a case\n");
        exit(2);
    }
    char **arena = &arenas[arenas_used++];
    if (!*arena) {
        size_t page = (size_t)sysconf(_SC_PAGESIZE);
        char *map =
            mmap(NULL, ARENA_BYTES + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (map == MAP_FAILED || mprotect(map + page, ARENA_BYTES, PROT_READ | PROT_WRITE)) {
            perror("check: mmap");
            exit(2);
        }
        *arena = map + page;
    }
    return *arena;
}

uint8_t poison_at(const char *byte) { return (uint8_t)((uintptr_t)byte * 37 + 0x5b); }

void poison(char *low, char *high)
{
    for (char *byte = low; byte < high; byte++)
        *byte = (char)poison_at(byte);
}

/* A place of `bytes` bytes: at the guard page after it, at the one before it, or in between. */
char *place(size_t bytes, size_t alignment, char **low, char **high)
{
    char *arena = next_arena(), *end = arena + ARENA_BYTES, *start;
    if (bytes + 2 * SLACK > ARENA_BYTES) {
        fprintf(stderr, "check: a picture of %zu bytes is too large\n", bytes);
        exit(2);
    }
    switch (random_below(3)) {
    case 0:
        start = end - bytes;
        break;
    case 1:
        start = arena;
        break;
    default:
        start = arena + SLACK + alignment * (size_t)random_below(64 / (int)alignment);
    }
    *low = start - arena < SLACK ? arena : start - SLACK;
    *high = end - (start + bytes) < SLACK ? end : start + bytes + SLACK;
    poison(*low, *high);
    return start;
}

void *guarded_copy(const void *array, size_t bytes)
{
    char *low, *high;
    return memcpy(place(bytes, 8, &low, &high), array, bytes);
}
