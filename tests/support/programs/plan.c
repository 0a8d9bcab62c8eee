/*
 * A host that has plans carried out, and looks at itself meanwhile.
 *
 *     plan MODE ENDPOINT PROJECT_ID PAIRS PARALLEL
 *
 * PAIRS is a file of lines "FPGA_ID ECS_ID", all to be associated. MODE is
 *   apply      carries the plan out, and prints how many pairs were as wanted, changed, failed, and are open
 *   callback   looks from the progress callback at what it may do there
 *   fork       the progress callback forks; the child returns from it too
 *   log-fork   the log callback forks; the child ends there
 *   fault      the log callback writes to a page that a handler of faults repairs
 *   no-thread  the system gives no thread
 *   one-thread the system gives one
 *   cancel     another thread cancels the one that waits, which takes effect afterwards
 */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fpga_associate.h"

static const char *mode, *project_id, *token;
static fpga_assoc_client *client;
static fpga_assoc_plan *plan;
static pthread_t main_thread;
static atomic_int threads_made, wrong;
static size_t latest_settled, latest_total;
static int progress_calls, is_in_progress;
static pid_t child = -1;

#define EXPECT(what) \
    do { \
        if (!(what)) { \
            fprintf(stderr, "line %d: %s\n", __LINE__, #what); \
            wrong++; \
        } \
    } while (0)

static int is_mode(const char *name)
{
    return strcmp(mode, name) == 0;
}

static void *apply_and_note(void *is_done);

/* That of a sanitizer, which is in the program and not behind it. */
int __interceptor_pthread_create(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *) __attribute__((weak));

/* The library's threads are made with this. */
int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *argument)
{
    static int (*next)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
    int most = is_mode("no-thread") ? 0 : is_mode("one-thread") ? 1 : 1000;
    if (threads_made >= most)
        return EAGAIN;
    if (next == NULL)
        next = __interceptor_pthread_create;
    if (next == NULL)
        *(void **)&next = dlsym(RTLD_NEXT, "pthread_create");
    if (run != apply_and_note) {
        size_t stack = SIZE_MAX;
        EXPECT(attributes != NULL && pthread_attr_getstacksize(attributes, &stack) == 0 && stack <= 1024 * 1024);
    }
    threads_made++;
    return next(thread, attributes, run, argument);
}

/* ThreadSanitizer has a thread of its own, which begins with the first of the others: with it nothing can be counted. */
void __tsan_init(void) __attribute__((weak));

static int threads_now(void)
{
    int count = 0;
    struct dirent *entry;
    DIR *folder;
    if (__tsan_init != NULL)
        return 1;
    folder = opendir("/proc/self/task");
    while ((entry = readdir(folder)) != NULL)
        count += entry->d_name[0] != '.';
    closedir(folder);
    return count;
}

static void look_at_everything(void)
{
    fpga_assoc_error *error = NULL;
    /* Reading is allowed, changing is not. */
    EXPECT(fpga_assoc_plan_len(plan) == latest_total);
    EXPECT(fpga_assoc_plan_result(plan, 0) >= FPGA_ASSOC_RESULT_OPEN);
    EXPECT(fpga_assoc_plan_error(plan, latest_total) == NULL);
    EXPECT(fpga_assoc_plan_add(plan, "f", "e", true) == FPGA_ASSOC_INVALID_ARGUMENT);
    EXPECT(strstr(fpga_assoc_last_error(), "is being carried out") != NULL);
    EXPECT(fpga_assoc_plan_set_parallel(plan, 2) == FPGA_ASSOC_INVALID_ARGUMENT);
    EXPECT(fpga_assoc_client_apply(client, token, project_id, plan, &error) == FPGA_ASSOC_INVALID_ARGUMENT);
    fpga_assoc_error_free(error);
}

static long latest_ms;

static long ms_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void progress(void *context, size_t settled, size_t total)
{
    EXPECT(context == &plan);
    EXPECT(pthread_equal(pthread_self(), main_thread));
    EXPECT(!is_in_progress);
    is_in_progress = 1;
    EXPECT(progress_calls == 0 || settled > latest_settled);
    /* Five times a second, and at the end. */
    EXPECT(progress_calls == 0 || settled == total || ms_now() - latest_ms >= 190);
    latest_ms = ms_now();
    latest_settled = settled;
    latest_total = total;
    progress_calls++;
    if (is_mode("callback"))
        look_at_everything();
    if (is_mode("fork") && child == -1)
        child = fork();
    is_in_progress = 0;
}

static void *page;
static atomic_int faults;

/* As write barriers of runtimes do. */
static void repair(int number, siginfo_t *information, void *context)
{
    (void)number;
    (void)information;
    (void)context;
    faults++;
    mprotect(page, 4096, PROT_READ | PROT_WRITE);
}

static void fault(void)
{
    mprotect(page, 4096, PROT_NONE);
    /* Relaxed: for another, ThreadSanitizer would hold a lock in the middle of the fault. */
    atomic_store_explicit((atomic_char *)page, 1, memory_order_relaxed);
}

static void expect_faults(void)
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_sigaction = repair;
    action.sa_flags = SA_SIGINFO;
    sigaction(SIGSEGV, &action, NULL);
    page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void hear(void *context, int32_t level, const char *line)
{
    static atomic_int forks;
    (void)context;
    (void)level;
    (void)line;
    if (is_mode("fault"))
        fault();
    if (is_mode("log-fork") && forks++ == 20) {
        int status = -1;
        pid_t pid = fork();
        if (pid == 0) {
            /* The results can be read, and a plan of its own works. */
            fpga_assoc_plan *own = fpga_assoc_plan_new();
            int32_t is_added = fpga_assoc_plan_add(own, "f", "e", true);
            (void)fpga_assoc_plan_result(plan, 0);
            fpga_assoc_plan_free(own);
            _exit(is_added == FPGA_ASSOC_OK ? 0 : 1);
        }
        waitpid(pid, &status, 0);
        EXPECT(status == 0);
    }
}

static int read_pairs(const char *file)
{
    char fpga_id[129], ecs_id[129];
    FILE *pairs = fopen(file, "r");
    if (pairs == NULL)
        return 1;
    while (fscanf(pairs, "%128s %128s", fpga_id, ecs_id) == 2)
        if (fpga_assoc_plan_add(plan, fpga_id, ecs_id, true) != FPGA_ASSOC_OK)
            return 1;
    fclose(pairs);
    return 0;
}

static int32_t apply(void)
{
    fpga_assoc_error *error = NULL;
    int32_t status = fpga_assoc_client_apply(client, token, project_id, plan, &error);
    if (status != FPGA_ASSOC_OK)
        fprintf(stderr, "%s\n", fpga_assoc_error_message(error));
    EXPECT(status == fpga_assoc_error_status(error));
    /* A child of fork can't know what its parent goes on to do. */
    EXPECT(child != 0 || status == FPGA_ASSOC_OK || fpga_assoc_error_outcome_unknown(error));
    fpga_assoc_error_free(error);
    return status;
}

static void *apply_and_note(void *is_done)
{
    apply();
    *(atomic_int *)is_done = 1;
    pthread_testcancel();
    return NULL;
}

static int report(void)
{
    size_t index, counts[5] = { 0, 0, 0, 0, 0 };
    for (index = 0; index < fpga_assoc_plan_len(plan); index++)
        counts[fpga_assoc_plan_result(plan, index)]++;
    printf("as wanted %zu, changed %zu, failed %zu, open %zu, threads %d\n", counts[FPGA_ASSOC_RESULT_AS_WANTED],
           counts[FPGA_ASSOC_RESULT_CHANGED], counts[FPGA_ASSOC_RESULT_FAILED], counts[FPGA_ASSOC_RESULT_OPEN], threads_made);
    return counts[FPGA_ASSOC_RESULT_OPEN] != 0;
}

/* The child of a fork in the middle of the plan, which has come back from it: all is as usual for it. */
static int live_as_a_child(int32_t status)
{
    EXPECT(status == FPGA_ASSOC_INCOMPLETE);
    EXPECT(threads_now() == 1);
    EXPECT(fpga_assoc_plan_len(plan) == latest_total);
    /* It is counted anew. */
    progress_calls = 0;
    apply();
    EXPECT(!report());
    fpga_assoc_plan_free(plan);
    fpga_assoc_client_free(client);
    return wrong;
}

int main(int argc, char **argv)
{
    fpga_assoc_config *config = fpga_assoc_config_new();
    int32_t status;
    int threads_before;
    if (argc != 6)
        return 1;
    mode = argv[1];
    project_id = argv[3];
    token = getenv("FPGA_TOKEN");
    main_thread = pthread_self();
    plan = fpga_assoc_plan_new();
    if (fpga_assoc_config_set_log(config, hear, NULL) != FPGA_ASSOC_OK
        || fpga_assoc_client_new(argv[2], config, &client, NULL) != FPGA_ASSOC_OK || read_pairs(argv[4]) != 0
        || fpga_assoc_plan_set_parallel(plan, (uint32_t)atoi(argv[5])) != FPGA_ASSOC_OK
        || fpga_assoc_plan_set_progress(plan, is_mode("cancel") ? NULL : progress, &plan) != FPGA_ASSOC_OK) {
        puts(fpga_assoc_last_error());
        return 1;
    }
    fpga_assoc_config_free(config);
    threads_before = threads_now();
    if (is_mode("fault"))
        expect_faults();
    if (is_mode("cancel")) {
        static atomic_int is_done;
        pthread_t thread;
        void *result = NULL;
        EXPECT(pthread_create(&thread, NULL, apply_and_note, &is_done) == 0);
        pthread_cancel(thread);
        pthread_join(thread, &result);
        EXPECT(result == PTHREAD_CANCELED);
        EXPECT(is_done || fpga_assoc_plan_result(plan, 0) == FPGA_ASSOC_RESULT_OPEN);
        threads_made = 0;
        status = apply();
    } else {
        status = apply();
    }
    /* A child leaves alone what is its parent's, so that there is no looking for leaks when it ends. */
    if (child == 0)
        _exit(live_as_a_child(status));
    if (child > 0) {
        int child_status = -1;
        waitpid(child, &child_status, 0);
        EXPECT(child_status == 0);
    }
    EXPECT(threads_now() == threads_before);
    if (!is_mode("cancel")) {
        EXPECT(latest_settled == latest_total && latest_total == fpga_assoc_plan_len(plan));
        EXPECT(progress_calls > 0);
    }
    report();
    EXPECT(!is_mode("fault") || faults > 0);
    /* Afterwards it can be changed again. */
    EXPECT(fpga_assoc_plan_add(plan, "f", "e", true) == FPGA_ASSOC_OK);
    fpga_assoc_plan_free(plan);
    fpga_assoc_client_free(client);
    return status != FPGA_ASSOC_OK || wrong != 0;
}
