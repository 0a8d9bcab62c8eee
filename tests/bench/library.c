/* This library, as a C programmer uses it: one client, any number of threads. */
#include <pthread.h>

#include "fpga_associate.h"
#include "work.h"

static fpga_assoc_client *client;

static void run(const struct work *work, long calls)
{
    long i;
    for (i = 0; i < calls; i++) {
        int32_t status = fpga_assoc_client_associate(client, work->token, PROJECT_ID, FPGA_ID, ECS_ID, NULL);
        if (status != FPGA_ASSOC_OK)
            fail(fpga_assoc_last_error());
    }
}

static void *thread(void *work)
{
    run(work, ((struct work *)work)->calls);
    return NULL;
}

int main(int argc, char **argv)
{
    struct work work = read_work(argc, argv);
    fpga_assoc_config *config = fpga_assoc_config_new();
    if (work.ca_file != NULL && fpga_assoc_config_set_ca_file(config, work.ca_file) != FPGA_ASSOC_OK)
        fail(fpga_assoc_last_error());
    if (fpga_assoc_config_set_proxy(config, "") != FPGA_ASSOC_OK
        || fpga_assoc_client_new(work.endpoint, config, &client, NULL) != FPGA_ASSOC_OK)
        fail(fpga_assoc_last_error());
    fpga_assoc_config_free(config);

    if (work.threads == 0) {
        run(&work, work.calls);
    } else if (work.threads == 1) {
        measure(&work, run);
    } else {
        pthread_t threads[256];
        double wall = wall_seconds(), cpu = cpu_seconds();
        int i;
        for (i = 0; i < work.threads; i++)
            pthread_create(&threads[i], NULL, thread, &work);
        for (i = 0; i < work.threads; i++)
            pthread_join(threads[i], NULL);
        printf("%.9f %.9f 0\n", wall_seconds() - wall, cpu_seconds() - cpu);
    }
    fpga_assoc_client_free(client);
    return 0;
}
