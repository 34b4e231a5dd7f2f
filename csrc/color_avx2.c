/* The kernels with AVX2 and FMA, 8 pixels at a time. */
#if defined(__x86_64__)

#if defined(__clang__)
#pragma clang attribute push(                                                                      \
    __attribute__((target("avx2,fma"))), apply_to = function)
#else
#pragma GCC target("avx2,fma")
#endif

#include "vector_avx2.h"

#include "simd_merge.h"
#include "simd_planes.h"
#include "simd_rows.h"


const tc_kernels tc_kernels_avx2 = {
    .name = "avx2",
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
    .chroma_planes = chroma_planes,
    .resize_plane = tc_resize_plane_c,
};

#if defined(__clang__)
#pragma clang attribute pop
#endif

#endif
