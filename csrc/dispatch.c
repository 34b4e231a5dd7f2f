/* Which variants this processor can run. */
#include "color.h"

extern const tc_kernels tc_kernels_avx512, tc_kernels_avx2, tc_kernels_neon;

#if defined(__x86_64__)

/* For avx2 and avx512* gcc and clang look at XCR0 too, or at what macOS has instead: they count an
 * instruction set only when the operating system saves its registers. For fma alone clang does
 * not. */
static int runs_avx512(void)
{
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}

static int runs_avx2(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

#endif

/* The variant of this index among those that fit, fastest first. */
const tc_kernels *tc_variant(int index)
{
    const tc_kernels *fitting[4];
    int count = 0;
#if defined(__x86_64__)
    if (runs_avx512())
        fitting[count++] = &tc_kernels_avx512;
    if (runs_avx2())
        fitting[count++] = &tc_kernels_avx2;
#elif defined(__aarch64__)
    fitting[count++] = &tc_kernels_neon; /* every AArch64 processor has it */
#endif
    fitting[count++] = &tc_kernels_c;
    return index >= 0 && index < count ? fitting[index] : NULL;
}
