/*
 * A host whose memory runs out in the middle of something: each allocation fails in turn, in a child of its own.
 *
 *     scarce WORK HOW FIRST STEP ENDPOINT CA_FILE PROJECT_ID ECS_ID FPGA_IDS
 *
 * WORK is settings, associate, signed and granted (which associate with an access key that the client has, or that it is granted), list,
 * plan (which associates one pair, and finds two apart as wanted, on threads where there are any), or refusals: a thousand calls that are refused, with memory back between them, whose errors are all kept. HOW is once (one allocation fails), ever (that and all after it) or limit (the address space may
 * not grow, and so many KiB of it are free). Beyond the FIRST only each STEPth is tried. FPGA_IDS is a file with an id on each line, one
 * for each child; the token is in the environment. Prints how many children there were and how many calls stopped for want of memory.
 */
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fpga_associate.h"

enum { REFUSALS = 1000, LIE = 10, NOT_AGAIN = 11, WRONG_STATUS = 12, STOPPED = 20 };

/* The C library's own. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *block, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

static atomic_bool is_counting, fails_ever;
static atomic_long count, fails_at;

static bool fails(void)
{
    long at;
    if (!is_counting)
        return false;
    at = ++count;
    if (at != fails_at && !(fails_ever && fails_at > 0 && at > fails_at))
        return false;
    errno = ENOMEM;
    return true;
}

void *malloc(size_t size) { return fails() ? NULL : __libc_malloc(size); }
void *calloc(size_t many, size_t size) { return fails() ? NULL : __libc_calloc(many, size); }
void *realloc(void *block, size_t size) { return fails() ? NULL : __libc_realloc(block, size); }
void *memalign(size_t alignment, size_t size) { return fails() ? NULL : __libc_memalign(alignment, size); }
void *aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }
int posix_memalign(void **block, size_t alignment, size_t size)
{
    *block = memalign(alignment, size);
    return *block == NULL ? ENOMEM : 0;
}

static const char *work, *how, *endpoint, *ca_file, *project_id, *ecs_id, *token;

/* A temporary access key. */
static const char *access_key, *secret_key, *security_token;

static bool is_work(const char *name)
{
    return strcmp(work, name) == 0;
}

static long address_space(void)
{
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file == NULL || fscanf(file, "%ld", &pages) != 1)
        exit(1);
    fclose(file);
    return pages * sysconf(_SC_PAGESIZE);
}

/* What the host took, the last block first. */
static void **taken;

static void give_back(long kib)
{
    while (taken != NULL && kib-- > 0) {
        void **before = *taken;
        free(taken);
        taken = before;
    }
}

static void begin(long at)
{
    struct rlimit limit;
    if (strcmp(how, "limit") == 0 && at > 0) {
        void **block;
        getrlimit(RLIMIT_AS, &limit);
        limit.rlim_cur = (rlim_t)address_space();
        setrlimit(RLIMIT_AS, &limit);
        while ((block = malloc(1000)) != NULL) {
            *block = taken;
            taken = block;
        }
        give_back(at);
    } else {
        fails_at = at;
        fails_ever = strcmp(how, "ever") == 0;
    }
    count = 0;
    is_counting = true;
}

static void end(void)
{
    struct rlimit limit;
    is_counting = false;
    getrlimit(RLIMIT_AS, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_AS, &limit);
    give_back(LONG_MAX);
}

static void check(int32_t status, bool *has_stopped)
{
    if (status == FPGA_ASSOC_OUT_OF_MEMORY)
        *has_stopped = true;
    else if (status != FPGA_ASSOC_OK)
        _exit(WRONG_STATUS);
}

static void grant(void *context, int32_t reason, fpga_assoc_grant *grant)
{
    bool has_stopped = false;
    (void)context;
    (void)reason;
    /* It lives so short that each call asks. */
    check(fpga_assoc_grant_access_key(grant, access_key, secret_key, security_token, (int64_t)time(NULL) + 40), &has_stopped);
}

/* The client's own; where the work has none, its calls bring the token. */
static void set_credentials(fpga_assoc_config *config, bool *has_stopped)
{
    if (is_work("signed"))
        check(fpga_assoc_config_set_access_key(config, access_key, secret_key, security_token), has_stopped);
    if (is_work("granted"))
        check(fpga_assoc_config_set_credentials_callback(config, grant, NULL), has_stopped);
}

static const char *token_of_call(void)
{
    return is_work("signed") || is_work("granted") ? NULL : token;
}

/* A client and its settings; NULL where there is no memory for one of them. */
static fpga_assoc_client *make(bool *has_stopped)
{
    static const char user_agent[] = "scarce/1", proxy[] = "http://user:password@proxy.test:3128";
    static char pem[64 * 1024];
    fpga_assoc_client *client = NULL;
    fpga_assoc_config *config;
    FILE *file = NULL;
    size_t length = 0;
    bool counts = is_counting;

    is_counting = false;
    file = fopen(ca_file, "r");
    if (file == NULL)
        exit(1);
    length = fread(pem, 1, sizeof pem, file);
    fclose(file);
    is_counting = counts;

    config = fpga_assoc_config_new();
    if (config == NULL) {
        *has_stopped = true;
        return NULL;
    }
    check(fpga_assoc_config_set_ca_pem(config, pem, length), has_stopped);
    check(fpga_assoc_config_set_ca_file(config, ca_file), has_stopped);
    check(fpga_assoc_config_set_user_agent(config, user_agent), has_stopped);
    check(fpga_assoc_config_set_timeout_ms(config, 20000), has_stopped);
    check(fpga_assoc_config_set_proxy(config, proxy), has_stopped);
    check(fpga_assoc_config_set_proxy(config, ""), has_stopped);
    set_credentials(config, has_stopped);
    if (!*has_stopped)
        check(fpga_assoc_client_new(endpoint, config, &client, NULL), has_stopped);
    fpga_assoc_config_free(config);
    return client;
}

static int32_t list(fpga_assoc_client *client, const char *fpga_id, const char *ecs, size_t *length, fpga_assoc_error **error)
{
    fpga_assoc_list *list = NULL;
    int32_t status = fpga_assoc_client_associations(client, token_of_call(), project_id, fpga_id, ecs, &list, error);
    *length = fpga_assoc_list_len(list);
    fpga_assoc_list_free(list);
    return status;
}

/* A plan, and what its results say. The error may be that of the plan's own making. */
static int32_t apply(fpga_assoc_client *client, const char *fpga_id, fpga_assoc_error **error, bool *is_true)
{
    fpga_assoc_plan *plan = fpga_assoc_plan_new();
    int32_t status = FPGA_ASSOC_OK, result;
    bool is_made = plan != NULL && fpga_assoc_plan_add(plan, fpga_id, ecs_id, true) == FPGA_ASSOC_OK
                   && fpga_assoc_plan_add(plan, "other-1", "other-1", false) == FPGA_ASSOC_OK
                   && fpga_assoc_plan_add(plan, "other-2", "other-2", false) == FPGA_ASSOC_OK;
    if (!is_made) {
        fpga_assoc_plan_free(plan);
        return FPGA_ASSOC_OUT_OF_MEMORY;
    }
    status = fpga_assoc_client_apply(client, token_of_call(), project_id, plan, error);
    result = fpga_assoc_plan_result(plan, 0);
    if (status == FPGA_ASSOC_OK)
        *is_true = result == FPGA_ASSOC_RESULT_CHANGED && fpga_assoc_plan_result(plan, 2) == FPGA_ASSOC_RESULT_AS_WANTED;
    else if (result == FPGA_ASSOC_RESULT_FAILED)
        *is_true = fpga_assoc_error_outcome_unknown(*error) == fpga_assoc_error_outcome_unknown(fpga_assoc_plan_error(plan, 0));
    if (status != FPGA_ASSOC_OK && result == FPGA_ASSOC_RESULT_CHANGED)
        *is_true = false;
    fpga_assoc_plan_free(plan);
    return status;
}

/* What the child's exit status says. */
static int try(long at, const char *fpga_id, int report)
{
    bool has_stopped = false, is_made_before = is_work("list"), is_change = is_work("associate") || is_work("plan") || token_of_call() == NULL;
    bool is_true = true;
    int32_t status = FPGA_ASSOC_OUT_OF_MEMORY;
    fpga_assoc_client *client = NULL, *another;
    fpga_assoc_error *error = NULL, *later = NULL;
    size_t pairs = 0, all = 0;
    long used;

    if (is_made_before)
        client = make(&has_stopped);
    begin(at);
    if (!is_made_before)
        client = make(&has_stopped);
    if (client != NULL && is_work("plan"))
        status = apply(client, fpga_id, &error, &is_true);
    else if (client != NULL && is_change)
        status = fpga_assoc_client_associate(client, token_of_call(), project_id, fpga_id, ecs_id, &error);
    else if (client != NULL && is_work("list"))
        status = list(client, NULL, ecs_id, &pairs, &error);
    else if (client != NULL)
        status = FPGA_ASSOC_OK;
    used = count;
    end();
    if (write(report, &used, sizeof used) != sizeof used)
        return 1;
    check(status, &has_stopped);
    if (!is_true)
        return LIE;
    if (status != FPGA_ASSOC_OK && error == NULL && client != NULL && !is_work("plan"))
        return WRONG_STATUS;
    if (error != NULL && (fpga_assoc_error_status(error) != status || fpga_assoc_error_message(error)[0] == '\0'))
        return WRONG_STATUS;

    /* Memory is back: what was said is true, and the next call works, also on the same client. */
    another = client;
    has_stopped = false;
    if (another == NULL)
        another = make(&has_stopped);
    if (has_stopped || another == NULL)
        return NOT_AGAIN;
    if (list(another, status == FPGA_ASSOC_OK && is_made_before ? NULL : fpga_id, ecs_id, &all, &later) != FPGA_ASSOC_OK) {
        puts(fpga_assoc_error_message(later));
        return NOT_AGAIN;
    }
    if (is_change) {
        if (status == FPGA_ASSOC_OK && all != 1)
            return LIE;
        if (status != FPGA_ASSOC_OK && !fpga_assoc_error_outcome_unknown(error) && all != 0)
            return LIE;
    }
    if (is_work("list") && status == FPGA_ASSOC_OK && pairs != all)
        return LIE;
    fpga_assoc_error_free(error);
    fpga_assoc_client_free(another);
    return status == FPGA_ASSOC_OK ? 0 : STOPPED;
}

/* Memory runs out in each of many calls; what is kept of them does not add up. */
static int keep_refusals(long at, int report)
{
    static fpga_assoc_error *errors[REFUSALS];
    static fpga_assoc_config *configs[REFUSALS];
    bool has_stopped = false;
    fpga_assoc_client *client = make(&has_stopped);
    long i, used = 0;
    for (i = 0; i < REFUSALS; i++) {
        int32_t status;
        configs[i] = fpga_assoc_config_new();
        begin(at);
        status = fpga_assoc_client_associate(client, token, project_id, "nothing", ecs_id, &errors[i]);
        has_stopped |= status == FPGA_ASSOC_OUT_OF_MEMORY;
        if (status != fpga_assoc_error_status(errors[i]) || (status != FPGA_ASSOC_NOT_FOUND && status != FPGA_ASSOC_OUT_OF_MEMORY))
            return WRONG_STATUS;
        used = count;
        count = at;
        status = fpga_assoc_config_set_timeout_ms(configs[i], 1);
        if (status != FPGA_ASSOC_OK && status != FPGA_ASSOC_OUT_OF_MEMORY)
            return WRONG_STATUS;
        end();
    }
    if (write(report, &used, sizeof used) != sizeof used)
        return 1;
    for (i = 0; i < REFUSALS; i++) {
        fpga_assoc_error_free(errors[i]);
        fpga_assoc_config_free(configs[i]);
    }
    fpga_assoc_client_free(client);
    return has_stopped ? STOPPED : 0;
}

/* Runs a child; how many allocations it made. */
static long child(long at, const char *fpga_id, long *stopped)
{
    int reports[2], status;
    long used = 0;
    pid_t pid;
    if (pipe(reports) != 0)
        exit(1);
    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        int result;
        alarm(600);
        result = is_work("refusals") ? keep_refusals(at, reports[1]) : try(at, fpga_id, reports[1]);
        fflush(stdout);
        _exit(result);
    }
    close(reports[1]);
    if (read(reports[0], &used, sizeof used) != sizeof used)
        used = 0;
    close(reports[0]);
    waitpid(pid, &status, 0);
    if (WIFEXITED(status) && WEXITSTATUS(status) == STOPPED) {
        ++*stopped;
    } else if (status != 0) {
        printf("%s %s %ld: %s %d\n", work, how, at, WIFSIGNALED(status) ? "signal" : "exit", WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
        exit(1);
    }
    return used;
}

int main(int argc, char **argv)
{
    long at, first, step, tried = 0, stopped = 0, most;
    char fpga_id[128];
    FILE *ids;
    if (argc != 10)
        return 1;
    work = argv[1];
    how = argv[2];
    first = atol(argv[3]);
    step = atol(argv[4]);
    endpoint = argv[5];
    ca_file = argv[6];
    project_id = argv[7];
    ecs_id = argv[8];
    ids = fopen(argv[9], "r");
    token = getenv("FPGA_TOKEN");
    access_key = getenv("FPGA_ACCESS_KEY");
    secret_key = getenv("FPGA_SECRET_KEY");
    security_token = getenv("FPGA_SECURITY_TOKEN");
    if (ids == NULL || token == NULL || access_key == NULL || secret_key == NULL || security_token == NULL)
        return 1;
    at = 0;
    most = 0;
    do {
        if (fscanf(ids, "%127s", fpga_id) != 1)
            return 1;
        if (at == 0)
            most = strcmp(how, "limit") == 0 ? (child(at, fpga_id, &stopped), 400) : child(at, fpga_id, &stopped);
        else
            child(at, fpga_id, &stopped);
        tried++;
        at += at < first ? 1 : step;
    } while (at <= most);
    printf("%ld %ld\n", tried, stopped);
    return 0;
}
