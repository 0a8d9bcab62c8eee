/*
 * Associates an FPGA image with ECS images, with a token that another program, such as the agent of
 * a vault, keeps fresh in a file.
 *
 *     credentials ENDPOINT PROJECT_ID FPGA_IMAGE_ID ECS_IMAGE_ID...
 *
 * A client asks its callback for a token before the first call, and again when the service refuses
 * the one that it has. So a token that expires between two calls is replaced without a failure.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fpga_associate.h"

/* The longest token that the library takes. */
#define MAX_TOKEN 65536

static void usage(FILE *out)
{
    fputs("usage: credentials ENDPOINT PROJECT_ID FPGA_IMAGE_ID ECS_IMAGE_ID...\n"
          "\n"
          "Associates an FPGA image with ECS images of Huawei Cloud, one after the other.\n"
          "\n"
          "  ENDPOINT       such as ecs.cn-north-1.myhuaweicloud.com\n"
          "  PROJECT_ID     the project that the token is for\n"
          "  FPGA_IMAGE_ID  the FPGA image\n"
          "  ECS_IMAGE_ID   a private ECS image\n"
          "\n"
          "The environment variable FPGA_TOKEN_FILE names a file with an IAM token of project\n"
          "scope in its first line. It is read again when the service refuses the token.\n"
          "The exit status is the fpga_assoc_status of the last call, 0 for success.\n",
          out);
}

/* The call that needed a token fails as FPGA_ASSOC_CREDENTIALS_FAILED, with this in its message. */
static void refuse(fpga_assoc_grant *grant, const char *path, const char *reason)
{
    char message[512];

    snprintf(message, sizeof message, "%s: %s", path, reason);
    fpga_assoc_grant_refuse(grant, message);
}

/* An fpga_assoc_credentials_fn. Whatever the reason is, the file has the newest token. When that
   expires is not known here, which 0 says. */
static void grant_from_file(void *context, int32_t reason, fpga_assoc_grant *grant)
{
    const char *path = context;
    char token[MAX_TOKEN + 2]; /* with the end of the line and of the text */
    FILE *file = fopen(path, "r");

    (void)reason;
    if (file == NULL) {
        refuse(grant, path, strerror(errno));
        return;
    }
    if (fgets(token, sizeof token, file) == NULL) {
        refuse(grant, path, ferror(file) ? "it can't be read" : "it is empty");
    } else {
        token[strcspn(token, "\r\n")] = '\0';
        if (fpga_assoc_grant_token(grant, token, 0) != FPGA_ASSOC_OK)
            refuse(grant, path, fpga_assoc_last_error());
    }
    fclose(file);
}

static int32_t new_client(const char *endpoint, char *path, fpga_assoc_client **client)
{
    fpga_assoc_config *config = fpga_assoc_config_new();
    int32_t status = fpga_assoc_config_set_credentials_callback(config, grant_from_file, path);

    if (status == FPGA_ASSOC_OK)
        status = fpga_assoc_client_new(endpoint, config, client, NULL);
    fpga_assoc_config_free(config);
    return status;
}

static void report(int32_t status)
{
    fprintf(stderr, "error: %s\n", fpga_assoc_last_error());
    fprintf(stderr, "  status:     %s (%d)\n", fpga_assoc_status_name(status), (int)status);
    fprintf(stderr, "  help:       %s\n", fpga_assoc_status_help(status));
}

int main(int argc, char **argv)
{
    char *path = getenv("FPGA_TOKEN_FILE");
    fpga_assoc_client *client = NULL;
    int32_t status;
    int i;

    if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        usage(stdout);
        return FPGA_ASSOC_OK;
    }
    if (argc < 5) {
        usage(stderr);
        return FPGA_ASSOC_INVALID_ARGUMENT;
    }
    if (path == NULL) {
        fputs("error: the environment variable FPGA_TOKEN_FILE is not set\n", stderr);
        return FPGA_ASSOC_CREDENTIALS_FAILED;
    }

    status = new_client(argv[1], path, &client);
    for (i = 4; i < argc && status == FPGA_ASSOC_OK; i++) {
        /* The call's own token is NULL: the client has credentials. */
        status = fpga_assoc_client_associate(client, NULL, argv[2], argv[3], argv[i], NULL);
        if (status == FPGA_ASSOC_OK)
            printf("FPGA image %s is associated with ECS image %s\n", argv[3], argv[i]);
    }
    if (status != FPGA_ASSOC_OK)
        report(status);
    fpga_assoc_client_free(client);
    return status;
}
