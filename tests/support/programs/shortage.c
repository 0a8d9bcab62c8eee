/*
 * A host in whose address space little is free when it makes a call.
 *
 *     shortage ENDPOINT CALL MOST_KIB STEP_KIB THREADS
 *
 * CALL is list or associate. Each child has so many KiB more than the one before, and makes the call on so many threads at once. Prints
 * each status that a call ended with, once.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fpga_associate.h"

enum { MOST_THREADS = 64, STATUSES = 100 };

static fpga_assoc_client *client;
static pthread_barrier_t all;
static int is_list;

static void *call(void *status)
{
    fpga_assoc_list *list = NULL;
    pthread_barrier_wait(&all);
    pthread_barrier_wait(&all);
    if (is_list)
        *(int32_t *)status = fpga_assoc_client_associations(client, "a-token", "p", NULL, "e", &list, NULL);
    else
        *(int32_t *)status = fpga_assoc_client_associate(client, "a-token", "p", "f", "e", NULL);
    fpga_assoc_list_free(list);
    return NULL;
}

static void leave(long kib)
{
    long pages = 0;
    struct rlimit limit;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file == NULL || fscanf(file, "%ld", &pages) != 1)
        _exit(1);
    fclose(file);
    getrlimit(RLIMIT_AS, &limit);
    limit.rlim_cur = (rlim_t)pages * 4096 + (rlim_t)kib * 1024;
    setrlimit(RLIMIT_AS, &limit);
}

static void child(const char *endpoint, long kib, int threads, int report)
{
    pthread_t ids[MOST_THREADS];
    int32_t statuses[MOST_THREADS];
    int i;
    alarm(600);
    pthread_barrier_init(&all, NULL, (unsigned)threads + 1);
    if (fpga_assoc_client_new(endpoint, NULL, &client, NULL) != FPGA_ASSOC_OK)
        _exit(1);
    for (i = 0; i < threads; i++)
        if (pthread_create(&ids[i], NULL, call, &statuses[i]) != 0)
            _exit(1);
    pthread_barrier_wait(&all);
    leave(kib);
    pthread_barrier_wait(&all);
    for (i = 0; i < threads; i++)
        pthread_join(ids[i], NULL);
    if (write(report, statuses, sizeof *statuses * (size_t)threads) < 0)
        _exit(1);
    _exit(0);
}

int main(int argc, char **argv)
{
    int seen[STATUSES] = {0}, i, reports[2], result, threads;
    int32_t status;
    long kib;
    if (argc != 6)
        return 1;
    is_list = strcmp(argv[2], "list") == 0;
    threads = atoi(argv[5]);
    for (kib = 0; kib <= atol(argv[3]); kib += atol(argv[4])) {
        pid_t pid;
        if (pipe(reports) != 0)
            return 1;
        pid = fork();
        if (pid == 0)
            child(argv[1], kib, threads, reports[1]);
        close(reports[1]);
        while (read(reports[0], &status, sizeof status) == sizeof status)
            if (status >= 0 && status < STATUSES)
                seen[status] = 1;
        close(reports[0]);
        waitpid(pid, &result, 0);
        if (result != 0) {
            printf("with %ld KiB: %s %d\n", kib, WIFSIGNALED(result) ? "signal" : "exit", WIFSIGNALED(result) ? WTERMSIG(result) : WEXITSTATUS(result));
            return 1;
        }
    }
    for (i = 0; i < STATUSES; i++)
        if (seen[i])
            printf("%d ", i);
    puts("");
    return 0;
}
