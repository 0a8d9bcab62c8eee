/* The work that all contenders do, and how they tell what it took. */
#ifndef WORK_H
#define WORK_H

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#define PROJECT_ID "9451dc59feef4bcab18d1d0a9bd8fd10"
#define FPGA_ID "4010a32b5f231f04015f24259efd0429"
#define ECS_ID "18efee75-e058-4c52-a49c-9e3ba4d1c8de"
#define USER_AGENT "fpga-associate/0.1.0"

/* PROGRAM ENDPOINT CA_FILE CALLS THREADS, with the token in FPGA_TOKEN. CA_FILE is "-" for plain http. */
struct work {
    const char *endpoint; /* http://host:port or https://host:port */
    const char *ca_file;  /* or NULL */
    const char *token;
    long calls; /* of each thread */
    int threads;
};

static struct work read_work(int argc, char **argv)
{
    struct work work;
    if (argc != 5 || getenv("FPGA_TOKEN") == NULL) {
        fputs("usage: FPGA_TOKEN=... PROGRAM ENDPOINT CA_FILE CALLS THREADS\n", stderr);
        exit(2);
    }
    work.endpoint = argv[1];
    work.ca_file = strcmp(argv[2], "-") == 0 ? NULL : argv[2];
    work.token = getenv("FPGA_TOKEN");
    work.calls = atol(argv[3]);
    work.threads = atoi(argv[4]);
    return work;
}

static double wall_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double cpu_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Memory of the process's own, without that of files, such as the libraries' code. */
static inline long resident_kib(void)
{
    long pages = 0, all = 0, of_files = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file == NULL || fscanf(file, "%ld %ld %ld", &all, &pages, &of_files) != 3)
        pages = -1;
    if (file != NULL)
        fclose(file);
    return (pages - of_files) * 4;
}

/* For who counts what is done between two marks. */
static inline void mark(void)
{
    if (getenv("BENCH_MARKS") != NULL)
        raise(SIGUSR2);
}

/* Runs the work of one thread after some calls to warm up, and prints: wall seconds, CPU seconds, growth in KiB, 0. */
static inline void measure(const struct work *work, void (*run)(const struct work *, long calls))
{
    double wall, cpu;
    long before;
    run(work, 200);
    resident_kib();
    before = resident_kib();
    wall = wall_seconds();
    cpu = cpu_seconds();
    mark();
    run(work, work->calls);
    mark();
    wall = wall_seconds() - wall;
    cpu = cpu_seconds() - cpu;
    printf("%.9f %.9f %ld 0\n", wall, cpu, resident_kib() - before);
}

static void fail(const char *what)
{
    fprintf(stderr, "%s\n", what);
    exit(1);
}

#endif
