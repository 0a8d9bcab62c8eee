/*
 * Lists the associations of an FPGA image, of an ECS image, or of both.
 *
 *     associations ENDPOINT PROJECT_ID [--fpga ID] [--ecs ID] [--json] [--agency]
 *
 * Token and keys come from the environment, because other users of the machine can read a command
 * line.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fpga_associate.h"

static void usage(FILE *out)
{
    fputs("usage: associations ENDPOINT PROJECT_ID [--fpga ID] [--ecs ID] [--json] [--agency]\n"
          "\n"
          "Lists which FPGA images are associated with which ECS images of Huawei Cloud.\n"
          "\n"
          "  ENDPOINT    such as ecs.cn-north-1.myhuaweicloud.com\n"
          "  PROJECT_ID  the images' project, which a token must be for\n"
          "  --fpga ID   those of this FPGA image\n"
          "  --ecs ID    those of this ECS image; one of the two must be given\n"
          "  --json      the service's document instead of a table\n"
          "  --agency    signs with the keys of the agency of the ECS server that this runs on\n"
          "\n"
          "The call is made with the first of these that is there:\n"
          "  1. FPGA_TOKEN, an environment variable: an IAM token of project scope\n"
          "  2. the agency, with --agency\n"
          "  3. the access key in HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK (if it is temporary, with\n"
          "     HUAWEICLOUD_SDK_SECURITY_TOKEN), in HW_ACCESS_KEY and HW_SECRET_KEY, or in the file\n"
          "     ~/.huaweicloud/credentials\n"
          "\n"
          "The exit status is the fpga_assoc_status of the call, 0 for success.\n",
          out);
}

/* What the client makes its calls with. */
static int32_t set_credentials(fpga_assoc_config *config, bool agency)
{
    const char *token = getenv("FPGA_TOKEN");

    if (token != NULL)
        return fpga_assoc_config_set_token(config, token);
    if (agency)
        return fpga_assoc_config_set_ecs_agency(config);
    return fpga_assoc_config_set_environment_credentials(config);
}

/* Without a place for its error a function of a client sets the thread's last error, as those of
   its settings do. */
static int32_t new_client(const char *endpoint, bool agency, fpga_assoc_client **client)
{
    fpga_assoc_config *config = fpga_assoc_config_new();
    int32_t status = set_credentials(config, agency);

    if (status == FPGA_ASSOC_OK)
        status = fpga_assoc_client_new(endpoint, config, client, NULL);
    fpga_assoc_config_free(config);
    return status;
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
    if (status == FPGA_ASSOC_CREDENTIALS_FAILED)
        fputs("  needed:     FPGA_TOKEN, or HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK, or, on an "
              "ECS server with an agency, --agency\n",
              stderr);
    fprintf(stderr, "  help:       %s\n", fpga_assoc_status_help(status));
}

int main(int argc, char **argv)
{
    const char *fpga_id = NULL;
    const char *ecs_id = NULL;
    fpga_assoc_client *client = NULL;
    fpga_assoc_list *list = NULL;
    int32_t status;
    bool as_json = false;
    bool agency = false;
    int i;

    if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        usage(stdout);
        return FPGA_ASSOC_OK;
    }
    for (i = 3; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0) {
            as_json = true;
        } else if (strcmp(argv[i], "--agency") == 0) {
            agency = true;
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

    status = new_client(argv[1], agency, &client);
    /* The call's own token is NULL: the client has credentials. */
    if (status == FPGA_ASSOC_OK)
        status =
            fpga_assoc_client_associations(client, NULL, argv[2], fpga_id, ecs_id, &list, NULL);
    fpga_assoc_client_free(client);
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
