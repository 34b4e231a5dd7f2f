/* All kernels over the primitives of the vector_*.h that was included before, as one set. */
#include "simd_merge.h"
#include "simd_planes.h"
#include "simd_rows.h"
#include "simd_upsample.h"

const tc_kernels KERNELS = {
    .name = NAME,
    .lab_from_rgb_u8 = lab_from_rgb_u8,
    .lab_from_rgb_f32 = lab_from_rgb_f32,
    .rgb_u8_from_lab = rgb_u8_from_lab,
    .rgb_f32_from_lab = rgb_f32_from_lab,
    .luv_from_rgb_u8 = luv_from_rgb_u8,
    .luv_from_rgb_f32 = luv_from_rgb_f32,
    .rgb_u8_from_luv = rgb_u8_from_luv,
    .rgb_f32_from_luv = rgb_f32_from_luv,
    .lightness_from_rgb_u8 = lightness_from_rgb_u8,
    .lightness_from_rgb_f32 = lightness_from_rgb_f32,
    .lightness_from_u8 = lightness_from_u8,
    .lightness_from_u16 = lightness_from_u16,
    .lightness_from_grey_f32 = lightness_from_grey_f32,
    .merge_lab = merge_lab,
    .upsample_chroma = upsample_chroma,
    .chroma_planes = chroma_planes,
    .resize_plane = tc_resize_plane_c,
};
