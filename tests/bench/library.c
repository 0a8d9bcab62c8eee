/* This library, as a C programmer uses it: one client, any number of threads. */
#include "fpga_associate.h"
#include "threads.h"

static fpga_assoc_client *client;

/* Signs the requests in place of the token, where there is one. */
static const char *secret_key;

static void run(const struct work *work, long calls)
{
    long i;
    double slowest = 0;
    const char *token = secret_key == NULL ? work->token : NULL;
    for (i = 0; i < calls; i++) {
        double begun = work->threads > 1 ? wall_seconds() : 0;
        int32_t status = fpga_assoc_client_associate(client, token, PROJECT_ID, FPGA_ID, ECS_ID, NULL);
        if (status != FPGA_ASSOC_OK)
            fail(fpga_assoc_last_error());
        if (work->threads > 1 && wall_seconds() - begun > slowest)
            slowest = wall_seconds() - begun;
    }
    note_slowest(slowest);
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
    secret_key = getenv("FPGA_SECRET_KEY");
    if (secret_key != NULL && fpga_assoc_config_set_access_key(config, "BENCHMARKKEY01234567", secret_key, NULL) != FPGA_ASSOC_OK)
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
        run_threads(&work, thread);
    }
    fpga_assoc_client_free(client);
    return 0;
}
