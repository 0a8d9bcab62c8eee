/* The load with this library: one client for all threads. */
#define _GNU_SOURCE
#include "fpga_associate.h"

#include "load.h"

static fpga_assoc_client *client;

static struct outcome told(int32_t status, fpga_assoc_error *error)
{
    struct outcome outcome = {0};
    if (status != FPGA_ASSOC_OK)
        snprintf(outcome.failure, sizeof outcome.failure, "%s", fpga_assoc_status_name(status) + strlen("FPGA_ASSOC_"));
    outcome.was_so = status == FPGA_ASSOC_ALREADY_ASSOCIATED || status == FPGA_ASSOC_NOT_ASSOCIATED;
    outcome.is_unknown = fpga_assoc_error_outcome_unknown(error);
    fpga_assoc_error_free(error);
    return outcome;
}

static struct outcome change(struct thread *thread, bool associate)
{
    fpga_assoc_error *error = NULL;
    int32_t status = (associate ? fpga_assoc_client_associate : fpga_assoc_client_disassociate)(
        client, token, project_id, thread->fpga_id, thread->ecs_id, &error);
    return told(status, error);
}

static struct outcome list(struct thread *thread)
{
    fpga_assoc_error *error = NULL;
    fpga_assoc_list *list = NULL;
    int32_t status =
        fpga_assoc_client_associations(client, token, project_id, NULL, thread->ecs_id, &list, &error);
    struct outcome outcome = told(status, error);
    outcome.shown = fpga_assoc_list_len(list) > 0 ? ASSOCIATED : APART;
    fpga_assoc_list_free(list);
    return outcome;
}

static void *the_client(void)
{
    fpga_assoc_config *config;
    if (client != NULL)
        return client;
    config = fpga_assoc_config_new();
    if (fpga_assoc_config_set_ca_file(config, ca_file) == FPGA_ASSOC_OK &&
        fpga_assoc_config_set_proxy(config, "") == FPGA_ASSOC_OK &&
        fpga_assoc_client_new(endpoint, config, &client, NULL) != FPGA_ASSOC_OK)
        fprintf(stderr, "%s\n", fpga_assoc_last_error());
    fpga_assoc_config_free(config);
    return client;
}

int main(int argc, char **argv)
{
    int status = run_load(argc, argv, the_client);
    fpga_assoc_client_free(client);
    return status;
}
