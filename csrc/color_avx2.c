/* The kernels with AVX2 and FMA, 8 pixels at a time. */
#if defined(__x86_64__)

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#else
#pragma GCC target("avx2,fma")
#endif

#include "vector_avx2.h"

#define NAME "avx2"
#define KERNELS tc_kernels_avx2
#include "simd_kernels.h"

#if defined(__clang__)
#pragma clang attribute pop
#endif

#endif
