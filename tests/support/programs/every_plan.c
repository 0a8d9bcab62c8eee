/*
 * A host that calls every function of grants and plans: with what fits, with NULL and with what is refused. What it is given it
 * reads to the last byte, and for as long as it may.
 *
 *     every_plan ENDPOINT CA_FILE PROJECT_ID ACCESS_KEY SECRET_KEY INACTIVE_FPGA_ID FPGA_ID ECS_ID...
 *
 * The token is in the environment. The FPGA image is not associated at first, nor in the end. It is C and C++. Exits with 1 where
 * something was not as the header says.
 */
#include "reading.h"

static const char *token, *project_id, *access_key, *secret_key, *inactive_fpga_id, *fpga_id;
static char **ecs_ids;
static size_t ecs_images;
static fpga_assoc_client *client;

/* --- grants --- */

enum answer { NOTHING, REFUSAL, TOKEN, KEY };

static const struct {
    enum answer answer;
    int32_t status;
} answers[] = {
    { NOTHING, FPGA_ASSOC_CREDENTIALS_FAILED },
    { REFUSAL, FPGA_ASSOC_CREDENTIALS_FAILED },
    { TOKEN, FPGA_ASSOC_OK },
    { KEY, FPGA_ASSOC_OK },
};

static void refuse(fpga_assoc_grant *grant)
{
    REFUSED(fpga_assoc_grant_refuse(NULL, "no"));
    REFUSED(fpga_assoc_grant_refuse(grant, "\xff"));
    EXPECT(fpga_assoc_grant_refuse(grant, NULL) == FPGA_ASSOC_OK);
    EXPECT(fpga_assoc_grant_refuse(grant, "the vault is closed") == FPGA_ASSOC_OK);
}

static void grant_token(fpga_assoc_grant *grant)
{
    REFUSED(fpga_assoc_grant_token(grant, "", 0));
    REFUSED(fpga_assoc_grant_token(grant, token, -1));
    REFUSED(fpga_assoc_grant_token(grant, NULL, 0));
    REFUSED(fpga_assoc_grant_token(NULL, token, 0));
    EXPECT(fpga_assoc_grant_token(grant, "another", 1) == FPGA_ASSOC_OK);
    EXPECT(fpga_assoc_grant_token(grant, token, 0) == FPGA_ASSOC_OK);
}

static void grant_key(fpga_assoc_grant *grant)
{
    REFUSED(fpga_assoc_grant_access_key(grant, "a,b", secret_key, NULL, 0));
    REFUSED(fpga_assoc_grant_access_key(grant, access_key, NULL, NULL, 0));
    REFUSED(fpga_assoc_grant_access_key(NULL, access_key, secret_key, NULL, 0));
    EXPECT(fpga_assoc_grant_access_key(grant, "KEY", "secret", "security-token", 1) == FPGA_ASSOC_OK);
    EXPECT(fpga_assoc_grant_access_key(grant, access_key, secret_key, NULL, 0) == FPGA_ASSOC_OK);
}

static void answer_with(void *context, int32_t reason, fpga_assoc_grant *grant)
{
    fpga_assoc_error *error;
    EXPECT(reason == FPGA_ASSOC_REASON_FIRST);
    /* A call of the client that waits for this answer can't be made. */
    REFUSED(fpga_assoc_client_associate(client, NULL, project_id, fpga_id, ecs_ids[0], &error));
    read_error(error, FPGA_ASSOC_INVALID_ARGUMENT);
    fpga_assoc_error_free(error);
    switch (*(const enum answer *)context) {
    case NOTHING:
        break;
    case REFUSAL:
        refuse(grant);
        break;
    case TOKEN:
        grant_token(grant);
        break;
    case KEY:
        grant_key(grant);
        break;
    }
}

static void granted_calls(fpga_assoc_config *config, const char *endpoint)
{
    size_t i;
    for (i = 0; i < sizeof answers / sizeof *answers; i++) {
        enum answer answer = answers[i].answer;
        fpga_assoc_list *list;
        EXPECT(fpga_assoc_config_set_credentials_callback(config, answer_with, &answer) == FPGA_ASSOC_OK);
        EXPECT(fpga_assoc_client_new(endpoint, config, &client, NULL) == FPGA_ASSOC_OK);
        EXPECT(fpga_assoc_client_associations(client, NULL, project_id, fpga_id, NULL, &list, NULL) == answers[i].status);
        read_last_error(answers[i].status);
        read_list(list);
        fpga_assoc_list_free(list);
        fpga_assoc_client_free(client);
    }
}

/* --- plans --- */

static fpga_assoc_plan *plan_of(bool associated, size_t *failing)
{
    fpga_assoc_plan *plan = fpga_assoc_plan_new();
    size_t i;
    for (i = 0; i < ecs_images; i++)
        EXPECT(fpga_assoc_plan_add(plan, fpga_id, ecs_ids[i], associated) == FPGA_ASSOC_OK);
    *failing = fpga_assoc_plan_len(plan);
    EXPECT(fpga_assoc_plan_add(plan, inactive_fpga_id, ecs_ids[0], true) == FPGA_ASSOC_OK);
    return plan;
}

static int32_t (*const numbers[])(fpga_assoc_plan *, uint32_t) = {
    fpga_assoc_plan_set_parallel,
    fpga_assoc_plan_set_timeout_ms,
};

static void refused(fpga_assoc_plan *plan)
{
    size_t i, length = fpga_assoc_plan_len(plan);
    for (i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        REFUSED(numbers[i](plan, 0));
        REFUSED(numbers[i](plan, UINT32_MAX));
        REFUSED(numbers[i](NULL, 1));
        read_last_error(FPGA_ASSOC_INVALID_ARGUMENT);
    }
    REFUSED(fpga_assoc_plan_set_progress(NULL, NULL, NULL));
    REFUSED(fpga_assoc_plan_add(plan, "", ecs_ids[0], true));
    REFUSED(fpga_assoc_plan_add(plan, fpga_id, NULL, true));
    REFUSED(fpga_assoc_plan_add(NULL, fpga_id, ecs_ids[0], true));
    EXPECT(fpga_assoc_plan_len(plan) == length && fpga_assoc_plan_len(NULL) == 0);
    EXPECT(fpga_assoc_plan_result(plan, length) == FPGA_ASSOC_RESULT_OPEN);
    EXPECT(fpga_assoc_plan_result(NULL, 0) == FPGA_ASSOC_RESULT_OPEN);
    EXPECT(fpga_assoc_plan_error(plan, length) == NULL && fpga_assoc_plan_error(NULL, 0) == NULL);
    REFUSED(fpga_assoc_client_apply(NULL, token, project_id, plan, NULL));
    REFUSED(fpga_assoc_client_apply(client, token, project_id, NULL, NULL));
    REFUSED(fpga_assoc_client_compare(NULL, token, project_id, plan, NULL));
    REFUSED(fpga_assoc_client_compare(client, token, NULL, plan, NULL));
    fpga_assoc_plan_free(NULL);
}

/* From a plan that is just being carried out. */
static void look(void *plan, size_t settled, size_t total)
{
    size_t i;
    EXPECT(settled <= total && total == fpga_assoc_plan_len((const fpga_assoc_plan *)plan));
    for (i = 0; i < total; i++) {
        const fpga_assoc_error *error = fpga_assoc_plan_error((const fpga_assoc_plan *)plan, i);
        read_error(error, fpga_assoc_error_status(error));
    }
    REFUSED(fpga_assoc_plan_add((fpga_assoc_plan *)plan, fpga_id, ecs_ids[0], true));
    REFUSED(fpga_assoc_client_compare(client, token, project_id, (fpga_assoc_plan *)plan, NULL));
    read_last_error(FPGA_ASSOC_INVALID_ARGUMENT);
}

/* All pairs have one result, but for the one that can't be associated. */
static void read_results(const fpga_assoc_plan *plan, size_t failing, int32_t result, int32_t result_of_failing)
{
    size_t i;
    for (i = 0; i < fpga_assoc_plan_len(plan); i++) {
        EXPECT(fpga_assoc_plan_result(plan, i) == (i == failing ? result_of_failing : result));
        EXPECT((fpga_assoc_plan_error(plan, i) != NULL) == (fpga_assoc_plan_result(plan, i) == FPGA_ASSOC_RESULT_FAILED));
    }
    if (result_of_failing == FPGA_ASSOC_RESULT_FAILED)
        read_error(fpga_assoc_plan_error(plan, failing), FPGA_ASSOC_REJECTED);
}

static void carried_out(bool associated)
{
    fpga_assoc_error *error;
    size_t failing;
    fpga_assoc_plan *plan = plan_of(associated, &failing);
    refused(plan);
    EXPECT(fpga_assoc_plan_set_progress(plan, NULL, NULL) == FPGA_ASSOC_OK);
    EXPECT(fpga_assoc_plan_set_progress(plan, look, plan) == FPGA_ASSOC_OK);
    EXPECT(fpga_assoc_plan_set_timeout_ms(plan, 60000) == FPGA_ASSOC_OK);
    EXPECT(fpga_assoc_plan_set_parallel(plan, 4) == FPGA_ASSOC_OK);
    EXPECT(fpga_assoc_client_compare(client, token, project_id, plan, &error) == FPGA_ASSOC_OK && error == NULL);
    read_results(plan, failing, FPGA_ASSOC_RESULT_TO_CHANGE, FPGA_ASSOC_RESULT_TO_CHANGE);
    EXPECT(fpga_assoc_client_apply(client, token, project_id, plan, &error) == FPGA_ASSOC_INCOMPLETE);
    read_error(error, FPGA_ASSOC_INCOMPLETE);
    fpga_assoc_error_free(error);
    read_results(plan, failing, FPGA_ASSOC_RESULT_CHANGED, FPGA_ASSOC_RESULT_FAILED);
    /* Once more, by the calling thread alone. */
    EXPECT(fpga_assoc_plan_set_parallel(plan, 1) == FPGA_ASSOC_OK);
    EXPECT(fpga_assoc_client_apply(client, token, project_id, plan, NULL) == FPGA_ASSOC_INCOMPLETE);
    read_last_error(FPGA_ASSOC_INCOMPLETE);
    read_results(plan, failing, FPGA_ASSOC_RESULT_AS_WANTED, FPGA_ASSOC_RESULT_FAILED);
    EXPECT(fpga_assoc_client_compare(client, "wrong", project_id, plan, &error) == FPGA_ASSOC_INCOMPLETE);
    read_error(error, FPGA_ASSOC_INCOMPLETE);
    fpga_assoc_error_free(error);
    fpga_assoc_plan_free(plan);
}

int main(int argc, char **argv)
{
    fpga_assoc_config *config = fpga_assoc_config_new();
    if (argc < 9)
        return 2;
    project_id = argv[3];
    access_key = argv[4];
    secret_key = argv[5];
    inactive_fpga_id = argv[6];
    fpga_id = argv[7];
    ecs_ids = argv + 8;
    ecs_images = (size_t)argc - 8;
    token = getenv("FPGA_TOKEN");
    EXPECT(fpga_assoc_config_set_ca_file(config, argv[2]) == FPGA_ASSOC_OK);
    EXPECT(fpga_assoc_config_set_proxy(config, "") == FPGA_ASSOC_OK);
    granted_calls(config, argv[1]);
    EXPECT(fpga_assoc_config_set_credentials_callback(config, NULL, NULL) == FPGA_ASSOC_OK);
    EXPECT(fpga_assoc_client_new(argv[1], config, &client, NULL) == FPGA_ASSOC_OK);
    fpga_assoc_config_free(config);
    carried_out(true);
    carried_out(false);
    fpga_assoc_client_free(client);
    return wrong != 0;
}
