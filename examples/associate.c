/*
 * Associates an FPGA image with an ECS image, or takes the association away.
 *
 *     associate [--undo] ENDPOINT PROJECT_ID FPGA_IMAGE_ID ECS_IMAGE_ID
 *
 * The token comes from the environment, because other users of the machine can read a command line.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fpga_associate.h"

static void usage(FILE *out)
{
    fputs("usage: associate [--undo] ENDPOINT PROJECT_ID FPGA_IMAGE_ID ECS_IMAGE_ID\n"
          "\n"
          "Associates an FPGA image with an ECS image of Huawei Cloud.\n"
          "\n"
          "  --undo         takes the association away\n"
          "  ENDPOINT       such as ecs.cn-north-1.myhuaweicloud.com\n"
          "  PROJECT_ID     the project that the token is for\n"
          "  FPGA_IMAGE_ID  the FPGA image\n"
          "  ECS_IMAGE_ID   the private ECS image\n"
          "\n"
          "The environment variable FPGA_TOKEN holds an IAM token of project scope.\n"
          "The exit status is the fpga_assoc_status of the call, 0 for success.\n",
          out);
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
        fputs("  outcome:    unknown, the service may have acted\n", stderr);
    fprintf(stderr, "  help:       %s\n", fpga_assoc_status_help(status));
}

int main(int argc, char **argv)
{
    if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        usage(stdout);
        return FPGA_ASSOC_OK;
    }
    const int undo = argc > 1 && strcmp(argv[1], "--undo") == 0;
    if (argc != 5 + undo) {
        usage(stderr);
        return FPGA_ASSOC_INVALID_ARGUMENT;
    }
    argv += undo;
    const char *token = getenv("FPGA_TOKEN");
    if (token == NULL) {
        fputs("error: the environment variable FPGA_TOKEN is not set\n", stderr);
        return FPGA_ASSOC_INVALID_ARGUMENT;
    }

    int32_t status = undo ? fpga_disassociate(argv[1], token, argv[2], argv[3], argv[4])
                          : fpga_associate(argv[1], token, argv[2], argv[3], argv[4]);
    if (status != FPGA_ASSOC_OK) {
        report(status);
        return status;
    }
    printf("FPGA image %s is %s ECS image %s\n", argv[3],
           undo ? "no longer associated with" : "associated with", argv[4]);
    return FPGA_ASSOC_OK;
}
