/*
 * A host that cancels threads in the middle of a call.
 *
 *     cancel ENDPOINT CA_FILE PROJECT_ID FPGA_ID ECS_ID THREADS EXPECTED
 *
 * Each of THREADS makes one call, in whose middle it is cancelled: each a little later than the one before, and the last ones from
 * within the log callback, at each line that it hears. EXPECTED is the status of a call; the token is in the environment.
 */
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fpga_associate.h"

enum { LINES = 6 };

static const char *token, *project_id, *fpga_id, *ecs_id;
static fpga_assoc_client *client;
static atomic_bool has_returned;
static sem_t begun, returned;
static atomic_int lines_until_cancelled;
static int32_t expected;

static void *call(void *unused)
{
    fpga_assoc_error *error = NULL;
    int32_t status;
    (void)unused;
    sem_post(&begun);
    status = fpga_assoc_client_associate(client, token, project_id, fpga_id, ecs_id, &error);
    if (status != expected) {
        printf("%d: %s\n", (int)status, fpga_assoc_error_message(error));
        exit(1);
    }
    fpga_assoc_error_free(error);
    has_returned = true;
    sem_post(&returned);
    for (;;)
        pause();
    return NULL;
}

static void hear(void *context, int32_t level, const char *line)
{
    (void)context;
    (void)level;
    (void)line;
    if (lines_until_cancelled > 0 && --lines_until_cancelled == 0)
        pthread_cancel(pthread_self());
}

static int run(int spins, int lines)
{
    pthread_t thread;
    void *result = NULL;
    has_returned = false;
    lines_until_cancelled = lines;
    if (pthread_create(&thread, NULL, call, NULL) != 0)
        return 0;
    sem_wait(&begun);
    while (spins-- > 0)
        sched_yield();
    if (lines == 0)
        pthread_cancel(thread);
    sem_wait(&returned);
    /* Where the call made fewer lines. */
    pthread_cancel(thread);
    pthread_join(thread, &result);
    return result == PTHREAD_CANCELED && has_returned;
}

int main(int argc, char **argv)
{
    fpga_assoc_config *config = fpga_assoc_config_new();
    int i, threads;
    if (argc != 8 || sem_init(&begun, 0, 0) != 0 || sem_init(&returned, 0, 0) != 0)
        return 1;
    token = getenv("FPGA_TOKEN");
    project_id = argv[3];
    fpga_id = argv[4];
    ecs_id = argv[5];
    threads = atoi(argv[6]);
    expected = atoi(argv[7]);
    if ((*argv[2] != '\0' && fpga_assoc_config_set_ca_file(config, argv[2]) != FPGA_ASSOC_OK)
        || fpga_assoc_config_set_proxy(config, "") != FPGA_ASSOC_OK
        || fpga_assoc_config_set_timeout_ms(config, expected == FPGA_ASSOC_TIMEOUT ? 400 : 30000) != FPGA_ASSOC_OK
        || fpga_assoc_config_set_log(config, hear, NULL) != FPGA_ASSOC_OK
        || fpga_assoc_client_new(argv[1], config, &client, NULL) != FPGA_ASSOC_OK) {
        puts(fpga_assoc_last_error());
        return 1;
    }
    fpga_assoc_config_free(config);
    for (i = 0; i < threads; i++) {
        /* From time to time all connections are made anew. */
        if (i % 8 == 0)
            fpga_assoc_client_close_idle(client);
        if (!run(i * 3, 0))
            return 1;
    }
    for (i = 1; i <= LINES && threads > LINES; i++) {
        fpga_assoc_client_close_idle(client);
        lines_until_cancelled = 0;
        if (!run(0, i))
            return 1;
    }
    fpga_assoc_client_free(client);
    puts("all cancelled after their call");
    return 0;
}
