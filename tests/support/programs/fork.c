/*
 * Parent and child of a fork call the service at once, each for an FPGA image of its own that the service does not know. Its answer
 * names the image, so that an answer that went to the wrong side is seen.
 *
 *     fork ENDPOINT CA_FILE PROJECT_ID ECS_ID CALLS THREADS HOW
 *
 * With threads, they go on calling in the parent while it forks, so that the fork finds them in the middle of something. HOW is fork,
 * _Fork, clone, or log: then the log callback forks, at each line of a call in turn, and the child returns from the callback too.
 */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fpga_associate.h"

static const char *project_id, *ecs_id, *how;
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

static pid_t make_child(void)
{
    if (strcmp(how, "_Fork") == 0)
        return _Fork();
    if (strcmp(how, "clone") == 0)
        return (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
    return fork();
}

/* Forks; both sides call; 0 if all answers were right. */
static int fork_and_call(int count)
{
    int status = -1, is_right;
    pid_t child = make_child();
    if (child == 0)
        _exit(calls("child", count) ? 0 : 1);
    is_right = calls("parent", count);
    waitpid(child, &status, 0);
    return !is_right || status != 0;
}

static int lines, fork_at;
static pid_t child_of_log = -1;

static void fork_in_log(void *context, int32_t level, const char *line)
{
    (void)context, (void)level, (void)line;
    if (lines++ == fork_at)
        child_of_log = fork();
}

/* The child has no connection in the middle of a call; it may have no answer, but no wrong one, and its next call is right. */
static int child_after_log(int32_t status, const fpga_assoc_error *error)
{
    int is_honest = status == FPGA_ASSOC_NOT_FOUND
                    || (status == FPGA_ASSOC_CONNECTION_LOST && fpga_assoc_error_outcome_unknown(error));
    if (!is_honest)
        fprintf(stderr, "child: %d %s\n", (int)status, fpga_assoc_error_message(error));
    return is_honest && calls("child", 2);
}

/* 0 if all was right; 1 if not; 2 if the call has fewer lines. */
static int fork_at_line(const char *endpoint, const fpga_assoc_config *config, int line)
{
    fpga_assoc_error *error = NULL;
    char fpga_id[64];
    int32_t status;
    int child_status = -1, is_right;
    fork_at = line;
    lines = 0;
    child_of_log = -1;
    snprintf(fpga_id, sizeof fpga_id, "line-%d-%d", (int)getpid(), line);
    if (fpga_assoc_client_new(endpoint, config, &client, NULL) != FPGA_ASSOC_OK)
        return 1;
    status = fpga_assoc_client_associate(client, getenv("FPGA_TOKEN"), project_id, fpga_id, ecs_id, &error);
    fork_at = -1;
    if (child_of_log == 0)
        _exit(child_after_log(status, error) ? 0 : 1);
    is_right = status == FPGA_ASSOC_NOT_FOUND && strstr(fpga_assoc_error_message(error), fpga_id) != NULL;
    if (!is_right)
        fprintf(stderr, "parent, line %d: %d %s\n", line, (int)status, fpga_assoc_error_message(error));
    fpga_assoc_error_free(error);
    is_right = calls("parent", 2) && is_right;
    fpga_assoc_client_free(client);
    if (child_of_log == -1)
        return is_right ? 2 : 1;
    waitpid(child_of_log, &child_status, 0);
    return !is_right || child_status != 0;
}

static int fork_at_each_line(const char *endpoint, fpga_assoc_config *config)
{
    int line, result = 0;
    if (fpga_assoc_config_set_log(config, fork_in_log, NULL) != FPGA_ASSOC_OK)
        return 1;
    for (line = 0; result == 0; line++)
        result = fork_at_line(endpoint, config, line);
    return result == 2 && line > 3 ? 0 : 1;
}

int main(int argc, char **argv)
{
    fpga_assoc_config *config = fpga_assoc_config_new();
    int i, count, threads, wrong = 0, numbers[64];
    pthread_t ids[64];
    if (argc != 8)
        return 2;
    project_id = argv[3];
    ecs_id = argv[4];
    count = atoi(argv[5]);
    threads = atoi(argv[6]);
    how = argv[7];
    /* A side that hangs ends. */
    alarm(600);
    if ((strcmp(argv[2], "-") != 0 && fpga_assoc_config_set_ca_file(config, argv[2]) != FPGA_ASSOC_OK)
        || fpga_assoc_config_set_proxy(config, "") != FPGA_ASSOC_OK)
        return 1;
    if (strcmp(how, "log") == 0) {
        wrong = fork_at_each_line(argv[1], config);
        fpga_assoc_config_free(config);
        return wrong;
    }
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
