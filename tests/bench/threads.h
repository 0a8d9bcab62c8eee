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

/* Runs the work of many threads, and prints: wall seconds, CPU seconds, growth in KiB, seconds of the slowest call. */
static void run_threads(struct work *work, void *(*thread)(void *work))
{
    static pthread_t threads[MAX_THREADS];
    double wall = wall_seconds(), cpu = cpu_seconds();
    long before = resident_kib();
    int i;
    for (i = 0; i < work->threads; i++)
        if (pthread_create(&threads[i], NULL, thread, work) != 0)
            exit(3);
    for (i = 0; i < work->threads; i++)
        pthread_join(threads[i], NULL);
    printf("%.9f %.9f %ld %.9f\n", wall_seconds() - wall, cpu_seconds() - cpu, resident_kib() - before, slowest_call);
}

#endif
