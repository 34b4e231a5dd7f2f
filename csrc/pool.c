/* A pool of sleeping workers, which help the threads that call tc_run.
 *
 * Every call puts its run, which lives on its stack, into one list; a worker joins a run by taking
 * a strip of it. The caller takes strips too and takes its run off the list when none is left, so
 * that it waits for strips that workers have in hand and for nothing else: a worker that wakes late
 * finds no run. One lock guards the list and is never held while a kernel runs.
 */
#define _POSIX_C_SOURCE 200809L

#include "pool.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>

#define MOST_WORKERS 256

/* Kernels keep up to 128 KiB of rows there; glibc also takes thread-local storage, of which large
 * libraries in the same process may have much, out of it. */
#define STACK_BYTES (1024 * 1024)

/* Many strips balance threads of unequal speed; small ones cost more than they balance. */
#define STRIPS_PER_THREAD 16
#define STRIP_PIXELS 16384

struct run {
    tc_kernel *kernel;
    const void *job;
    ptrdiff_t rows, strip; /* rows in all and rows a strip */
    ptrdiff_t strips;
    atomic_ptrdiff_t taken; /* strips; goes beyond strips when threads find none left */
    int seats;              /* workers that may still join */
    int working;            /* workers that have joined and not left */
    pthread_cond_t left;    /* the last worker has left */
    struct run *next;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t work = PTHREAD_COND_INITIALIZER;
static struct run *runs;
static int workers;

/* A kernel that calls tc_run does that work itself: its own run waits for it. */
static _Thread_local bool in_kernel;

/* ---- strips -------------------------------------------------------------------------------- */

static ptrdiff_t strip_rows(ptrdiff_t rows, ptrdiff_t pixels, int threads)
{
    ptrdiff_t width = pixels / rows > 0 ? pixels / rows : 1;
    ptrdiff_t balanced = rows / threads / STRIPS_PER_THREAD;
    ptrdiff_t least = STRIP_PIXELS / width;
    ptrdiff_t strip = balanced > least ? balanced : least;
    return strip / 4 * 4 + 4; /* neighbours share rows of chroma */
}

/* The number of a strip nobody else has, or run->strips when none is left. */
static ptrdiff_t take(struct run *run)
{
    ptrdiff_t strip = atomic_fetch_add_explicit(&run->taken, 1, memory_order_relaxed);
    return strip < run->strips ? strip : run->strips;
}

/* Does this strip and then others until none is left. */
static void work_on(struct run *run, ptrdiff_t strip)
{
    for (; strip < run->strips; strip = take(run)) {
        ptrdiff_t first = strip * run->strip;
        ptrdiff_t last = run->rows - first > run->strip ? first + run->strip : run->rows;
        run->kernel(run->job, first, last);
    }
}

/* ---- workers ------------------------------------------------------------------------------- */

/* A run to help and its strip; NULL when there is none. Under the lock. */
static struct run *join(ptrdiff_t *strip)
{
    for (struct run *run = runs; run; run = run->next) {
        if (run->seats > 0 && (*strip = take(run)) < run->strips) {
            run->seats--;
            run->working++;
            return run;
        }
    }
    return NULL;
}

static void *help(void *unused)
{
    in_kernel = true;
    pthread_mutex_lock(&lock);
    for (;;) {
        ptrdiff_t strip;
        struct run *run = join(&strip);
        if (!run) {
            pthread_cond_wait(&work, &lock);
            continue;
        }
        pthread_mutex_unlock(&lock);
        work_on(run, strip);
        pthread_mutex_lock(&lock);
        /* With the lock free again, the run may be gone. */
        if (--run->working == 0)
            pthread_cond_signal(&run->left);
    }
    return unused;
}

/* Detached: the process may end while workers sleep. Signals belong to the program's own threads,
 * but for those that an instruction raises, which its handlers may report. */
static bool create_worker(void)
{
    sigset_t blocked, before;
    pthread_attr_t attributes;
    pthread_t thread;
    if (pthread_attr_init(&attributes) != 0)
        return false;
    sigfillset(&blocked);
    sigdelset(&blocked, SIGSEGV);
    sigdelset(&blocked, SIGBUS);
    sigdelset(&blocked, SIGFPE);
    sigdelset(&blocked, SIGILL);
    pthread_sigmask(SIG_SETMASK, &blocked, &before);
    bool created = pthread_attr_setstacksize(&attributes, STACK_BYTES) == 0 &&
                   pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED) == 0 &&
                   pthread_create(&thread, &attributes, help, NULL) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return created;
}

/* Creates the workers that were counted beforehand; those that fail are counted no more. */
static void create_workers(int missing)
{
    while (missing > 0 && create_worker())
        missing--;
    if (missing > 0) {
        pthread_mutex_lock(&lock);
        workers -= missing;
        pthread_mutex_unlock(&lock);
    }
}

int tc_pool_workers(void)
{
    pthread_mutex_lock(&lock);
    int count = workers;
    pthread_mutex_unlock(&lock);
    return count;
}

/* ---- fork ---------------------------------------------------------------------------------- */

/* The lock is held during a fork, so that the child finds the list whole. */
static void before_fork(void) { pthread_mutex_lock(&lock); }

static void after_fork(void) { pthread_mutex_unlock(&lock); }

/* The child has neither the workers nor the threads that own the runs; new ones replace the lock
 * and the condition that those may have been waiting for. */
static void in_child(void)
{
    runs = NULL;
    workers = 0;
    lock = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
    work = (pthread_cond_t)PTHREAD_COND_INITIALIZER;
}

/* When the library is loaded, not at the first run: a fork under way in another thread would miss
 * handlers that come only now, and copy the lock while it is held. */
__attribute__((constructor)) static void handle_forks(void)
{
    pthread_atfork(before_fork, after_fork, in_child);
}

/* ---- callers ------------------------------------------------------------------------------- */

/* Puts a run on the list, wakes workers for it and creates those that there should be. */
static void announce(struct run *run)
{
    int seats = run->seats;
    pthread_mutex_lock(&lock);
    int missing = seats > workers ? seats - workers : 0;
    workers += missing;
    run->next = runs;
    runs = run;
    pthread_mutex_unlock(&lock);
    for (int i = 0; i < seats - missing; i++)
        pthread_cond_signal(&work);
    create_workers(missing);
}

/* Takes a run off the list and waits for the workers that have strips of it. */
static void finish(struct run *run)
{
    pthread_mutex_lock(&lock);
    struct run **link = &runs;
    while (*link != run)
        link = &(*link)->next;
    *link = run->next;
    while (run->working > 0)
        pthread_cond_wait(&run->left, &lock);
    pthread_mutex_unlock(&lock);
}

void tc_run(tc_kernel *kernel, const void *job, ptrdiff_t rows, ptrdiff_t pixels, int threads)
{
    if (rows <= 0)
        return;
    if (threads > MOST_WORKERS + 1)
        threads = MOST_WORKERS + 1;
    if (pixels < TC_POOL_PIXELS || in_kernel || threads < 1)
        threads = 1;
    ptrdiff_t strip = strip_rows(rows, pixels, threads);
    ptrdiff_t strips = (rows - 1) / strip + 1;
    if (strips < threads)
        threads = (int)strips;
    if (threads == 1) {
        kernel(job, 0, rows);
        return;
    }
    struct run run = {.kernel = kernel,
                      .job = job,
                      .rows = rows,
                      .strip = strip,
                      .strips = strips,
                      .seats = threads - 1,
                      .left = PTHREAD_COND_INITIALIZER};
    announce(&run);
    in_kernel = true;
    work_on(&run, take(&run));
    in_kernel = false;
    finish(&run);
    pthread_cond_destroy(&run.left);
}
