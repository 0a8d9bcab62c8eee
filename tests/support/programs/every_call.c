/*
 * A host that calls every function but those of grants and plans (every_plan.c): with what fits, with NULL and with what is
 * refused. What it is given it reads to the last byte, and for as long as it may.
 *
 *     every_call ENDPOINT CA_FILE CLIENT_CERTIFICATE PROJECT_ID FPGA_ID INACTIVE_FPGA_ID ECS_ID
 *
 * The token is in the environment. The two images are associated at first, and so they are in the end. It is C and C++. Exits with
 * 1 where something was not as the header says.
 */
#include "reading.h"

static const char *endpoint, *ca_file, *client_certificate, *token, *project_id, *fpga_id, *inactive_fpga_id, *ecs_id;

/* --- settings --- */

static const struct {
    int32_t (*set)(fpga_assoc_config *, uint32_t);
    uint32_t good, bad;
} numbers[] = {
    { fpga_assoc_config_set_timeout_ms, 60000, 0 },
    { fpga_assoc_config_set_connect_timeout_ms, 60000, UINT32_MAX },
    { fpga_assoc_config_set_max_attempts, 3, 101 },
};

static int32_t (*const switches[])(fpga_assoc_config *, bool) = {
    fpga_assoc_config_set_allow_http,
    fpga_assoc_config_set_confirm,
    fpga_assoc_config_set_idempotent,
};

static const struct {
    int32_t (*set)(fpga_assoc_config *, const char *);
    const char *good, *bad;
} texts[] = {
    { fpga_assoc_config_set_proxy, "http://user:secret@proxy.invalid:3128", "ftp://proxy.invalid" },
    { fpga_assoc_config_set_proxy, "", "http://:" },
    { fpga_assoc_config_set_user_agent, "every/1.0", "" },
    { fpga_assoc_config_set_token, "a-token", "two words" },
    { fpga_assoc_config_set_ca_file, NULL, "/nowhere/ca.pem" },
};

static const struct {
    int32_t (*set)(fpga_assoc_config *, const char *, size_t);
    const char **file;
} certificates[] = {
    { fpga_assoc_config_set_ca_pem, &ca_file },
    { fpga_assoc_config_set_client_certificate, &client_certificate },
};

/* A file as a block that is just as long: without a NUL behind it. */
static char *contents(const char *path, size_t *length)
{
    static char buffer[65536];
    char *block;
    FILE *file = fopen(path, "r");
    *length = file == NULL ? 0 : fread(buffer, 1, sizeof buffer, file);
    if (file != NULL)
        fclose(file);
    block = (char *)malloc(*length + 1);
    if (block == NULL)
        exit(2);
    memcpy(block, buffer, *length);
    block = (char *)realloc(block, *length);
    return block;
}

static void set_certificates(fpga_assoc_config *config)
{
    size_t i, length;
    for (i = 0; i < sizeof certificates / sizeof *certificates; i++) {
        char *pem = contents(*certificates[i].file, &length);
        EXPECT(certificates[i].set(config, pem, length) == FPGA_ASSOC_OK);
        REFUSED(certificates[i].set(config, pem, length / 2));
        REFUSED(certificates[i].set(config, "", 0));
        REFUSED(certificates[i].set(config, NULL, 1));
        REFUSED(certificates[i].set(NULL, pem, length));
        free(pem);
    }
}

static unsigned lines;

static void hear(void *context, int32_t level, const char *line)
{
    ++*(unsigned *)context;
    EXPECT(level >= FPGA_ASSOC_LOG_ERROR && level <= FPGA_ASSOC_LOG_DEBUG);
    EXPECT(read_text(line) < 1024);
}

/* All settings, each refused first, and without credentials in the end. */
static fpga_assoc_config *settings(void)
{
    fpga_assoc_config *config = fpga_assoc_config_new();
    size_t i;
    for (i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        REFUSED(numbers[i].set(config, numbers[i].bad));
        read_last_error(FPGA_ASSOC_INVALID_ARGUMENT);
        REFUSED(numbers[i].set(NULL, numbers[i].good));
        EXPECT(numbers[i].set(config, numbers[i].good) == FPGA_ASSOC_OK);
        EXPECT(fpga_assoc_last_error_detail() == NULL);
    }
    for (i = 0; i < sizeof switches / sizeof *switches; i++) {
        REFUSED(switches[i](NULL, true));
        EXPECT(switches[i](config, true) == FPGA_ASSOC_OK && switches[i](config, i == 1) == FPGA_ASSOC_OK);
    }
    for (i = 0; i < sizeof texts / sizeof *texts; i++) {
        REFUSED(texts[i].set(config, texts[i].bad));
        read_last_error(FPGA_ASSOC_INVALID_ARGUMENT);
        REFUSED(texts[i].set(config, NULL));
        REFUSED(texts[i].set(NULL, texts[i].good));
        EXPECT(texts[i].set(config, texts[i].good == NULL ? ca_file : texts[i].good) == FPGA_ASSOC_OK);
    }
    set_certificates(config);
    REFUSED(fpga_assoc_config_set_log(NULL, hear, &lines));
    EXPECT(fpga_assoc_config_set_log(config, NULL, NULL) == FPGA_ASSOC_OK);
    EXPECT(fpga_assoc_config_set_log(config, hear, &lines) == FPGA_ASSOC_OK);
    REFUSED(fpga_assoc_config_set_access_key(config, "KEY", " secret", NULL));
    REFUSED(fpga_assoc_config_set_access_key(NULL, "KEY", "secret", NULL));
    EXPECT(fpga_assoc_config_set_access_key(config, "KEY", "secret", "security-token") == FPGA_ASSOC_OK);
    EXPECT(fpga_assoc_config_set_environment_credentials(config) == FPGA_ASSOC_CREDENTIALS_FAILED);
    REFUSED(fpga_assoc_config_set_environment_credentials(NULL));
    EXPECT(fpga_assoc_config_set_ecs_agency(config) == FPGA_ASSOC_OK);
    REFUSED(fpga_assoc_config_set_ecs_agency(NULL));
    EXPECT(fpga_assoc_config_set_credentials_callback(config, NULL, NULL) == FPGA_ASSOC_OK);
    REFUSED(fpga_assoc_config_set_credentials_callback(NULL, NULL, NULL));
    return config;
}

/* --- clients --- */

static fpga_assoc_client *new_client(const fpga_assoc_config *config)
{
    fpga_assoc_client *client;
    EXPECT(fpga_assoc_client_new(endpoint, config, &client, NULL) == FPGA_ASSOC_OK);
    return client;
}

/* Settings make several clients, and may be gone before they are used. */
static fpga_assoc_client *second_client(void)
{
    fpga_assoc_config *config = settings();
    fpga_assoc_client *first = new_client(config), *second = new_client(config);
    fpga_assoc_config_free(config);
    fpga_assoc_client_free(first);
    return second;
}

static void no_clients(void)
{
    fpga_assoc_client *client;
    fpga_assoc_error *error;
    REFUSED(fpga_assoc_client_new("host/path", NULL, &client, &error));
    EXPECT(client == NULL);
    read_error(error, FPGA_ASSOC_INVALID_ARGUMENT);
    fpga_assoc_error_free(error);
    REFUSED(fpga_assoc_client_new(NULL, NULL, &client, NULL));
    REFUSED(fpga_assoc_client_new(endpoint, NULL, NULL, NULL));
    read_last_error(FPGA_ASSOC_INVALID_ARGUMENT);
    fpga_assoc_client_shutdown(NULL);
    fpga_assoc_client_close_idle(NULL);
    fpga_assoc_client_free(NULL);
    fpga_assoc_config_free(NULL);
    fpga_assoc_error_free(NULL);
    read_error(NULL, FPGA_ASSOC_OK);
}

static void changes(void)
{
    fpga_assoc_client *client = second_client();
    fpga_assoc_error *errors[5], *none;
    const int32_t statuses[5] = { FPGA_ASSOC_ALREADY_ASSOCIATED, FPGA_ASSOC_REJECTED, FPGA_ASSOC_UNAUTHORIZED,
                                  FPGA_ASSOC_INVALID_ARGUMENT, FPGA_ASSOC_CANCELLED };
    int i;
    REFUSED(fpga_assoc_client_associate(NULL, token, project_id, fpga_id, ecs_id, NULL));
    REFUSED(fpga_assoc_client_disassociate(NULL, token, project_id, fpga_id, ecs_id, NULL));
    read_last_error(FPGA_ASSOC_INVALID_ARGUMENT);
    EXPECT(fpga_assoc_client_associate(client, token, project_id, fpga_id, ecs_id, &errors[0]) == statuses[0]);
    EXPECT(fpga_assoc_client_associate(client, token, project_id, inactive_fpga_id, ecs_id, &errors[1]) == statuses[1]);
    EXPECT(fpga_assoc_client_disassociate(client, "wrong", project_id, fpga_id, ecs_id, &errors[2]) == statuses[2]);
    EXPECT(fpga_assoc_client_disassociate(client, token, project_id, fpga_id, NULL, &errors[3]) == statuses[3]);
    EXPECT(fpga_assoc_client_disassociate(client, token, project_id, fpga_id, ecs_id, &none) == FPGA_ASSOC_OK);
    EXPECT(none == NULL);
    EXPECT(fpga_assoc_client_disassociate(client, token, project_id, fpga_id, ecs_id, NULL) == FPGA_ASSOC_NOT_ASSOCIATED);
    read_last_error(FPGA_ASSOC_NOT_ASSOCIATED);
    fpga_assoc_client_close_idle(client);
    EXPECT(fpga_assoc_client_associate(client, token, project_id, fpga_id, ecs_id, NULL) == FPGA_ASSOC_OK);
    fpga_assoc_client_shutdown(client);
    EXPECT(fpga_assoc_client_associate(client, token, project_id, fpga_id, ecs_id, &errors[4]) == statuses[4]);
    fpga_assoc_client_shutdown(client);
    fpga_assoc_client_free(client);
    /* Errors outlive their client. */
    for (i = 0; i < 5; i++) {
        read_error(errors[i], statuses[i]);
        fpga_assoc_error_free(errors[i]);
    }
    EXPECT(lines > 10);
}

static void lists(void)
{
    fpga_assoc_client *client = second_client();
    fpga_assoc_list *by_fpga, *by_ecs, *of_both, *none;
    fpga_assoc_error *error;
    EXPECT(fpga_assoc_client_associations(client, token, project_id, fpga_id, NULL, &by_fpga, NULL) == FPGA_ASSOC_OK);
    EXPECT(fpga_assoc_client_associations(client, token, project_id, NULL, ecs_id, &by_ecs, &error) == FPGA_ASSOC_OK);
    EXPECT(error == NULL);
    EXPECT(fpga_assoc_client_associations(client, token, project_id, fpga_id, ecs_id, &of_both, NULL) == FPGA_ASSOC_OK);
    EXPECT(fpga_assoc_client_associations(client, "wrong", project_id, NULL, ecs_id, &none, &error) == FPGA_ASSOC_UNAUTHORIZED);
    EXPECT(none == NULL);
    read_error(error, FPGA_ASSOC_UNAUTHORIZED);
    fpga_assoc_error_free(error);
    REFUSED(fpga_assoc_client_associations(client, token, project_id, NULL, NULL, &none, NULL));
    REFUSED(fpga_assoc_client_associations(client, token, project_id, fpga_id, NULL, NULL, NULL));
    REFUSED(fpga_assoc_client_associations(NULL, token, project_id, fpga_id, NULL, &none, NULL));
    EXPECT(none == NULL);
    fpga_assoc_client_free(client);
    /* Lists outlive their client. */
    EXPECT(fpga_assoc_list_len(by_fpga) == 1 && fpga_assoc_list_len(by_ecs) == 1 && fpga_assoc_list_len(of_both) == 1);
    read_list(by_fpga);
    read_list(by_ecs);
    read_list(of_both);
    read_list(none);
    fpga_assoc_list_free(of_both);
    fpga_assoc_list_free(by_ecs);
    fpga_assoc_list_free(by_fpga);
    fpga_assoc_list_free(none);
}

/* --- one line --- */

static void one_line_calls(void)
{
    fpga_assoc_list *list;
    EXPECT(fpga_associate(endpoint, token, project_id, fpga_id, ecs_id) == FPGA_ASSOC_ALREADY_ASSOCIATED);
    read_last_error(FPGA_ASSOC_ALREADY_ASSOCIATED);
    REFUSED(fpga_associate(NULL, NULL, NULL, NULL, NULL));
    read_last_error(FPGA_ASSOC_INVALID_ARGUMENT);
    EXPECT(fpga_disassociate(endpoint, token, project_id, fpga_id, ecs_id) == FPGA_ASSOC_OK);
    read_last_error(FPGA_ASSOC_OK);
    EXPECT(fpga_disassociate(endpoint, "wrong", project_id, fpga_id, ecs_id) == FPGA_ASSOC_UNAUTHORIZED);
    fpga_assoc_close_idle();
    fpga_assoc_close_idle();
    EXPECT(fpga_associate(endpoint, token, project_id, fpga_id, ecs_id) == FPGA_ASSOC_OK);
    REFUSED(fpga_associations(endpoint, token, project_id, NULL, NULL, &list));
    REFUSED(fpga_associations(endpoint, token, project_id, fpga_id, NULL, NULL));
    EXPECT(fpga_associations(endpoint, token, project_id, fpga_id, NULL, &list) == FPGA_ASSOC_OK);
    read_list(list);
    fpga_assoc_list_free(list);
    EXPECT(fpga_associate("nowhere.invalid", token, project_id, fpga_id, ecs_id) == FPGA_ASSOC_RESOLVE_FAILED);
    read_last_error(FPGA_ASSOC_RESOLVE_FAILED);
}

static void words(void)
{
    int32_t status;
    for (status = -1; status <= 100; status++)
        EXPECT(read_text(fpga_assoc_status_name(status)) > 0 && read_text(fpga_assoc_status_help(status)) > 0);
    EXPECT(strcmp(fpga_assoc_status_name(INT32_MIN), fpga_assoc_status_name(INT32_MAX)) == 0);
    EXPECT(strcmp(fpga_assoc_version(), FPGA_ASSOC_VERSION) == 0);
}

int main(int argc, char **argv)
{
    if (argc != 8)
        return 2;
    endpoint = argv[1];
    ca_file = argv[2];
    client_certificate = argv[3];
    project_id = argv[4];
    fpga_id = argv[5];
    inactive_fpga_id = argv[6];
    ecs_id = argv[7];
    token = getenv("FPGA_TOKEN");
    words();
    no_clients();
    changes();
    lists();
    one_line_calls();
    return wrong != 0;
}
