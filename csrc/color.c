/* The scalar reference: conversions of a picture, and the set of all its kernels. */
#include "color.h"
#include "scalar_reduce.h"

void tc_lab_from_rgb_u8_c(const void *job, ptrdiff_t first, ptrdiff_t last)
{
    const tc_conversion *c = job;
    TC_EACH_PIXEL (c)
        store_lab(f32_out(c, y, x), c->out_stride.channel,
                  load_u8(u8_in(c, y, x), c->in_stride.channel));
}

void tc_lab_from_rgb_f32_c(const void *job, ptrdiff_t first, ptrdiff_t last)
{
    const tc_conversion *c = job;
    TC_EACH_PIXEL (c)
        store_lab(f32_out(c, y, x), c->out_stride.channel,
                  load_f32(f32_in(c, y, x), c->in_stride.channel));
}

static inline linear_rgb load_lab(const tc_conversion *c, ptrdiff_t y, ptrdiff_t x)
{
    const float *lab = f32_in(c, y, x);
    return linear_from_lab(clamp_lab(lab[0]), clamp_lab(lab[c->in_stride.channel]),
                           clamp_lab(lab[2 * c->in_stride.channel]), c->gamut);
}

void tc_rgb_u8_from_lab_c(const void *job, ptrdiff_t first, ptrdiff_t last)
{
    const tc_conversion *c = job;
    TC_EACH_PIXEL (c)
        store_u8(u8_out(c, y, x), c->out_stride.channel, load_lab(c, y, x));
}

void tc_rgb_f32_from_lab_c(const void *job, ptrdiff_t first, ptrdiff_t last)
{
    const tc_conversion *c = job;
    TC_EACH_PIXEL (c)
        store_f32(f32_out(c, y, x), c->out_stride.channel, load_lab(c, y, x));
}

void tc_lightness_from_rgb_u8_c(const void *job, ptrdiff_t first, ptrdiff_t last)
{
    const tc_conversion *c = job;
    TC_EACH_PIXEL (c)
        *f32_out(c, y, x) =
            lightness_from_luminance(luminance(load_u8(u8_in(c, y, x), c->in_stride.channel)));
}

void tc_lightness_from_rgb_f32_c(const void *job, ptrdiff_t first, ptrdiff_t last)
{
    const tc_conversion *c = job;
    TC_EACH_PIXEL (c)
        *f32_out(c, y, x) =
            lightness_from_luminance(luminance(load_f32(f32_in(c, y, x), c->in_stride.channel)));
}

void tc_lightness_from_u8_c(const void *job, ptrdiff_t first, ptrdiff_t last)
{
    const tc_conversion *c = job;
    TC_EACH_PIXEL (c)
        *f32_out(c, y, x) = c->table[*u8_in(c, y, x)];
}

void tc_lightness_from_u16_c(const void *job, ptrdiff_t first, ptrdiff_t last)
{
    const tc_conversion *c = job;
    TC_EACH_PIXEL (c)
        *f32_out(c, y, x) = c->table[*u16_in(c, y, x)];
}

void tc_lightness_from_grey_f32_c(const void *job, ptrdiff_t first, ptrdiff_t last)
{
    const tc_conversion *c = job;
    TC_EACH_PIXEL (c)
        *f32_out(c, y, x) = lightness_from_luminance(decode(clamp_unit(*f32_in(c, y, x))));
}

const tc_kernels tc_kernels_c = {
    .name = "c",
    .lab_from_rgb_u8 = tc_lab_from_rgb_u8_c,
    .lab_from_rgb_f32 = tc_lab_from_rgb_f32_c,
    .rgb_u8_from_lab = tc_rgb_u8_from_lab_c,
    .rgb_f32_from_lab = tc_rgb_f32_from_lab_c,
    .luv_from_rgb_u8 = tc_luv_from_rgb_u8_c,
    .luv_from_rgb_f32 = tc_luv_from_rgb_f32_c,
    .rgb_u8_from_luv = tc_rgb_u8_from_luv_c,
    .rgb_f32_from_luv = tc_rgb_f32_from_luv_c,
    .lightness_from_rgb_u8 = tc_lightness_from_rgb_u8_c,
    .lightness_from_rgb_f32 = tc_lightness_from_rgb_f32_c,
    .lightness_from_u8 = tc_lightness_from_u8_c,
    .lightness_from_u16 = tc_lightness_from_u16_c,
    .lightness_from_grey_f32 = tc_lightness_from_grey_f32_c,
    .merge_lab = tc_merge_lab_c,
    .upsample_chroma = tc_upsample_chroma_c,
    .chroma_planes = tc_chroma_planes_c,
    .resize_plane = tc_resize_plane_c,
};
