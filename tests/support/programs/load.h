/*
 * A load of calls until standard input ends, and what became of them:
 *
 *     FPGA_TOKEN=... PROGRAM ENDPOINT CA_FILE PROJECT_ID [FPGA_ID ECS_ID]...
 *
 * Each pair has a thread that associates it, takes it apart, and lists its ECS image between, without a
 * pause but for a short one after a failure. It keeps in mind what it was told, and counts where it is
 * told something that does not fit.
 */
#ifndef LOAD_H
#define LOAD_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MAX_THREADS 16
#define MAX_KINDS 16
#define PAUSE_NS 20000000

static const char *endpoint, *ca_file, *token, *project_id;

enum state { APART, ASSOCIATED, UNKNOWN };

/* What a call came to. */
struct outcome {
    char failure[64]; /* "" for a success */
    bool was_so;      /* the service said that there was nothing to do */
    bool is_unknown;  /* it may have been done all the same */
    enum state shown; /* by a list that succeeded */
};

struct thread {
    pthread_t id;
    const char *fpga_id, *ecs_id;
    void *caller; /* what the contender keeps for it */
    enum state state;
    long calls, wrong;
    struct {
        char name[64];
        long count;
    } failures[MAX_KINDS];
};

/* The contender's. */
static struct outcome change(struct thread *thread, bool associate);
static struct outcome list(struct thread *thread);

static atomic_bool is_over;

static void note_failure(struct thread *thread, const char *name)
{
    struct timespec pause = {0, PAUSE_NS};
    int i = 0;
    while (i < MAX_KINDS - 1 && thread->failures[i].count > 0 && strcmp(thread->failures[i].name, name) != 0)
        i++;
    snprintf(thread->failures[i].name, sizeof thread->failures[i].name, "%s", name);
    thread->failures[i].count++;
    nanosleep(&pause, NULL);
}

/* Nothing to do is what a caller expects who does not know what became of the call before. */
static void make_change(struct thread *thread)
{
    bool associate = thread->state != ASSOCIATED;
    struct outcome outcome = change(thread, associate);
    thread->calls++;
    if (outcome.was_so && thread->state != UNKNOWN)
        thread->wrong++;
    else if (outcome.was_so)
        outcome.failure[0] = '\0';
    if (outcome.failure[0] != '\0')
        note_failure(thread, outcome.failure);
    if (outcome.failure[0] == '\0' || outcome.was_so)
        thread->state = associate ? ASSOCIATED : APART;
    else if (outcome.is_unknown)
        thread->state = UNKNOWN;
}

static void make_list(struct thread *thread)
{
    struct outcome outcome = list(thread);
    thread->calls++;
    if (outcome.failure[0] != '\0') {
        note_failure(thread, outcome.failure);
    } else if (thread->state != UNKNOWN && thread->state != outcome.shown) {
        thread->wrong++;
        thread->state = outcome.shown;
    }
}

static void *run(void *argument)
{
    while (!is_over) {
        make_change(argument);
        make_list(argument);
    }
    return NULL;
}

static void print(const struct thread *thread)
{
    static const char *const states[] = {"apart", "associated", "unknown"};
    int i;
    printf("calls %ld\nwrong %ld\n", thread->calls, thread->wrong);
    for (i = 0; i < MAX_KINDS; i++)
        if (thread->failures[i].count > 0)
            printf("failed %ld %s\n", thread->failures[i].count, thread->failures[i].name);
    printf("pair %s %s %s\n", thread->fpga_id, thread->ecs_id, states[thread->state]);
}

/* The callers are those of the threads, as many as there are pairs. */
static int run_load(int argc, char **argv, void *(*new_caller)(void))
{
    static struct thread threads[MAX_THREADS];
    int count = (argc - 4) / 2, i;
    char byte;
    if (count < 1 || count > MAX_THREADS || getenv("FPGA_TOKEN") == NULL)
        return 2;
    endpoint = argv[1];
    ca_file = argv[2];
    project_id = argv[3];
    token = getenv("FPGA_TOKEN");
    for (i = 0; i < count; i++) {
        threads[i].fpga_id = argv[4 + 2 * i];
        threads[i].ecs_id = argv[5 + 2 * i];
        threads[i].caller = new_caller();
        if (threads[i].caller == NULL || pthread_create(&threads[i].id, NULL, run, &threads[i]) != 0)
            return 3;
    }
    while (read(STDIN_FILENO, &byte, 1) > 0) {
    }
    is_over = true;
    for (i = 0; i < count; i++)
        pthread_join(threads[i].id, NULL);
    for (i = 0; i < count; i++)
        print(&threads[i]);
    return 0;
}

#endif
