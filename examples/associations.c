/*
 * Lists the associations of an FPGA image, of an ECS image, or of both.
 *
 *     associations ENDPOINT PROJECT_ID [--fpga ID] [--ecs ID] [--json]
 *
 * The token comes from the environment, because other users of the machine can read a command line.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fpga_associate.h"

static void usage(FILE *out)
{
    fputs("usage: associations ENDPOINT PROJECT_ID [--fpga ID] [--ecs ID] [--json]\n"
          "\n"
          "Lists which FPGA images are associated with which ECS images of Huawei Cloud.\n"
          "\n"
          "  ENDPOINT    such as ecs.cn-north-1.myhuaweicloud.com\n"
          "  PROJECT_ID  the project that the token is for\n"
          "  --fpga ID   those of this FPGA image\n"
          "  --ecs ID    those of this ECS image; one of the two must be given\n"
          "  --json      the service's document instead of a table\n"
          "\n"
          "The environment variable FPGA_TOKEN holds an IAM token of project scope.\n"
          "The exit status is the fpga_assoc_status of the call, 0 for success.\n",
          out);
}

static void print_table(const fpga_assoc_list *list)
{
    size_t i;

    printf("%-36s  %-32s  %-10s  %8s  %s\n", "ECS IMAGE", "FPGA IMAGE", "STATUS", "SIZE", "NAME");
    for (i = 0; i < fpga_assoc_list_len(list); i++) {
        const fpga_assoc_entry *entry = fpga_assoc_list_get(list, i);
        printf("%-36s  %-32s  %-10s  %5llu MB  %s\n", entry->ecs_id, entry->fpga_id, entry->status,
               (unsigned long long)entry->size_mb, entry->name);
    }
}

static void report(int32_t status)
{
    fprintf(stderr, "error: %s\n", fpga_assoc_last_error());
    fprintf(stderr, "  status:     %s (%d)\n", fpga_assoc_status_name(status), (int)status);
    fprintf(stderr, "  help:       %s\n", fpga_assoc_status_help(status));
}

int main(int argc, char **argv)
{
    const char *token = getenv("FPGA_TOKEN");
    const char *fpga_id = NULL;
    const char *ecs_id = NULL;
    fpga_assoc_list *list = NULL;
    int32_t status;
    int as_json = 0;
    int i;

    if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        usage(stdout);
        return FPGA_ASSOC_OK;
    }
    for (i = 3; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0) {
            as_json = 1;
        } else if (strcmp(argv[i], "--fpga") == 0 && i + 1 < argc) {
            fpga_id = argv[++i];
        } else if (strcmp(argv[i], "--ecs") == 0 && i + 1 < argc) {
            ecs_id = argv[++i];
        } else {
            usage(stderr);
            return FPGA_ASSOC_INVALID_ARGUMENT;
        }
    }
    if (argc < 3 || (fpga_id == NULL && ecs_id == NULL)) {
        usage(stderr);
        return FPGA_ASSOC_INVALID_ARGUMENT;
    }
    if (token == NULL) {
        fputs("error: the environment variable FPGA_TOKEN is not set\n", stderr);
        return FPGA_ASSOC_INVALID_ARGUMENT;
    }

    status = fpga_associations(argv[1], token, argv[2], fpga_id, ecs_id, &list);
    if (status != FPGA_ASSOC_OK) {
        report(status);
        return status;
    }
    if (as_json)
        puts(fpga_assoc_list_json(list));
    else
        print_table(list);
    fpga_assoc_list_free(list);
    return FPGA_ASSOC_OK;
}
