/*
 * This library's plan: so many pairs are to be associated, with so many requests at once. The time is that of all of it, from
 * making the client to the last answer; the growth is that at its peak.
 */
#include "fpga_associate.h"
#include "pairs.h"

/* Of all memory; that of files is the same whatever the plan. */
static long peak_kib(void)
{
    char line[256];
    long peak = -1;
    FILE *file = fopen("/proc/self/status", "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, "VmHWM: %ld", &peak) == 1)
            break;
    if (file != NULL)
        fclose(file);
    return peak;
}

static void check(int32_t status)
{
    if (status != FPGA_ASSOC_OK)
        fail(fpga_assoc_last_error());
}

int main(int argc, char **argv)
{
    struct work work = read_work(argc, argv);
    const char *project_id = getenv("FPGA_PROJECT_ID");
    fpga_assoc_client *client = NULL;
    fpga_assoc_config *config;
    fpga_assoc_plan *plan;
    double wall, cpu;
    long i, before;
    read_pairs(work.calls);
    before = peak_kib();
    wall = wall_seconds();
    cpu = cpu_seconds();

    config = fpga_assoc_config_new();
    if (work.ca_file != NULL)
        check(fpga_assoc_config_set_ca_file(config, work.ca_file));
    check(fpga_assoc_config_set_proxy(config, ""));
    check(fpga_assoc_client_new(work.endpoint, config, &client, NULL));
    fpga_assoc_config_free(config);
    plan = fpga_assoc_plan_new();
    check(fpga_assoc_plan_set_parallel(plan, (uint32_t)work.threads));
    for (i = 0; i < work.calls; i++)
        check(fpga_assoc_plan_add(plan, pairs[i].fpga_id, pairs[i].ecs_id, true));
    check(fpga_assoc_client_apply(client, work.token, project_id != NULL ? project_id : PROJECT_ID, plan, NULL));
    wall = wall_seconds() - wall;
    cpu = cpu_seconds() - cpu;

    for (i = 0; i < work.calls; i++) {
        int32_t result = fpga_assoc_plan_result(plan, (size_t)i);
        if (result != FPGA_ASSOC_RESULT_CHANGED && result != FPGA_ASSOC_RESULT_AS_WANTED)
            fail("plan: another result");
    }
    printf("%.9f %.9f %ld 0\n", wall, cpu, peak_kib() - before);
    fpga_assoc_plan_free(plan);
    fpga_assoc_client_free(client);
    return 0;
}
