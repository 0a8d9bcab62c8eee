/*
 * Associates an FPGA image with an ECS image, or takes the association away.
 *
 *     associate [--undo] [--idempotent] [--agency] ENDPOINT PROJECT_ID FPGA_IMAGE_ID ECS_IMAGE_ID
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
    fputs("usage: associate [--undo] [--idempotent] [--agency] "
          "ENDPOINT PROJECT_ID FPGA_IMAGE_ID ECS_IMAGE_ID\n"
          "\n"
          "Associates an FPGA image with an ECS image of Huawei Cloud.\n"
          "\n"
          "  --undo         takes the association away\n"
          "  --idempotent   what is already as wanted is a success\n"
          "  --agency       signs with the keys of the agency of the ECS server that this runs on\n"
          "  ENDPOINT       such as ecs.cn-north-1.myhuaweicloud.com\n"
          "  PROJECT_ID     the images' project, which a token must be for\n"
          "  FPGA_IMAGE_ID  the FPGA image\n"
          "  ECS_IMAGE_ID   the private ECS image\n"
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
static int32_t new_client(const char *endpoint, bool idempotent, bool agency,
                          fpga_assoc_client **client)
{
    fpga_assoc_config *config = fpga_assoc_config_new();
    int32_t status = fpga_assoc_config_set_idempotent(config, idempotent);

    if (status == FPGA_ASSOC_OK)
        status = set_credentials(config, agency);
    if (status == FPGA_ASSOC_OK)
        status = fpga_assoc_client_new(endpoint, config, client, NULL);
    fpga_assoc_config_free(config);
    return status;
}

/* The call's own token is NULL: the client has credentials. */
static int32_t change(fpga_assoc_client *client, bool undo, const char *project_id,
                      const char *fpga_id, const char *ecs_id)
{
    return undo ? fpga_assoc_client_disassociate(client, NULL, project_id, fpga_id, ecs_id, NULL)
                : fpga_assoc_client_associate(client, NULL, project_id, fpga_id, ecs_id, NULL);
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
    if (status == FPGA_ASSOC_CREDENTIALS_FAILED)
        fputs("  needed:     FPGA_TOKEN, or HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK, or, on an "
              "ECS server with an agency, --agency\n",
              stderr);
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
    bool agency = false;
    while (argc > 1 && strncmp(argv[1], "--", 2) == 0) {
        if (strcmp(argv[1], "--undo") == 0) {
            undo = true;
        } else if (strcmp(argv[1], "--idempotent") == 0) {
            idempotent = true;
        } else if (strcmp(argv[1], "--agency") == 0) {
            agency = true;
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

    fpga_assoc_client *client = NULL;
    int32_t status = new_client(argv[1], idempotent, agency, &client);
    if (status == FPGA_ASSOC_OK)
        status = change(client, undo, argv[2], argv[3], argv[4]);
    fpga_assoc_client_free(client);
    if (status != FPGA_ASSOC_OK) {
        report(status);
        return status;
    }
    printf("FPGA image %s is %s ECS image %s\n", argv[3],
           undo ? "not associated with" : "associated with", argv[4]);
    return FPGA_ASSOC_OK;
}
