/* Tables of the scalar code, filled by tc_init. */
#ifndef TRTCOLOR_TABLES_H
#define TRTCOLOR_TABLES_H

#include <stdint.h>
#include <string.h>

/* Encoding to uint8 rounds correctly without a power: tc_encode_threshold[c] is the least float
 * whose code is c. The float's exponent and 7 bits of its mantissa pick a segment; segments are so
 * short that each has at most one threshold, so the code at the segment's start is right or one
 * less. */
enum {
    TC_ENCODE_FIRST_EXPONENT = -13, /* 2^-13 still has code 0 */
    TC_ENCODE_SHIFT = 23 - 7,
    TC_ENCODE_SEGMENTS = -TC_ENCODE_FIRST_EXPONENT << 7,
};
#define TC_ENCODE_FIRST_BITS ((uint32_t)(127 + TC_ENCODE_FIRST_EXPONENT) << 23)

extern float tc_decode_u8[256];
extern float tc_encode_threshold[257];
extern uint8_t tc_encode_start[TC_ENCODE_SEGMENTS];

/* From the definition, of a coded grey in 0..1. */
double tc_linear_from_coded(double coded);
double tc_lightness_of_grey(double coded);

static inline uint32_t bits_from_float(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static inline float float_from_bits(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

#endif
