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

/* RGB and grey come as codes 0..255, Lab and Luv clean. */
INLINE void load_pixels(vec c[3], const void *const in[3], int source, int layout, ptrdiff_t x)
{
    const int channels = source == GREY_F32 ? 1 : 3;
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

INLINE void store_packed_u16(uint16_t *out, const vec c[3])
{
    uint16_t plane[3][LANES];
    for (int i = 0; i < 3; i++)
        v_store_u16(plane[i], c[i]);
    for (int x = 0; x < LANES; x++)
        for (int i = 0; i < 3; i++)
            out[3 * x + i] = plane[i][x];
}

/* Integers are rounded and saturate. */
INLINE void store_pixels(void *const out[3], int type, int layout, ptrdiff_t x, const vec pixels[3])
{
    vec c[3];
    for (int i = 0; i < 3; i++)
        c[layout == REVERSED ? 2 - i : i] = pixels[i];
    if (layout != PLANAR) {
        if (type == TC_U8)
            v_store3_u8((uint8_t *)out[0] + 3 * x, c);
        else if (type == TC_U16)
            store_packed_u16((uint16_t *)out[0] + 3 * x, c);
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

/* ---- spans ------------------------------------------------------------------------------------- */

/* Every argument but the span is known at compile time. */
INLINE void walk(const span *s, int action, int source, int type, int from, int to)
{
    void *const out[3] = {s->out[0], s->out[1], s->out[2]};
    const void *const in[3] = {s->in[0], s->in[1], s->in[2]};
    const int reduce = s->gamut == TC_GAMUT_REDUCE;
    for (ptrdiff_t x = 0, count = s->count; x < count; x += LANES) {
        vec c[3], rgb[3];
        load_pixels(c, in, source, from, x);
        if (action == RGB_FROM_LAB || action == RGB_FROM_LUV) {
            const int lab = action == RGB_FROM_LAB;
            lab ? linear_from_lab(rgb, c) : linear_from_luv(rgb, c);
            mask outside = out_of_gamut(rgb);
            if (reduce && m_any(outside))
                lab ? reduce_lab(rgb, c, outside) : reduce_luv(rgb, c, outside);
            encode_rgb(c, type, rgb);
            store_pixels(out, type, to, x, c);
            continue;
        }
        for (int i = 0; i < (source == GREY_F32 ? 1 : 3); i++)
            rgb[i] = decode(c[i]);
        if (action == TO_LIGHTNESS) {
            vec y = source == GREY_F32 ? rgb[0] : luminance(rgb);
            v_store((float *)out[0] + x, lightness_from_f(cie_f(y)));
            continue;
        }
        action == TO_LAB ? lab_from_linear(c, rgb) : luv_from_linear(c, rgb);
        store_pixels(out, TC_F32, to, x, c);
    }
}

/* One copy of the loop for each pair of layouts that a span may have. */
INLINE void walk_layouts(const span *s, int action, int source, int type)
{
    const int planar_in = s->in_layout == PLANAR;
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
static void merged_u8_span(const span *s) { walk_layouts(s, RGB_FROM_LAB, LAB_CLEAN_CHROMA, TC_U8); }
static void merged_u16_span(const span *s) { walk_layouts(s, RGB_FROM_LAB, LAB_CLEAN_CHROMA, TC_U16); }
static void merged_f32_span(const span *s) { walk_layouts(s, RGB_FROM_LAB, LAB_CLEAN_CHROMA, TC_F32); }

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
