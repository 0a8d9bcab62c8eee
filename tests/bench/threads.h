/* The same work on many threads at once. */
#ifndef THREADS_H
#define THREADS_H

#include <pthread.h>

#include "work.h"

static double slowest_call;

/* Notes what the slowest call of a thread took. */
static void note_slowest(double seconds)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&lock);
    if (seconds > slowest_call)
        slowest_call = seconds;
    pthread_mutex_unlock(&lock);
}

#define MAX_THREADS 1024

static pthread_barrier_t all_are_there;

static void *touch_stack(void *unused)
{
    volatile char stack[64 * 1024];
    size_t i;
    (void)unused;
    for (i = 0; i < sizeof stack; i += 1024)
        stack[i] = 1;
    pthread_barrier_wait(&all_are_there);
    return NULL;
}

static void run_all(int count, void *(*thread)(void *), void *argument)
{
    static pthread_t threads[MAX_THREADS];
    int i;
    for (i = 0; i < count; i++)
        if (pthread_create(&threads[i], NULL, thread, argument) != 0)
            exit(3);
    for (i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
}

/* Runs the work of many threads, and prints: wall seconds, CPU seconds, growth in KiB, seconds of the slowest call. */
static void run_threads(struct work *work, void *(*thread)(void *work))
{
    double wall, cpu;
    long before;
    /* The C library keeps the stacks of threads that have ended; they are not what a call leaves. */
    pthread_barrier_init(&all_are_there, NULL, (unsigned)work->threads);
    run_all(work->threads, touch_stack, NULL);
    before = resident_kib();
    wall = wall_seconds();
    cpu = cpu_seconds();
    run_all(work->threads, thread, work);
    printf("%.9f %.9f %ld %.9f\n", wall_seconds() - wall, cpu_seconds() - cpu, resident_kib() - before, slowest_call);
}

#endif
