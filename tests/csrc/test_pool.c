/* The pool: rows, threads, nesting, fork. Needs csrc/pool.c and pthreads alone. */
#undef NDEBUG
#define _POSIX_C_SOURCE 200809L

#include "../../csrc/pool.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MOST_ROWS 3000
#define BIG TC_POOL_PIXELS

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED
#endif

/* What sanitizers need to allow a fork among threads: ThreadSanitizer refuses new threads in the
 * child, and LeakSanitizer looks there for threads that only the parent has. */
const char *__tsan_default_options(void);
const char *__asan_default_options(void);

const char *__tsan_default_options(void) { return "die_after_fork=0:atexit_sleep_ms=0"; }

const char *__asan_default_options(void) { return "detect_leaks=0"; }

/* ---- a job that counts ---------------------------------------------------------------------- */

typedef struct {
    atomic_int times[MOST_ROWS]; /* how often each row was done */
    atomic_int calls, inside, most_inside;
    ptrdiff_t rows;
    pid_t process; /* whose threads may do it */
} tally;

static void count_rows(const void *job, ptrdiff_t first, ptrdiff_t last)
{
    tally *tally = *(void *const *)job;
    assert(getpid() == tally->process);
    assert(0 <= first && first < last && last <= tally->rows);
    assert(first % 4 == 0 && (last % 4 == 0 || last == tally->rows));
    int inside = atomic_fetch_add(&tally->inside, 1) + 1;
    int most = atomic_load(&tally->most_inside);
    while (inside > most && !atomic_compare_exchange_weak(&tally->most_inside, &most, inside))
        ;
    for (ptrdiff_t y = first; y < last; y++)
        atomic_fetch_add(&tally->times[y], 1);
    atomic_fetch_add(&tally->calls, 1);
    atomic_fetch_sub(&tally->inside, 1);
}

/* Runs a tally and checks it. */
static void check_run(tally *tally, ptrdiff_t rows, ptrdiff_t pixels, int threads)
{
    memset(tally, 0, sizeof *tally);
    tally->rows = rows;
    tally->process = getpid();
    tc_run(count_rows, &tally, rows, pixels, threads);
    assert(tally->inside == 0);
    assert(tally->most_inside <= (threads > 1 ? threads : 1));
    for (ptrdiff_t y = 0; y < rows; y++)
        assert(tally->times[y] == 1);
}

static unsigned next_random(unsigned *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

static void check_random_run(tally *tally, unsigned *state, int most_threads)
{
    ptrdiff_t rows = 1 + next_random(state) % MOST_ROWS;
    ptrdiff_t width = 1 + next_random(state) % 4000;
    check_run(tally, rows, rows * width, (int)(next_random(state) % (unsigned)(most_threads + 1)));
}

/* ---- facts ---------------------------------------------------------------------------------- */

static void little_work_stays_on_the_caller(void)
{
    static tally tally;
    check_run(&tally, 300, BIG - 1, 8);
    assert(tally.calls == 1);
    check_run(&tally, 300, BIG, 1);
    assert(tally.calls == 1);
    check_run(&tally, 300, BIG, -1);
    assert(tally.calls == 1);
    check_run(&tally, 1, BIG, 8);
    assert(tally.calls == 1);
    check_run(&tally, 0, BIG, 8);
    assert(tally.calls == 0);
    assert(tc_pool_workers() == 0);
}

/* By qemu, which ignores the limit below and cannot fork while several threads run. */
static bool emulated;

static void no_thread_to_be_had_is_no_error(void)
{
#if !defined(SANITIZED) && defined(__linux__) /* where no memory for a stack means no thread */
    static tally tally;
    struct rlimit before, none;
    getrlimit(RLIMIT_AS, &before);
    none = before;
    none.rlim_cur = 0;
    assert(setrlimit(RLIMIT_AS, &none) == 0);
    void *volatile memory = malloc(16 * 1024 * 1024);
    emulated = memory != NULL;
    check_run(&tally, MOST_ROWS, BIG, 4);
    assert(setrlimit(RLIMIT_AS, &before) == 0);
    assert(tc_pool_workers() == (emulated ? 3 : 0));
    free(memory);
    check_run(&tally, MOST_ROWS, BIG, 4);
    assert(tc_pool_workers() == 3);
#endif
}

static void every_row_is_done_once(void)
{
    static tally tally;
    unsigned state = 1;
    for (int i = 0; i < 2000; i++)
        check_random_run(&tally, &state, 9);
    assert(tc_pool_workers() == 8);
}

static void there_are_at_most_256_workers(void)
{
    static tally tally;
    check_run(&tally, MOST_ROWS, (ptrdiff_t)1 << 40, 100000);
    assert(tc_pool_workers() <= 256);
}

static void *call_often(void *seed)
{
    tally *tally = malloc(sizeof *tally);
    unsigned state = *(unsigned *)seed;
    for (int i = 0; i < 300; i++)
        check_random_run(tally, &state, 5);
    free(tally);
    return NULL;
}

static void many_callers_at_once_all_get_their_rows(void)
{
    pthread_t callers[8];
    unsigned seeds[8];
    for (unsigned i = 0; i < 8; i++) {
        seeds[i] = i;
        assert(pthread_create(&callers[i], NULL, call_often, &seeds[i]) == 0);
    }
    for (int i = 0; i < 8; i++)
        assert(pthread_join(callers[i], NULL) == 0);
}

static void run_within(const void *job, ptrdiff_t first, ptrdiff_t last)
{
    (void)job;
    tally *inner = malloc(sizeof *inner);
    check_run(inner, 500 + (last - first), 10 * BIG, 4);
    assert(inner->calls == 1);
    free(inner);
}

static void a_kernel_that_calls_tc_run_does_the_work_itself(void)
{
    tc_run(run_within, NULL, 400, 10 * BIG, 4);
    static tally tally; /* and its thread is a common caller again afterwards */
    check_run(&tally, 400, 10 * BIG, 4);
    assert(tally.calls > 1);
}

static void use_stack_and_check_signals(const void *job, ptrdiff_t first, ptrdiff_t last)
{
    const pthread_t *caller = job;
    volatile char rows[192 * 1024];
    for (size_t i = 0; i < sizeof rows; i += 512)
        rows[i] = (char)(first + last);
    sigset_t blocked;
    pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    int worker = !pthread_equal(*caller, pthread_self());
    assert(sigismember(&blocked, SIGINT) == worker && sigismember(&blocked, SIGCHLD) == worker);
    assert(!sigismember(&blocked, SIGSEGV));
}

static void workers_have_room_and_leave_signals_to_others(void)
{
    pthread_t self = pthread_self();
    for (int i = 0; i < 50; i++)
        tc_run(use_stack_and_check_signals, &self, MOST_ROWS, 10 * BIG, 4);
}

/* ---- a run does not depend on workers ------------------------------------------------------- */

static void sleep_a_little(void) { nanosleep(&(struct timespec){.tv_nsec = 100000}, NULL); }

static atomic_int stuck;
static atomic_bool released;

static void wait_for_release(const void *job, ptrdiff_t first, ptrdiff_t last)
{
    (void)job, (void)first, (void)last;
    atomic_fetch_add(&stuck, 1);
    while (!released)
        sleep_a_little();
}

static void *hold_the_workers(void *threads)
{
    tc_run(wait_for_release, NULL, MOST_ROWS, 1000 * BIG, *(int *)threads);
    return NULL;
}

static void a_caller_does_not_wait_for_workers_held_elsewhere(void)
{
    static tally tally;
    pthread_t holder;
    int threads = tc_pool_workers() + 1;
    stuck = 0;
    released = false;
    assert(pthread_create(&holder, NULL, hold_the_workers, &threads) == 0);
    while (stuck < threads)
        sleep_a_little();
    for (int i = 0; i < 100; i++) {
        check_run(&tally, MOST_ROWS, 100 * BIG, 2);
        assert(tally.most_inside == 1);
    }
    released = true;
    assert(pthread_join(holder, NULL) == 0);
}

/* ---- fork ----------------------------------------------------------------------------------- */

static atomic_bool enough;

static void *call_until_enough(void *seed)
{
    tally *tally = malloc(sizeof *tally);
    unsigned state = *(unsigned *)seed;
    while (!enough)
        check_random_run(tally, &state, 4);
    free(tally);
    return NULL;
}

/* In a forked child: it starts without workers, gets its own, and ends with them asleep. */
static void be_a_child(int number)
{
    static tally tally;
    alarm(60);
    assert(tc_pool_workers() == 0);
    for (int i = 0; i < 3; i++)
        check_run(&tally, MOST_ROWS, 10 * BIG, 3);
    assert(tc_pool_workers() == 2);
    if (number % 2)
        _exit(0);
    exit(0);
}

static void fork_and_wait(int children)
{
    for (int i = 0; i < children; i++) {
        pid_t child = fork();
        assert(child >= 0);
        if (child == 0)
            be_a_child(i);
        int status;
        assert(waitpid(child, &status, 0) == child);
        assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
}

static void a_child_forked_while_others_run_works(void)
{
    pthread_t callers[3];
    unsigned seeds[3] = {7, 8, 9};
    if (emulated) {
        puts("  skipped");
        return;
    }
    enough = false;
    for (int i = 0; i < 3; i++)
        assert(pthread_create(&callers[i], NULL, call_until_enough, &seeds[i]) == 0);
    fork_and_wait(300);
    enough = true;
    for (int i = 0; i < 3; i++)
        assert(pthread_join(callers[i], NULL) == 0);
    static tally tally; /* and the parent's pool is whole */
    check_run(&tally, MOST_ROWS, 10 * BIG, 4);
}

#define TEST(fact) (puts(#fact), fflush(stdout), fact())

int main(void)
{
    alarm(300);                            /* a hang is a failure */
    TEST(little_work_stays_on_the_caller); /* the first two want a process without workers */
    TEST(no_thread_to_be_had_is_no_error);
    TEST(every_row_is_done_once);
    TEST(many_callers_at_once_all_get_their_rows);
    TEST(a_kernel_that_calls_tc_run_does_the_work_itself);
    TEST(workers_have_room_and_leave_signals_to_others);
    TEST(a_caller_does_not_wait_for_workers_held_elsewhere);
    TEST(a_child_forked_while_others_run_works);
    TEST(there_are_at_most_256_workers);
    return 0;
}
