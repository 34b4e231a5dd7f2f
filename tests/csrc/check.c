/* check [--seed N] [--cases N] [--case N] [--kernel NAME] [--variant NAME] [--bench]
 *
 * Prints a line a variant and kernel and ends with 1 if one failed. A failure names the case, which
 * --seed, --kernel, --variant and --case run alone. */
#define _GNU_SOURCE
#include "check.h"

#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const kernel *const lists[] = {conversion_kernels, merge_kernels, upsample_kernels,
                                      resize_kernels, plane_kernels};
enum { LISTS = sizeof lists / sizeof *lists };

static struct {
    uint64_t seed;
    int cases, only_case; /* -1: all */
    const char *kernel, *variant;
    bool bench;
} options = {.seed = 20260101, .cases = 300, .only_case = -1};

/* ---- failures ------------------------------------------------------------------------------- */

static sigjmp_buf end_of_case;
static char message[512];
static char signal_stack[1 << 16];

void fail(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    siglongjmp(end_of_case, 1);
}

static void on_signal(int number) { siglongjmp(end_of_case, number == SIGILL ? 3 : 2); }

static void catch_signals(void)
{
    stack_t stack = {.ss_sp = signal_stack, .ss_size = sizeof signal_stack};
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_ONSTACK | SA_NODEFER};
    sigaltstack(&stack, NULL);
    sigaction(SIGSEGV, &action, NULL);
    sigaction(SIGBUS, &action, NULL);
    sigaction(SIGILL, &action, NULL);
}

/* ---- cases ---------------------------------------------------------------------------------- */

static tc_kernel *kernel_of(const tc_kernels *variant, const kernel *k)
{
    tc_kernel *pointer;
    memcpy(&pointer, (const char *)variant + k->offset, sizeof pointer);
    return pointer;
}

static uint64_t seed_of(const kernel *k, int number)
{
    uint64_t hash = options.seed * 0x100000001b3u + (uint64_t)number;
    for (const char *c = k->name; *c; c++)
        hash = (hash ^ (uint64_t)*c) * 0x100000001b3u;
    return hash;
}

/* Whether the case passes; otherwise `message` says why not. */
static bool passes(const kernel *k, tc_kernel *tested, tc_kernel *reference, int number)
{
    random_seed(seed_of(k, number));
    places_keep(0);
    switch (sigsetjmp(end_of_case, 1)) {
    case 0:
        k->check(k, tested, reference);
        return true;
    case 2:
        strcpy(message, "memory outside the pictures was read or written (a guard page)");
        return false;
    case 3:
        strcpy(message, "an instruction that this processor does not have");
        return false;
    default:
        return false;
    }
}

static bool check_kernel(const tc_kernels *variant, const tc_kernels *c, const kernel *k)
{
    int failures = 0, from = 0, to = options.cases * k->cases;
    if (options.only_case >= 0)
        from = options.only_case, to = from + 1;
    tc_kernel *tested = kernel_of(variant, k), *reference = kernel_of(c, k);
    for (int number = from; number < to; number++)
        if (!passes(k, tested, reference, number) && ++failures <= 3)
            printf("%-8s %-24s case %d: %s\n", variant->name, k->name, number, message);
    char remark[64] = "the reference itself";
    if (tested != reference)
        snprintf(remark, sizeof remark, "needed %.2f of the tolerance", tolerance_needed());
    if (failures)
        printf("%-8s %-24s FAILED: %d of %d cases\n", variant->name, k->name, failures, to - from);
    else
        printf("%-8s %-24s ok, %s\n", variant->name, k->name, remark);
    fflush(stdout);
    return failures == 0;
}

/* ---- timing --------------------------------------------------------------------------------- */

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

/* The least of many runs, which other programs disturb least, in ns a pixel. */
static double time_kernel(tc_kernel *tested, const timing *t)
{
    double least = INFINITY, began = now();
    int runs = 0;
    tested(t->job, 0, t->rows);
    for (double start = now(); runs < 5 || (runs < 99 && start - began < 0.2); start = now()) {
        tested(t->job, 0, t->rows);
        least = fmin(least, now() - start);
        runs++;
    }
    return least * 1e9 / (double)t->pixels;
}

static void bench_kernel(const tc_kernels *variant, const tc_kernels *c, const kernel *k)
{
    timing t = {0};
    for (int index = 0; places_keep(0), k->bench(k, index, &t); index++) {
        double time = time_kernel(kernel_of(variant, k), &t);
        double reference = variant == c ? time : time_kernel(kernel_of(c, k), &t);
        printf("%-8s %-24s %-26s %8.2f ns a pixel %6.1fx\n", variant->name, k->name, t.label, time,
               reference / time);
        fflush(stdout);
    }
}

/* ---- the program ---------------------------------------------------------------------------- */

static const char *usage =
    "usage: check [--seed N] [--cases N] [--case N] [--kernel NAME] [--variant NAME] [--bench]\n";

static void read_options(int count, char **words)
{
    for (int i = 1; i < count; i++) {
        const char *word = words[i], *value = i + 1 < count ? words[i + 1] : NULL;
        if (!strcmp(word, "--bench")) {
            options.bench = true;
            continue;
        }
        if (!value) {
            fputs(usage, stderr);
            exit(2);
        }
        i++;
        if (!strcmp(word, "--seed"))
            options.seed = strtoull(value, NULL, 0);
        else if (!strcmp(word, "--cases"))
            options.cases = atoi(value);
        else if (!strcmp(word, "--case"))
            options.only_case = atoi(value);
        else if (!strcmp(word, "--kernel"))
            options.kernel = value;
        else if (!strcmp(word, "--variant"))
            options.variant = value;
        else {
            fputs(usage, stderr);
            exit(2);
        }
    }
}

static bool wanted(const char *option, const char *name)
{
    return !option || !strcmp(option, name);
}

int main(int count, char **words)
{
    int done = 0;
    bool passed = true;
    read_options(count, words);
    catch_signals();
    tc_init();
    const tc_kernels *c = tc_variant(0), *variant;
    for (int i = 0; tc_variant(i); i++)
        c = tc_variant(i);
    printf("seed %llu\n", (unsigned long long)options.seed);
    for (int i = 0; (variant = tc_variant(i)); i++)
        for (int list = 0; list < LISTS; list++)
            for (const kernel *k = lists[list]; k->name; k++) {
                if (!wanted(options.variant, variant->name) || !wanted(options.kernel, k->name))
                    continue;
                done++;
                if (options.bench)
                    bench_kernel(variant, c, k);
                else
                    passed &= check_kernel(variant, c, k);
            }
    if (!done)
        fprintf(stderr, "check: no kernel of that name and variant runs here\n");
    return passed && done ? 0 : 1;
}
