/*
 * A thread frees its client as soon as its call was cancelled, while another is still in
 * fpga_assoc_client_shutdown. Arguments: an endpoint that never answers, the number of rounds.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "fpga_associate.h"

static void *call_and_free(void *client)
{
    int32_t status = fpga_assoc_client_associate(client, "token", "project", "fpga", "ecs", NULL);
    fpga_assoc_client_free(client);
    return (void *)(intptr_t)status;
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    for (int round = 0; round < atoi(argv[2]); round++) {
        fpga_assoc_client *client;
        pthread_t thread;
        void *status;
        if (fpga_assoc_client_new(argv[1], NULL, &client, NULL) != FPGA_ASSOC_OK
            || pthread_create(&thread, NULL, call_and_free, client) != 0)
            return 3;
        /* At another point of the call each time; the call ends by this alone. */
        usleep((useconds_t)(round % 10) * 1000);
        fpga_assoc_client_shutdown(client);
        pthread_join(thread, &status);
        if ((intptr_t)status != FPGA_ASSOC_CANCELLED) {
            printf("round %d: %d\n", round, (int)(intptr_t)status);
            return 4;
        }
    }
    return 0;
}
