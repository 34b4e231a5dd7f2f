/* Threads over the rows of a picture.
 *
 * tc_run does the rows 0..rows-1 of a job with at most that many threads, the caller among them,
 * and returns when all are done. pixels is the size of the whole job: a small one, threads <= 1
 * and a single row run on the calling thread alone, and so does a call out of a kernel. Any threads
 * may call it at any time, and a forked child may. When a worker cannot be created, fewer threads
 * do the work.
 *
 * A kernel gets strips of rows: each but the last is a multiple of 4 rows, and the results must not
 * depend on where strips begin and end.
 */
#ifndef TRTCOLOR_POOL_H
#define TRTCOLOR_POOL_H

#include <stddef.h>

#include "color.h"

/* Jobs of fewer pixels run on the calling thread: waking another one takes as long. */
#define TC_POOL_PIXELS 100000

void tc_run(tc_kernel *kernel, const void *job, ptrdiff_t rows, ptrdiff_t pixels, int threads);

/* The threads that this process has created to help, at present asleep or at work. */
int tc_pool_workers(void);

#endif
