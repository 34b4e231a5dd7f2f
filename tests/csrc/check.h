/* The native check: every variant of every kernel against the scalar reference, then timed.
 *
 * A kernel's check is one random case. It makes the inputs in a plain layout, runs the reference
 * and the tested kernel on them and compares the two within a tolerance. Then it lays the same
 * inputs out anew (any strides, alignment and place at a guard page), runs any range of rows into
 * a poisoned output, and asks for the very bytes of the plain run, and for poison elsewhere.
 */
#ifndef TRTCOLOR_CHECK_H
#define TRTCOLOR_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "color.h"

/* ---- the list of kernels ------------------------------------------------------------------- */

/* What is timed: all rows of a job, of BENCH_SIZE pixels each way where nothing else is said. */
typedef struct {
    const char *label;
    const void *job;
    ptrdiff_t rows, pixels;
} timing;

enum { BENCH_SIZE = 1024 };

typedef struct kernel kernel;

struct kernel {
    const char *name;
    size_t offset; /* of its pointer in tc_kernels */
    /* One random case; fail() says what is wrong. */
    void (*check)(const kernel *self, tc_kernel *tested, tc_kernel *reference);
    /* Prepares timing number `index`; false beyond the last. */
    bool (*bench)(const kernel *self, int index, timing *timing);
    const void *kind; /* what the job's file needs to know */
    int cases;        /* this many times the usual number */
};

extern const kernel conversion_kernels[], merge_kernels[], upsample_kernels[], resize_kernels[];
extern const kernel plane_kernels[];

/* Reports a failure of the case that runs and ends it: it does not return. */
void fail(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

/* ---- random -------------------------------------------------------------------------------- */

void random_seed(uint64_t seed);
uint64_t random_bits(void);
int random_below(int limit);           /* 0..limit-1 */
int random_between(int low, int high); /* both ends included */
float random_float(float low, float high);

/* Odd sizes of few pixels, now and then one row or column, or a width beyond the column blocks
 * that vector code works in. */
void random_size(ptrdiff_t *height, ptrdiff_t *width);
void random_rows(ptrdiff_t height, ptrdiff_t *first, ptrdiff_t *last);

/* ---- memory -------------------------------------------------------------------------------- */

/* A place of that many bytes: its end or its start at a guard page, or in between. What is poisoned
 * around it goes from low to high. */
char *place(size_t bytes, size_t alignment, char **low, char **high);

/* Frees the newest places until `kept` are left, and says how many there are. */
void places_keep(int kept);
int places_count(void);

/* What is written where no sample is: a byte that depends on its address. */
void poison(char *low, char *high);
uint8_t poison_at(const char *byte);

/* A copy of an array at such a place. */
void *guarded_copy(const void *array, size_t bytes);

/* ---- pictures ------------------------------------------------------------------------------ */

/* A picture in memory between guard pages. */
typedef struct {
    int type, channels;
    ptrdiff_t height, width;
    tc_stride stride;
    char *origin;     /* sample (0, 0, 0) */
    char *low, *high; /* the bytes that hold it, poisoned where no sample is */
} picture;

extern const size_t sample_bytes[]; /* by type */

/* Interleaved samples without gaps, or planes; the place in memory is random. */
picture picture_packed(int type, int channels, ptrdiff_t height, ptrdiff_t width);
picture picture_planar(int type, int channels, ptrdiff_t height, ptrdiff_t width);

/* Of the shape of another, in random strides. */
picture picture_of_any_layout(const picture *like);

/* The same samples in random strides, of which some are 0 where the samples allow it. */
picture picture_elsewhere(const picture *source);

void *picture_at(const picture *p, ptrdiff_t y, ptrdiff_t x, int channel);
double picture_value(const picture *p, ptrdiff_t y, ptrdiff_t x, int channel);
void picture_set(const picture *p, ptrdiff_t y, ptrdiff_t x, int channel, double value);

/* ---- comparison ---------------------------------------------------------------------------- */

/* Fails unless the samples of rows first..last-1 are those of `expected`, to the byte. */
void require_same(const picture *p, const picture *expected, ptrdiff_t first, ptrdiff_t last);

/* Fails unless one pixel, done alone, is as in its picture. */
void require_alone(const picture *p, const picture *pixel, ptrdiff_t y, ptrdiff_t x);

/* Fails unless every byte but the samples of rows first..last-1 is poison as before; spoils those
 * samples. */
void require_untouched(const picture *p, ptrdiff_t first, ptrdiff_t last);

/* Fails unless all samples are within a tolerance; notes how much of it was needed. */
void require_close(const picture *p, const picture *expected, double tolerance);

/* The most of a tolerance that was needed since the last call, 0..1. */
double tolerance_needed(void);

/* Two variants may differ by both limits of error, 2e-4 each, in L*, a*, b*, by this in float RGB,
 * and by one code in the rounding of uint8, whatever came in. */
#define LAB_TOLERANCE 4e-4
#define RGB_TOLERANCE 1e-4

/* RGB_TOLERANCE in samples of a type. */
double rgb_tolerance(int type);

/* ---- values -------------------------------------------------------------------------------- */

/* What a picture's samples mean. */
enum { OF_RGB, OF_GREY, OF_LAB, OF_LUV, OF_LIGHTNESS, OF_CHROMA };

/* Colours mostly in gamut, mostly out of it, near black, greys, the ends and knees of curves,
 * numbers that are no colours, and (for timing) all out of gamut. */
enum { SOFT, VIVID, DARK, GREY, EDGES, WILD, FAR };

void fill_with(const picture *p, int meaning, int style);

/* Fills a picture with one of many kinds of values. */
void fill(const picture *p, int meaning);

#endif
