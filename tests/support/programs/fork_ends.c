/*
 * A child of fork shuts down, or frees, the client that it has from its parent, or closes its idle connections. The parent
 * meanwhile is in the middle of a call, and has an idle connection.
 *
 *     fork_ends ENDPOINT CA_FILE PROJECT_ID FPGA_ID ECS_ID shutdown|close_idle|free
 *
 * Forks when a line comes; prints a line when the parent has called on; ends when the call that was under way has.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fpga_associate.h"

static const char *project_id, *fpga_id, *ecs_id;
static fpga_assoc_client *client;

static int32_t call(void)
{
    fpga_assoc_error *error = NULL;
    int32_t status = fpga_assoc_client_associate(client, getenv("FPGA_TOKEN"), project_id, fpga_id, ecs_id, &error);
    if (status != FPGA_ASSOC_OK)
        fprintf(stderr, "%d: %d %s\n", (int)getpid(), (int)status, fpga_assoc_error_message(error));
    fpga_assoc_error_free(error);
    return status;
}

static void *under_way(void *status)
{
    *(int32_t *)status = call();
    return NULL;
}

/* 0 if the client does in the child what it is told. */
static int end(const char *what)
{
    if (strcmp(what, "shutdown") == 0) {
        fpga_assoc_client_shutdown(client);
        return call() != FPGA_ASSOC_CANCELLED;
    }
    if (strcmp(what, "close_idle") == 0) {
        int32_t before = call(), after;
        fpga_assoc_client_close_idle(client);
        after = call();
        return before != FPGA_ASSOC_OK || after != FPGA_ASSOC_OK;
    }
    fpga_assoc_client_free(client);
    return 0;
}

int main(int argc, char **argv)
{
    fpga_assoc_config *config = fpga_assoc_config_new();
    int32_t status = -1;
    int child_status = -1;
    pthread_t thread;
    pid_t child;
    if (argc != 7 || fpga_assoc_config_set_proxy(config, "") != FPGA_ASSOC_OK)
        return 2;
    if (strcmp(argv[2], "-") != 0 && fpga_assoc_config_set_ca_file(config, argv[2]) != FPGA_ASSOC_OK)
        return 2;
    if (fpga_assoc_client_new(argv[1], config, &client, NULL) != FPGA_ASSOC_OK)
        return 2;
    fpga_assoc_config_free(config);
    project_id = argv[3];
    fpga_id = argv[4];
    ecs_id = argv[5];
    pthread_create(&thread, NULL, under_way, &status);
    if (getchar() != '\n' || call() != FPGA_ASSOC_OK)
        return 3;
    child = fork();
    if (child == 0)
        _exit(end(argv[6]));
    waitpid(child, &child_status, 0);
    if (child_status != 0 || call() != FPGA_ASSOC_OK)
        return 4;
    puts("called");
    fflush(stdout);
    pthread_join(thread, NULL);
    fpga_assoc_client_free(client);
    return status == FPGA_ASSOC_OK ? 0 : 5;
}
