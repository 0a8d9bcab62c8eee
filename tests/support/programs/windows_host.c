/*
 * A host on Windows.
 *
 *     windows_host service ENDPOINT CA_FILE PROJECT_ID FPGA_ID ECS_ID
 *     windows_host calls FILE
 *
 * The first uses the service: threads, a list, errors, a plan. The second makes a call for each line of
 * the file, "ENDPOINT PROXY CA_FILE TIMEOUT_MS SHUTDOWN_MS TOKEN_LENGTH" ("-" is nothing, a proxy may be
 * the "environment"'s, and a shutdown after 0 ms is none), and prints of each "STATUS MS OUTCOME_UNKNOWN
 * MESSAGE". Exits with 0 where all went well.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

#include "fpga_associate.h"

#define THREADS 4
#define CALLS 25

static const char *endpoint, *ca_file, *project_id, *fpga_id, *ecs_id, *token;
static fpga_assoc_client *client;
static volatile LONG wrong;

#define EXPECT(what) \
    do { \
        if (!(what)) { \
            fprintf(stderr, "line %d: %s: %s\n", __LINE__, #what, fpga_assoc_last_error()); \
            InterlockedIncrement(&wrong); \
        } \
    } while (0)

static int is_nothing(const char *text)
{
    return strcmp(text, "-") == 0;
}

static void join(HANDLE thread)
{
    WaitForSingleObject(thread, INFINITE);
    CloseHandle(thread);
}

/* How many handles a program that is started from here would have too. */
static int inheritable(void)
{
    const uintptr_t most = 16384;
    uintptr_t handle;
    int count = 0;
    for (handle = 4; handle < most; handle += 4) {
        DWORD flags = 0;
        if (GetHandleInformation((HANDLE)handle, &flags) && (flags & HANDLE_FLAG_INHERIT) != 0)
            count++;
    }
    return count;
}

/* --- service --- */

static DWORD WINAPI call_often(void *context)
{
    const char *name = fpga_assoc_status_name(FPGA_ASSOC_NOT_FOUND);
    int i;
    (void)context;
    for (i = 0; i < CALLS; i++) {
        fpga_assoc_error *error = NULL;
        int32_t status = fpga_assoc_client_associate(client, token, project_id, "00000000000000000000000000000000",
                                                     ecs_id, &error);
        EXPECT(status == FPGA_ASSOC_NOT_FOUND);
        EXPECT(fpga_assoc_error_http_status(error) == 404);
        EXPECT(strstr(fpga_assoc_error_message(error), "404") != NULL);
        EXPECT(strlen(name) > 0);
        fpga_assoc_error_free(error);
    }
    /* What the thread's end frees. */
    EXPECT(fpga_assoc_client_associate(client, token, project_id, "not an id", ecs_id, NULL)
           == FPGA_ASSOC_INVALID_ARGUMENT);
    return 0;
}

static void check_list(size_t count)
{
    fpga_assoc_list *list = NULL;
    EXPECT(fpga_assoc_client_associations(client, token, project_id, NULL, ecs_id, &list, NULL) == FPGA_ASSOC_OK);
    EXPECT(fpga_assoc_list_len(list) == count);
    EXPECT(strstr(fpga_assoc_list_json(list), fpga_id) != NULL || count == 0);
    fpga_assoc_list_free(list);
}

static void check_plan(void)
{
    fpga_assoc_plan *plan = fpga_assoc_plan_new();
    fpga_assoc_error *error = NULL;
    EXPECT(fpga_assoc_plan_add(plan, fpga_id, ecs_id, false) == FPGA_ASSOC_OK);
    EXPECT(fpga_assoc_plan_set_parallel(plan, THREADS) == FPGA_ASSOC_OK);
    EXPECT(fpga_assoc_client_apply(client, token, project_id, plan, &error) == FPGA_ASSOC_OK);
    EXPECT(error == NULL);
    EXPECT(fpga_assoc_plan_result(plan, 0) == FPGA_ASSOC_RESULT_CHANGED);
    fpga_assoc_plan_free(plan);
}

static void use_service(void)
{
    HANDLE threads[THREADS];
    int i;
    for (i = 0; i < THREADS; i++)
        threads[i] = CreateThread(NULL, 0, call_often, NULL, 0, NULL);
    for (i = 0; i < THREADS; i++)
        join(threads[i]);
    EXPECT(fpga_assoc_client_associate(client, token, project_id, fpga_id, ecs_id, NULL) == FPGA_ASSOC_OK);
    EXPECT(*fpga_assoc_last_error() == '\0');
    EXPECT(fpga_assoc_client_associate(client, token, project_id, fpga_id, ecs_id, NULL)
           == FPGA_ASSOC_ALREADY_ASSOCIATED);
    check_list(1);
    check_plan();
    check_list(0);
    EXPECT(fpga_assoc_client_associate(client, "wrong", project_id, fpga_id, ecs_id, NULL)
           == FPGA_ASSOC_UNAUTHORIZED);
    EXPECT(fpga_assoc_client_associate(client, NULL, project_id, fpga_id, ecs_id, NULL)
           == FPGA_ASSOC_INVALID_ARGUMENT);
    EXPECT(strcmp(fpga_assoc_version(), FPGA_ASSOC_VERSION) == 0);
}

static void new_client(void)
{
    fpga_assoc_config *config = fpga_assoc_config_new();
    EXPECT(fpga_assoc_config_set_ca_file(config, ca_file) == FPGA_ASSOC_OK);
    EXPECT(fpga_assoc_client_new(endpoint, config, &client, NULL) == FPGA_ASSOC_OK);
    fpga_assoc_config_free(config);
}

/* --- calls --- */

/* Some calls at once, which the shutdown must all end. */
#define BESIDE 2

static fpga_assoc_client *called;
static const char *called_with;
static unsigned shutdown_after;

static int32_t call(fpga_assoc_error **error)
{
    return fpga_assoc_client_associate(called, called_with, "0123456789abcdef0123456789abcdef",
                                       "0123456789abcdef0123456789abcdef", "01234567-89ab-cdef-0123-456789abcdef",
                                       error);
}

static DWORD WINAPI shut_down(void *context)
{
    (void)context;
    Sleep(shutdown_after);
    fpga_assoc_client_shutdown(called);
    return 0;
}

static DWORD WINAPI call_beside(void *context)
{
    (void)context;
    EXPECT(call(NULL) == FPGA_ASSOC_CANCELLED);
    return 0;
}

static void make_call(const char *endpoint, const char *proxy, const char *ca_file, unsigned timeout,
                      size_t token_length)
{
    fpga_assoc_config *config = fpga_assoc_config_new();
    fpga_assoc_error *error = NULL;
    char *text = calloc(1, token_length + 1);
    HANDLE threads[1 + BESIDE];
    ULONGLONG begun;
    int32_t status;
    int i, count = 0;
    if (text == NULL)
        exit(2);
    memset(text, 'x', token_length);
    called_with = text;
    EXPECT(fpga_assoc_config_set_timeout_ms(config, timeout) == FPGA_ASSOC_OK);
    EXPECT(fpga_assoc_config_set_max_attempts(config, 1) == FPGA_ASSOC_OK);
    EXPECT(fpga_assoc_config_set_confirm(config, false) == FPGA_ASSOC_OK);
    if (strcmp(proxy, "environment") != 0)
        EXPECT(fpga_assoc_config_set_proxy(config, is_nothing(proxy) ? "" : proxy) == FPGA_ASSOC_OK);
    if (!is_nothing(ca_file))
        EXPECT(fpga_assoc_config_set_ca_file(config, ca_file) == FPGA_ASSOC_OK);
    EXPECT(fpga_assoc_client_new(endpoint, config, &called, NULL) == FPGA_ASSOC_OK);
    fpga_assoc_config_free(config);
    begun = GetTickCount64();
    if (shutdown_after > 0) {
        threads[count++] = CreateThread(NULL, 0, shut_down, NULL, 0, NULL);
        for (i = 0; i < BESIDE; i++)
            threads[count++] = CreateThread(NULL, 0, call_beside, NULL, 0, NULL);
    }
    status = call(&error);
    for (i = 0; i < count; i++)
        join(threads[i]);
    printf("%d %u %d %s\n", (int)status, (unsigned)(GetTickCount64() - begun),
           fpga_assoc_error_outcome_unknown(error), fpga_assoc_error_message(error));
    fflush(stdout);
    fpga_assoc_error_free(error);
    fpga_assoc_client_free(called);
    free(text);
}

static void make_calls(const char *file)
{
    static char endpoint[512], proxy[512], ca_file[512];
    unsigned timeout, token_length;
    FILE *lines = fopen(file, "r");
    if (lines == NULL)
        exit(2);
    while (fscanf(lines, "%511s %511s %511s %u %u %u", endpoint, proxy, ca_file, &timeout, &shutdown_after,
                  &token_length) == 6)
        make_call(endpoint, proxy, ca_file, timeout, token_length);
    fclose(lines);
}

int main(int count, char **arguments)
{
    int before;
    if (count == 3 && strcmp(arguments[1], "calls") == 0) {
        make_calls(arguments[2]);
        return wrong > 0;
    }
    token = getenv("FPGA_TOKEN");
    if (count != 7 || token == NULL)
        return 2;
    endpoint = arguments[2];
    ca_file = arguments[3];
    project_id = arguments[4];
    fpga_id = arguments[5];
    ecs_id = arguments[6];
    before = inheritable();
    new_client();
    use_service();
    EXPECT(inheritable() == before);
    fpga_assoc_client_free(client);
    return wrong > 0;
}
