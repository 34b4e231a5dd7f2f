/* The tables of tables.h and those that callers hold, all from the definition in double. */
#include "tables.h"
#include "color.h"
#include "segments.h"

#include <math.h>

float tc_decode_u8[256];
float tc_encode_threshold[257];
uint8_t tc_encode_start[TC_ENCODE_SEGMENTS];

double tc_linear_from_coded(double coded)
{
    return coded <= TC_SRGB_CODED_KNEE
               ? coded / TC_SRGB_SLOPE
               : pow((coded + TC_SRGB_OFFSET) / (1.0 + TC_SRGB_OFFSET), TC_SRGB_GAMMA);
}

double tc_lightness_of_grey(double coded)
{
    double y = tc_linear_from_coded(coded);
    double f = y > TC_F_KNEE_CUBED ? cbrt(y) : TC_F_SLOPE * y + TC_F_OFFSET;
    return 116.0 * f - 16.0;
}

static void init_tables(void)
{
    for (int code = 0; code < 256; code++) {
        tc_decode_u8[code] = (float)tc_linear_from_coded(code / 255.0);
        double threshold = tc_linear_from_coded((code - 0.5) / 255.0);
        float least = (float)threshold;
        tc_encode_threshold[code] = (double)least < threshold ? nextafterf(least, 2.0f) : least;
    }
    tc_encode_threshold[256] = INFINITY;
    for (int segment = 0, code = 0; segment < TC_ENCODE_SEGMENTS; segment++) {
        uint32_t bits = TC_ENCODE_FIRST_BITS + ((uint32_t)segment << TC_ENCODE_SHIFT);
        while (float_from_bits(bits) >= tc_encode_threshold[code + 1])
            code++;
        tc_encode_start[segment] = (uint8_t)code;
    }
}

void tc_init(void)
{
    init_tables();
    tc_init_segments();
}

void tc_lightness_table(float *table, ptrdiff_t levels)
{
    for (ptrdiff_t code = 0; code < levels; code++)
        table[code] = (float)tc_lightness_of_grey((double)code / (double)(levels - 1));
}
