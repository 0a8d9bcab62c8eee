/*
 * A host that takes its credentials from the environment.
 *
 *     environment ENDPOINT PROJECT_ID FPGA_ID ECS_ID
 *
 * Prints the status and the message of the setter, a line for each warning of the log, and where there are credentials the status of two
 * calls; before the second all variables are taken away, as nobody may read them again.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>

#include "fpga_associate.h"

static void hear(void *context, int32_t level, const char *line)
{
    (void)context;
    if (level == FPGA_ASSOC_LOG_WARNING)
        printf("warning %s\n", line);
}

int main(int argc, char **argv)
{
    fpga_assoc_config *config = fpga_assoc_config_new();
    fpga_assoc_client *client;
    int32_t status;
    int i;
    if (argc != 5)
        return 1;
    status = fpga_assoc_config_set_environment_credentials(config);
    printf("%d %s\n", (int)status, fpga_assoc_last_error());
    if (status != FPGA_ASSOC_OK) {
        fpga_assoc_config_free(config);
        return 0;
    }
    if (fpga_assoc_config_set_log(config, hear, NULL) != FPGA_ASSOC_OK
        || fpga_assoc_config_set_idempotent(config, true) != FPGA_ASSOC_OK
        || fpga_assoc_client_new(argv[1], config, &client, NULL) != FPGA_ASSOC_OK)
        return 1;
    fpga_assoc_config_free(config);
    for (i = 0; i < 2; i++) {
        status = fpga_assoc_client_associate(client, NULL, argv[2], argv[3], argv[4], NULL);
        printf("call %d %s\n", (int)status, fpga_assoc_last_error());
        clearenv();
    }
    fpga_assoc_client_free(client);
    return 0;
}
