/* Random numbers (splitmix64) and sizes: the same on every machine for the same seed. */
#include "check.h"

static uint64_t state;

void random_seed(uint64_t seed) { state = seed; }

uint64_t random_bits(void)
{
    uint64_t z = state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

int random_below(int limit) { return (int)(random_bits() % (uint64_t)limit); }

int random_between(int low, int high) { return low + random_below(high - low + 1); }

float random_float(float low, float high)
{
    return low + (high - low) * (float)(random_bits() >> 40) / (float)(1 << 24);
}

void random_size(ptrdiff_t *height, ptrdiff_t *width)
{
    *height = random_between(1, 12);
    *width = random_between(1, 70);
    switch (random_below(16)) {
    case 0:
        *width = 1;
        break;
    case 1:
        *height = 1;
        break;
    case 2:
        *height = random_between(13, 70);
        break;
    case 3:
        *height = random_between(1, 3);
        *width = random_between(120, 600);
        break;
    case 4:
        *height = random_between(1, 3);
        *width = (random_below(2) ? 1024 : 2048) + random_between(-3, 37);
        break;
    default:
        break;
    }
}

void random_rows(ptrdiff_t height, ptrdiff_t *first, ptrdiff_t *last)
{
    *first = random_below(3) ? random_below((int)height) : 0;
    *last = random_below(3) ? random_between((int)*first, (int)height) : height;
}
