/* A span: a stretch of a row, a multiple of LANES long, from one layout that has fast loads to one
 * that has fast stores, over the pixels of simd_pixel.h.
 */
#ifndef TRTCOLOR_SIMD_SPAN_H
#define TRTCOLOR_SIMD_SPAN_H

#include "simd_luv.h"
#include "simd_pixel.h"
#include "simd_reduce.h"

/* RGB, BGR, planes, and what has no fast loads and stores. */
enum { PACKED, REVERSED, PLANAR, OTHER };

/* What a span reads. Lab whose chroma was made clean earlier needs its lightness cleaned only. */
enum { RGB_U8, RGB_F32, LAB, LAB_CLEAN_CHROMA, GREY_F32 };

/* What becomes of a pixel. */
enum { TO_LAB, TO_LUV, TO_LIGHTNESS, RGB_FROM_LAB, RGB_FROM_LUV };

/* PACKED and REVERSED have one pointer, to the lowest address; PLANAR has one a channel. */
typedef struct {
    void *out[3];
    const void *in[3];
    int out_layout, in_layout;
    ptrdiff_t count;
    int gamut;
} span;
typedef void span_fn(const span *);

/* ---- one vector of pixels from and to memory ------------------------------------------------- */

/* Three floats a pixel come and go faster than the processor looks ahead, so they are asked for 3
 * KiB before their turn; what lies beyond a picture is not touched by asking. */
INLINE void ask_for_floats(const void *const planes[3], int layout, ptrdiff_t x, int write)
{
    enum { AHEAD = 768 };
    for (int i = 0; i < 3; i++) {
        const float *p = layout == PLANAR ? (const float *)planes[i] + x + AHEAD / 3
                                          : (const float *)planes[0] + 3 * x + i * LANES + AHEAD;
        if (write)
            __builtin_prefetch(p, 1);
        else
            __builtin_prefetch(p, 0);
    }
}

/* RGB and grey come as codes 0..255, Lab and Luv clean. */
INLINE void load_pixels(vec c[3], const void *const in[3], int source, int layout, ptrdiff_t x)
{
    const int channels = source == GREY_F32 ? 1 : 3;
    if (source == RGB_F32 || source == LAB)
        ask_for_floats(in, layout, x, 0);
    if (source == RGB_U8 && layout == PACKED)
        v_load3_u8((const uint8_t *)in[0] + 3 * x, c);
    else if (layout == PACKED)
        v_load3((const float *)in[0] + 3 * x, c);
    else
        for (int i = 0; i < channels; i++)
            c[i] = source == RGB_U8 ? v_load_u8((const uint8_t *)in[i] + x)
                                    : v_load((const float *)in[i] + x);
    if (source == RGB_F32 || source == GREY_F32)
        for (int i = 0; i < channels; i++)
            c[i] = v_mul(v_min(v_max(c[i], v_set(0.0f)), v_set(1.0f)), v_set(255.0f));
    if (source == LAB || source == LAB_CLEAN_CHROMA)
        c[0] = v_clean(c[0], 1000.0f);
    if (source == LAB) {
        c[1] = v_clean(c[1], 1000.0f);
        c[2] = v_clean(c[2], 1000.0f);
    }
}

/* Integers are rounded and saturate. */
INLINE void store_pixels(void *const out[3], int type, int layout, ptrdiff_t x, const vec pixels[3])
{
    if (type == TC_F32)
        ask_for_floats((const void *const *)out, layout, x, 1);
    vec c[3];
    for (int i = 0; i < 3; i++)
        c[layout == REVERSED ? 2 - i : i] = pixels[i];
    if (layout != PLANAR) {
        if (type == TC_U8)
            v_store3_u8((uint8_t *)out[0] + 3 * x, c);
        else if (type == TC_U16)
            v_store3_u16((uint16_t *)out[0] + 3 * x, c);
        else
            v_store3((float *)out[0] + 3 * x, c);
        return;
    }
    for (int i = 0; i < 3; i++)
        if (type == TC_U8)
            v_store_u8((uint8_t *)out[i] + x, c[i]);
        else if (type == TC_U16)
            v_store_u16((uint16_t *)out[i] + x, c[i]);
        else
            v_store((float *)out[i] + x, c[i]);
}

INLINE void encode_rgb(vec coded[3], int type, const vec linear[3])
{
    const int top = type == TC_U8 ? TC_TOP_255 : type == TC_U16 ? TC_TOP_65535 : TC_TOP_1;
    for (int i = 0; i < 3; i++) {
        coded[i] = encode(linear[i], top);
        if (type == TC_F32)
            coded[i] = v_min(v_max(coded[i], v_set(0.0f)), v_set(1.0f));
    }
}

/* ---- spans -------------------------------------------------------------------------------------
 */

INLINE void colour_from_rgb(const span *s, int action, int source, int from, int to)
{
    for (ptrdiff_t x = 0; x < s->count; x += LANES) {
        vec c[3], rgb[3];
        load_pixels(c, s->in, source, from, x);
        for (int i = 0; i < (source == GREY_F32 ? 1 : 3); i++)
            rgb[i] = decode(c[i]);
        if (action == TO_LIGHTNESS) {
            vec y = source == GREY_F32 ? rgb[0] : luminance(rgb);
            v_store((float *)s->out[0] + x, lightness_from_f(cie_f(y)));
            continue;
        }
        action == TO_LAB ? lab_from_linear(c, rgb) : luv_from_linear(c, rgb);
        store_pixels(s->out, TC_F32, to, x, c);
    }
}

INLINE void rgb_from_colour(const span *s, int action, int source, int type, int from, int to)
{
    for (ptrdiff_t x = 0; x < s->count; x += LANES) {
        vec c[3], rgb[3];
        load_pixels(c, s->in, source, from, x);
        action == RGB_FROM_LAB ? linear_from_lab(rgb, c) : linear_from_luv(rgb, c);
        encode_rgb(c, type, rgb);
        store_pixels(s->out, type, to, x, c);
    }
}

INLINE void rgb_from_luv_reduced(const span *s, int source, int type, int from, int to)
{
    for (ptrdiff_t x = 0; x < s->count; x += LANES) {
        vec c[3], rgb[3];
        load_pixels(c, s->in, source, from, x);
        linear_from_luv(rgb, c);
        mask outside = out_of_gamut(rgb);
        if (m_any(outside))
            reduce_luv(rgb, c, outside);
        encode_rgb(c, type, rgb);
        store_pixels(s->out, type, to, x, c);
    }
}

INLINE vec lightness_in_gamut(vec l) { return v_min(v_max(l, v_set(0.0f)), v_set(100.0f)); }

/* The way to the gamut's edge is a long chain of operations, so it is gone in two stretches, each
 * by all vectors of a chunk that have a colour outside: what one waits for, others fill. */
INLINE void rgb_from_lab_reduced(const span *s, int source, int type, int from, int to)
{
    enum { VECTORS = 16 };
    vec linear[VECTORS][3], scale[VECTORS];
    ray rays[VECTORS];
    mask outside[VECTORS];
    ptrdiff_t place[VECTORS];
    for (ptrdiff_t start = 0, vectors; start < s->count; start += vectors * LANES) {
        vec c[3];
        ptrdiff_t reduced = 0;
        vectors = (s->count - start) / LANES < VECTORS ? (s->count - start) / LANES : VECTORS;
        for (ptrdiff_t i = 0; i < vectors; i++) {
            load_pixels(c, s->in, source, from, start + i * LANES);
            c[0] = lightness_in_gamut(c[0]);
            linear_from_lab(linear[i], c);
            outside[reduced] = out_of_gamut(linear[i]);
            place[reduced] = i;
            reduced += m_any(outside[reduced]);
        }
        for (ptrdiff_t i = 0; i < reduced; i++) {
            load_pixels(c, s->in, source, from, start + place[i] * LANES);
            c[0] = lightness_in_gamut(c[0]);
            rays[i] = ray_of_lab(c);
            scale[i] = scale_near_exit(&rays[i]);
        }
        for (ptrdiff_t i = 0; i < reduced; i++)
            exit_gamut(linear[place[i]], &rays[i], scale[i], outside[i]);
        for (ptrdiff_t i = 0; i < vectors; i++) {
            encode_rgb(c, type, linear[i]);
            store_pixels(s->out, type, to, start + i * LANES, c);
        }
    }
}

/* Every argument but the span is known at compile time. */
INLINE void walk(const span *s, int action, int source, int type, int from, int to)
{
    if (action != RGB_FROM_LAB && action != RGB_FROM_LUV)
        colour_from_rgb(s, action, source, from, to);
    else if (s->gamut != TC_GAMUT_REDUCE)
        rgb_from_colour(s, action, source, type, from, to);
    else if (action == RGB_FROM_LAB)
        rgb_from_lab_reduced(s, source, type, from, to);
    else
        rgb_from_luv_reduced(s, source, type, from, to);
}

/* One copy of the loop for each pair of layouts that a span may have. */
INLINE void walk_layouts(const span *s, int action, int source, int type)
{
    const int planar_in = s->in_layout == PLANAR || source == LAB_CLEAN_CHROMA; /* that is planar */
    if (planar_in && s->out_layout == PLANAR)
        walk(s, action, source, type, PLANAR, PLANAR);
    else if (planar_in && s->out_layout == REVERSED)
        walk(s, action, source, type, PLANAR, REVERSED);
    else if (planar_in)
        walk(s, action, source, type, PLANAR, PACKED);
    else if (s->out_layout == PLANAR)
        walk(s, action, source, type, PACKED, PLANAR);
    else
        walk(s, action, source, type, PACKED, PACKED);
}

static void lab_from_rgb_u8_span(const span *s) { walk_layouts(s, TO_LAB, RGB_U8, TC_F32); }
static void lab_from_rgb_f32_span(const span *s) { walk_layouts(s, TO_LAB, RGB_F32, TC_F32); }
static void luv_from_rgb_u8_span(const span *s) { walk_layouts(s, TO_LUV, RGB_U8, TC_F32); }
static void luv_from_rgb_f32_span(const span *s) { walk_layouts(s, TO_LUV, RGB_F32, TC_F32); }
static void rgb_u8_from_lab_span(const span *s) { walk_layouts(s, RGB_FROM_LAB, LAB, TC_U8); }
static void rgb_f32_from_lab_span(const span *s) { walk_layouts(s, RGB_FROM_LAB, LAB, TC_F32); }
static void rgb_u8_from_luv_span(const span *s) { walk_layouts(s, RGB_FROM_LUV, LAB, TC_U8); }
static void rgb_f32_from_luv_span(const span *s) { walk_layouts(s, RGB_FROM_LUV, LAB, TC_F32); }

/* For merge_lab, whose chroma was made clean before it was enlarged. */
static void merged_u8_span(const span *s)
{
    walk_layouts(s, RGB_FROM_LAB, LAB_CLEAN_CHROMA, TC_U8);
}
static void merged_u16_span(const span *s)
{
    walk_layouts(s, RGB_FROM_LAB, LAB_CLEAN_CHROMA, TC_U16);
}
static void merged_f32_span(const span *s)
{
    walk_layouts(s, RGB_FROM_LAB, LAB_CLEAN_CHROMA, TC_F32);
}

/* The output has one channel, which is planar whatever its name. */
static void lightness_from_rgb_u8_span(const span *s)
{
    if (s->in_layout == PLANAR)
        walk(s, TO_LIGHTNESS, RGB_U8, TC_F32, PLANAR, PLANAR);
    else
        walk(s, TO_LIGHTNESS, RGB_U8, TC_F32, PACKED, PLANAR);
}

static void lightness_from_rgb_f32_span(const span *s)
{
    if (s->in_layout == PLANAR)
        walk(s, TO_LIGHTNESS, RGB_F32, TC_F32, PLANAR, PLANAR);
    else
        walk(s, TO_LIGHTNESS, RGB_F32, TC_F32, PACKED, PLANAR);
}

static void lightness_from_grey_f32_span(const span *s)
{
    walk(s, TO_LIGHTNESS, GREY_F32, TC_F32, PLANAR, PLANAR);
}

#endif
