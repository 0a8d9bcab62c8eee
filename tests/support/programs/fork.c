/*
 * Parent and child of a fork call the service at once, each for an FPGA image of its own that the service does not know. Its answer
 * names the image, so that an answer that went to the wrong side is seen.
 *
 *     fork ENDPOINT CA_FILE PROJECT_ID ECS_ID CALLS THREADS
 *
 * With threads, they go on calling in the parent while it forks, so that the fork finds them in the middle of something.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fpga_associate.h"

static const char *project_id, *ecs_id;
static fpga_assoc_client *client;
static atomic_bool is_over;

static int call(const char *fpga_id)
{
    fpga_assoc_error *error = NULL;
    int32_t status = fpga_assoc_client_associate(client, getenv("FPGA_TOKEN"), project_id, fpga_id, ecs_id, &error);
    int is_right = status == FPGA_ASSOC_NOT_FOUND && strstr(fpga_assoc_error_message(error), fpga_id) != NULL;
    if (!is_right)
        fprintf(stderr, "%s: %d %s\n", fpga_id, (int)status, fpga_assoc_error_message(error));
    fpga_assoc_error_free(error);
    return is_right;
}

static int calls(const char *who, int count)
{
    int i, right = 0;
    char fpga_id[64];
    for (i = 0; i < count; i++) {
        snprintf(fpga_id, sizeof fpga_id, "%s-%d-%d", who, (int)getpid(), i);
        right += call(fpga_id);
    }
    return right == count;
}

static void *thread(void *number)
{
    char who[32];
    snprintf(who, sizeof who, "thread%d", *(int *)number);
    while (!is_over)
        if (!calls(who, 1))
            return "wrong";
    return NULL;
}

/* Forks; both sides call; 0 if all answers were right. */
static int fork_and_call(int count)
{
    int status = -1, is_right;
    pid_t child = fork();
    if (child == 0)
        _exit(calls("child", count) ? 0 : 1);
    is_right = calls("parent", count);
    waitpid(child, &status, 0);
    return !is_right || status != 0;
}

int main(int argc, char **argv)
{
    fpga_assoc_config *config = fpga_assoc_config_new();
    int i, count, threads, wrong = 0, numbers[64];
    pthread_t ids[64];
    if (argc != 7)
        return 2;
    project_id = argv[3];
    ecs_id = argv[4];
    count = atoi(argv[5]);
    threads = atoi(argv[6]);
    if (strcmp(argv[2], "-") != 0)
        fpga_assoc_config_set_ca_file(config, argv[2]);
    fpga_assoc_config_set_proxy(config, "");
    if (fpga_assoc_client_new(argv[1], config, &client, NULL) != FPGA_ASSOC_OK)
        return 2;
    fpga_assoc_config_free(config);

    wrong += !calls("warm", 1);
    if (threads == 0) {
        wrong += fork_and_call(count);
    } else {
        for (i = 0; i < threads; i++) {
            numbers[i] = i;
            pthread_create(&ids[i], NULL, thread, &numbers[i]);
        }
        for (i = 0; i < 20; i++)
            wrong += fork_and_call(count);
        is_over = true;
        for (i = 0; i < threads; i++) {
            void *result;
            pthread_join(ids[i], &result);
            wrong += result != NULL;
        }
    }
    fpga_assoc_client_free(client);
    return wrong != 0;
}
