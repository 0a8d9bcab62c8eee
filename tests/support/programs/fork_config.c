/*
 * A host that forks while its threads change a configuration: the child changes it too, and makes a client with it.
 *
 *     fork_config CA_FILE FORKS
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fpga_associate.h"

enum { THREADS = 3 };

static fpga_assoc_config *config;
static const char *ca_file;
static atomic_bool is_over;

static int change(void)
{
    return fpga_assoc_config_set_user_agent(config, "deploy-tool/1.2.3 with a name of some length") == FPGA_ASSOC_OK
           && fpga_assoc_config_set_ca_file(config, ca_file) == FPGA_ASSOC_OK
           && fpga_assoc_config_set_proxy(config, "http://user:password@proxy.test:3128") == FPGA_ASSOC_OK
           && fpga_assoc_config_set_timeout_ms(config, 1000) == FPGA_ASSOC_OK;
}

static void *change_on(void *unused)
{
    (void)unused;
    while (!is_over)
        if (!change())
            exit(1);
    return NULL;
}

int main(int argc, char **argv)
{
    pthread_t threads[THREADS];
    int i, status, forks;
    if (argc != 3)
        return 1;
    ca_file = argv[1];
    forks = atoi(argv[2]);
    config = fpga_assoc_config_new();
    for (i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, change_on, NULL) != 0)
            return 1;
    for (i = 0; i < forks; i++) {
        pid_t child = fork();
        if (child == 0) {
            fpga_assoc_client *client = NULL;
            alarm(600);
            if (!change() || fpga_assoc_client_new("service.test", config, &client, NULL) != FPGA_ASSOC_OK)
                _exit(1);
            fpga_assoc_client_free(client);
            fpga_assoc_config_free(config);
            _exit(0);
        }
        if (waitpid(child, &status, 0) != child || status != 0) {
            printf("child %d: %d\n", i, status);
            return 1;
        }
    }
    is_over = 1;
    for (i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    fpga_assoc_config_free(config);
    return 0;
}
