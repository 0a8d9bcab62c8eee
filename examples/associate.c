/*
 * Associates an FPGA image with an ECS image, or takes the association away.
 *
 *     associate [--undo] [--idempotent] ENDPOINT PROJECT_ID FPGA_IMAGE_ID ECS_IMAGE_ID
 *
 * The token comes from the environment, because other users of the machine can read a command line.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fpga_associate.h"

static void usage(FILE *out)
{
    fputs("usage: associate [--undo] [--idempotent] "
          "ENDPOINT PROJECT_ID FPGA_IMAGE_ID ECS_IMAGE_ID\n"
          "\n"
          "Associates an FPGA image with an ECS image of Huawei Cloud.\n"
          "\n"
          "  --undo         takes the association away\n"
          "  --idempotent   what is already as wanted is a success\n"
          "  ENDPOINT       such as ecs.cn-north-1.myhuaweicloud.com\n"
          "  PROJECT_ID     the project that the token is for\n"
          "  FPGA_IMAGE_ID  the FPGA image\n"
          "  ECS_IMAGE_ID   the private ECS image\n"
          "\n"
          "The environment variable FPGA_TOKEN holds an IAM token of project scope.\n"
          "The exit status is the fpga_assoc_status of the call, 0 for success.\n",
          out);
}

/* One of the one-line calls. */
static int32_t change(bool undo, const char *endpoint, const char *token, const char *project_id,
                      const char *fpga_id, const char *ecs_id)
{
    return undo ? fpga_disassociate(endpoint, token, project_id, fpga_id, ecs_id)
                : fpga_associate(endpoint, token, project_id, fpga_id, ecs_id);
}

/* The same with a client of its own, because the one-line calls have no settings. Without a place
   for its error a client's call sets the thread's last error, as the others do. */
static int32_t change_idempotently(bool undo, const char *endpoint, const char *token,
                                   const char *project_id, const char *fpga_id, const char *ecs_id)
{
    fpga_assoc_client *client = NULL;
    fpga_assoc_config *config = fpga_assoc_config_new();
    int32_t status = fpga_assoc_config_set_idempotent(config, true);

    if (status == FPGA_ASSOC_OK)
        status = fpga_assoc_client_new(endpoint, config, &client, NULL);
    if (status == FPGA_ASSOC_OK && undo)
        status = fpga_assoc_client_disassociate(client, token, project_id, fpga_id, ecs_id, NULL);
    else if (status == FPGA_ASSOC_OK)
        status = fpga_assoc_client_associate(client, token, project_id, fpga_id, ecs_id, NULL);
    fpga_assoc_client_free(client);
    fpga_assoc_config_free(config);
    return status;
}

static void report_unknown(int32_t observed)
{
    fputs("  outcome:    unknown, the service may have acted\n", stderr);
    if (observed == FPGA_ASSOC_OBSERVED_ASSOCIATED)
        fputs("  observed:   the list last showed the two associated\n", stderr);
    if (observed == FPGA_ASSOC_OBSERVED_APART)
        fputs("  observed:   the list last showed the two apart\n", stderr);
}

static void report(int32_t status)
{
    const fpga_assoc_error *error = fpga_assoc_last_error_detail();
    const char *code = fpga_assoc_error_code(error);
    const char *request_id = fpga_assoc_error_request_id(error);
    uint64_t retry_after_ms = fpga_assoc_error_retry_after_ms(error);

    fprintf(stderr, "error: %s\n", fpga_assoc_last_error());
    fprintf(stderr, "  status:     %s (%d)\n", fpga_assoc_status_name(status), (int)status);
    if (*code != '\0')
        fprintf(stderr, "  code:       %s\n", code);
    if (*request_id != '\0')
        fprintf(stderr, "  request id: %s\n", request_id);
    if (retry_after_ms != 0)
        fprintf(stderr, "  retry after %llu ms\n", (unsigned long long)retry_after_ms);
    if (fpga_assoc_error_outcome_unknown(error))
        report_unknown(fpga_assoc_error_observed(error));
    fprintf(stderr, "  help:       %s\n", fpga_assoc_status_help(status));
}

int main(int argc, char **argv)
{
    if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        usage(stdout);
        return FPGA_ASSOC_OK;
    }
    bool undo = false;
    bool idempotent = false;
    while (argc > 1 && strncmp(argv[1], "--", 2) == 0) {
        if (strcmp(argv[1], "--undo") == 0) {
            undo = true;
        } else if (strcmp(argv[1], "--idempotent") == 0) {
            idempotent = true;
        } else {
            usage(stderr);
            return FPGA_ASSOC_INVALID_ARGUMENT;
        }
        argc--;
        argv++;
    }
    if (argc != 5) {
        usage(stderr);
        return FPGA_ASSOC_INVALID_ARGUMENT;
    }
    const char *token = getenv("FPGA_TOKEN");
    if (token == NULL) {
        fputs("error: the environment variable FPGA_TOKEN is not set\n", stderr);
        return FPGA_ASSOC_INVALID_ARGUMENT;
    }

    int32_t status =
        idempotent ? change_idempotently(undo, argv[1], token, argv[2], argv[3], argv[4])
                   : change(undo, argv[1], token, argv[2], argv[3], argv[4]);
    if (status != FPGA_ASSOC_OK) {
        report(status);
        return status;
    }
    printf("FPGA image %s is %s ECS image %s\n", argv[3],
           undo ? "not associated with" : "associated with", argv[4]);
    return FPGA_ASSOC_OK;
}
