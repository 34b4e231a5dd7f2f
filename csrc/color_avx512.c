/* The kernels with AVX-512 (F, BW, DQ, VL), 16 pixels at a time. */
#if defined(__x86_64__)

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl"))),        \
                             apply_to = function)
#else
#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl")
#endif

#include "vector_avx512.h"

#define NAME "avx512"
#define KERNELS tc_kernels_avx512
#include "simd_kernels.h"

#if defined(__clang__)
#pragma clang attribute pop
#endif

#endif
