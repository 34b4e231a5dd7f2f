/* Piecewise polynomials for the vector variants: the transfer functions and the cube root without
 * powers, divisions or gathers. A segment's coefficients lie side by side over the segments, so
 * that one register (or two) holds one coefficient of all segments and a permutation looks it up.
 *
 * A positive float is m * 2^e with m in 1..2. Tables over "mantissas" divide 1..2 evenly; the power
 * of 2^e comes from a second table, indexed by the low bits of the float's exponent, which are
 * unique over the octaves that occur.
 */
#ifndef TRTCOLOR_SEGMENTS_H
#define TRTCOLOR_SEGMENTS_H

/* Encoded samples go up to 1, 255 or 65535; the scales have that folded in. */
enum { TC_TOP_1, TC_TOP_255, TC_TOP_65535, TC_TOPS };

/* Puts code knee..255 into eight half octaves, short ones where the curve bends most. */
#define TC_DECODE_SHIFT 14.0

typedef struct {
    /* sRGB to linear: polynomials in the code 0..255, from the knee up. A segment is a rounded
     * code * 31 / 255, or half an octave of code + TC_DECODE_SHIFT: 2 exponent bits, 1 of mantissa.
     */
    float decode32[4][32], decode8[5][8];
    /* m^(1/2.4), and what turns it into the coded sample: top * 1.055 * (2^e)^(1/2.4). */
    float encode32[3][32], encode_scale16[TC_TOPS][16];
    /* The same for 8 segments over two octaves, m in 0.5..2, scales by the exponent's half. */
    float encode8[5][8], encode_scale8[TC_TOPS][8];
    /* Seeds of t^(-1/3), good to 0.2 %, for t in 2^-7..2: by 3 exponent and 2 mantissa bits; by 3
     * mantissa bits, to be multiplied by the octave's scale. */
    float root32[2][32], root8[2][8], root_scale8[8];
} tc_segment_tables;

extern tc_segment_tables tc_segments;

/* Part of tc_init. */
void tc_init_segments(void);

#endif
