/* The kernels with NEON, which every AArch64 has, 4 pixels at a time. */
#if defined(__aarch64__)

#include "vector_neon.h"

#define NAME "neon"
#define KERNELS tc_kernels_neon
#include "simd_kernels.h"

#endif
