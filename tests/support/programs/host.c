/*
 * Hosts with habits: each promise is one mode of this program.
 *
 *     host MODE ENDPOINT CA_FILE PROJECT_ID FPGA_ID ECS_ID
 *
 * The image is one that the service does not know, so that every call that works ends as FPGA_ASSOC_NOT_FOUND. Exits with 0 where
 * the promise held, 77 where this machine can't show it.
 */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "fpga_associate.h"

#define CANT_SHOW 77

static const char *endpoint, *ca_file, *project_id, *fpga_id, *ecs_id;
static fpga_assoc_client *client;

static int failed(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, fpga_assoc_last_error());
    return 1;
}

static int32_t one_line_call(void)
{
    return fpga_associate(endpoint, getenv("FPGA_TOKEN"), project_id, fpga_id, ecs_id);
}

static int32_t call(void)
{
    return fpga_assoc_client_associate(client, getenv("FPGA_TOKEN"), project_id, fpga_id, ecs_id, NULL);
}

static int new_client(void)
{
    fpga_assoc_config *config = fpga_assoc_config_new();
    int is_made = (*ca_file == '\0' || fpga_assoc_config_set_ca_file(config, ca_file) == FPGA_ASSOC_OK)
                  && fpga_assoc_config_set_max_attempts(config, 1) == FPGA_ASSOC_OK
                  && fpga_assoc_client_new(endpoint, config, &client, NULL) == FPGA_ASSOC_OK;
    fpga_assoc_config_free(config);
    return is_made;
}

static int entries_of(const char *folder)
{
    int count = 0;
    DIR *entries = opendir(folder);
    while (entries != NULL && readdir(entries) != NULL)
        count++;
    if (entries != NULL)
        closedir(entries);
    return count;
}

/* --- the modes --- */

static void *call_on_thread(void *status)
{
    *(int32_t *)status = call();
    return NULL;
}

static int small_stack(size_t size)
{
    pthread_attr_t attributes;
    pthread_t thread;
    int32_t status = -1;
    long least = sysconf(_SC_THREAD_STACK_MIN); /* 128 KiB on aarch64 with glibc */
    pthread_attr_init(&attributes);
    if (pthread_attr_setstacksize(&attributes, (long)size < least ? (size_t)least : size) != 0)
        return 2;
    if (pthread_create(&thread, &attributes, call_on_thread, &status) != 0)
        return 2;
    pthread_join(thread, NULL);
    return status == FPGA_ASSOC_NOT_FOUND ? 0 : failed("a small stack");
}

static volatile sig_atomic_t ticks;

static void tick(int signal)
{
    (void)signal;
    ticks++;
}

static int timer_signal(void)
{
    struct sigaction action = { .sa_handler = tick }; /* no SA_RESTART */
    struct itimerval every_ms = { { 0, 1000 }, { 0, 1000 } }, never = { { 0, 0 }, { 0, 0 } };
    int i;
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &every_ms, NULL);
    for (i = 0; i < 100; i++)
        if (call() != FPGA_ASSOC_NOT_FOUND || one_line_call() != FPGA_ASSOC_NOT_FOUND)
            return failed("under a timer signal");
    /* It would disturb a sanitizer that looks for leaks when the process ends. */
    setitimer(ITIMER_REAL, &never, NULL);
    return ticks > 10 ? 0 : 2;
}

/* The endpoint closes each connection at once: writing to it raises SIGPIPE where nobody prevents it. */
static int broken_pipe(void)
{
    static char token[65536];
    int i;
    memset(token, 'x', sizeof token - 1);
    signal(SIGPIPE, SIG_DFL);
    for (i = 0; i < 50; i++)
        if (fpga_assoc_client_associate(client, token, project_id, fpga_id, ecs_id, NULL) != FPGA_ASSOC_CONNECTION_LOST)
            return failed("a broken pipe");
    return 0;
}

static void call_at_exit(void)
{
    if (one_line_call() != FPGA_ASSOC_NOT_FOUND || strstr(fpga_assoc_last_error(), "404") == NULL) {
        failed("at exit");
        _exit(1);
    }
}

static int no_descriptors(void)
{
    struct rlimit none;
    int next = dup(0), file, more;
    int32_t status;
    close(next);
    getrlimit(RLIMIT_NOFILE, &none);
    none.rlim_cur = (rlim_t)next;
    setrlimit(RLIMIT_NOFILE, &none);
    if (call() != FPGA_ASSOC_CONNECT_FAILED)
        return failed("without file descriptors, a client");
    if (strstr(fpga_assoc_last_error(), "no file descriptor left") == NULL)
        return failed("without file descriptors, the message");
    if (one_line_call() != FPGA_ASSOC_CONNECT_FAILED)
        return failed("without file descriptors");
    /* Enough for a part: a lookup, a connection, but not the file of certificates behind it. */
    for (more = 1; more < 8; more++) {
        none.rlim_cur = (rlim_t)(next + more);
        setrlimit(RLIMIT_NOFILE, &none);
        status = one_line_call();
        if (status == FPGA_ASSOC_NOT_FOUND)
            break;
        if (status != FPGA_ASSOC_CONNECT_FAILED || strstr(fpga_assoc_last_error(), "no file descriptor left") == NULL)
            return failed("with few file descriptors");
    }
    fpga_assoc_close_idle();
    none.rlim_cur = none.rlim_max;
    setrlimit(RLIMIT_NOFILE, &none);
    file = open("/dev/null", O_RDONLY);
    if (file != next)
        return failed("descriptors were left open");
    close(file);
    return call() == FPGA_ASSOC_NOT_FOUND && one_line_call() == FPGA_ASSOC_NOT_FOUND ? 0 : failed("after it");
}

/* Another service does not know the token, but answers. */
static int is_answered(const char *other_endpoint)
{
    endpoint = other_endpoint;
    one_line_call();
    return fpga_assoc_error_http_status(fpga_assoc_last_error_detail()) != 0;
}

/* The one-line calls keep a connection to the endpoint, and give it up for one to another. */
static int few_descriptors(const char *other_endpoint)
{
    struct rlimit few;
    int next, is_right;
    if (one_line_call() != FPGA_ASSOC_NOT_FOUND)
        return failed("before");
    next = dup(0);
    close(next);
    getrlimit(RLIMIT_NOFILE, &few);
    few.rlim_cur = (rlim_t)next;
    setrlimit(RLIMIT_NOFILE, &few);
    is_right = is_answered(other_endpoint);
    /* A sanitizer that looks for leaks when the process ends needs some. */
    few.rlim_cur = few.rlim_max;
    setrlimit(RLIMIT_NOFILE, &few);
    return is_right ? 0 : failed("with an idle connection to give up");
}

/* Only a clock that is there to be changed for this process alone shows it: see clock.c. */
static int early_clock(const char *plain_endpoint)
{
    if (call() != FPGA_ASSOC_TLS_FAILED || strstr(fpga_assoc_last_error(), "clock says Thu, 01 Jan 1970") == NULL)
        return failed("over TLS");
    return is_answered(plain_endpoint) ? 0 : failed("over plain http");
}

/* Calls with so many seconds between them, on one connection as long as it is kept. */
static int long_use(long seconds, int calls)
{
    void (*move_clock)(long seconds);
    int i;
    *(void **)&move_clock = dlsym(RTLD_DEFAULT, "move_clock");
    if (move_clock == NULL)
        return failed("clock.c is not in front");
    for (i = 0; i < calls; i++) {
        move_clock(seconds);
        if (call() != FPGA_ASSOC_OK)
            return failed("a call");
    }
    return 0;
}

static int no_threads(void)
{
    struct rlimit none = { 0, 0 };
    pthread_t thread;
    int32_t status = -1;
    if (call() != FPGA_ASSOC_NOT_FOUND)
        return failed("before");
    if (getuid() == 0 && setuid(65534) != 0)
        return CANT_SHOW;
    setrlimit(RLIMIT_NPROC, &none);
    if (pthread_create(&thread, NULL, call_on_thread, &status) == 0) {
        pthread_join(thread, NULL);
        return CANT_SHOW;
    }
    if (call() != FPGA_ASSOC_NOT_FOUND)
        return failed("a kept connection needs no thread");
    status = fpga_associate("no-thread.invalid", "token", project_id, fpga_id, ecs_id);
    if (status != FPGA_ASSOC_RESOLVE_FAILED || strstr(fpga_assoc_last_error(), "no thread") == NULL)
        return failed("without threads");
    return 0;
}

/* As in a container without /etc, and so without trusted certificates. */
static int empty_root(const char *folder)
{
    if (chroot(folder) != 0 || chdir("/") != 0)
        return CANT_SHOW;
    unsetenv("SSL_CERT_FILE");
    unsetenv("SSL_CERT_DIR");
    if (call() != FPGA_ASSOC_NOT_FOUND)
        return failed("with a CA file of its own");
    if (one_line_call() != FPGA_ASSOC_TLS_FAILED || strstr(fpga_assoc_last_error(), "not trusted") == NULL)
        return failed("with the built-in certificates");
    return 0;
}

/* A client has two descriptors from its first call on, the one-line calls have none, and each connection has one. */
static int counted_descriptors(void)
{
    int before = entries_of("/proc/self/fd");
    if (call() != FPGA_ASSOC_NOT_FOUND || entries_of("/proc/self/fd") != before + 3)
        return failed("with a client and a connection");
    fpga_assoc_client_close_idle(client);
    if (entries_of("/proc/self/fd") != before + 2)
        return failed("with a client");
    if (call() != FPGA_ASSOC_NOT_FOUND)
        return failed("a call");
    fpga_assoc_client_free(client);
    if (entries_of("/proc/self/fd") != before)
        return failed("without the client");
    if (one_line_call() != FPGA_ASSOC_NOT_FOUND || entries_of("/proc/self/fd") != before + 1)
        return failed("with a connection of the one-line calls");
    fpga_assoc_close_idle();
    return entries_of("/proc/self/fd") == before ? 0 : failed("in the end");
}

static int closed_streams(void)
{
    int kept = fcntl(2, F_DUPFD, 100), i, is_clean = 1;
    close(0);
    close(1);
    close(2);
    for (i = 0; i < 3; i++)
        if (call() != FPGA_ASSOC_NOT_FOUND || one_line_call() != FPGA_ASSOC_NOT_FOUND)
            is_clean = 0;
    /* What the host prints now must go nowhere, least of all into a connection. */
    for (i = 0; i < 3; i++)
        if (write(i, "x", 1) != -1 || errno != EBADF)
            is_clean = 0;
    dup2(kept, 2);
    return is_clean ? 0 : failed("with closed standard streams");
}

static int left_alone(void)
{
    struct sigaction before[65], after;
    char folder[4096], folder_after[4096];
    char *locale;
    extern char **environ;
    char **variables = environ;
    sigset_t mask, mask_after;
    int signal_number, threads, descriptors;

    for (signal_number = 1; signal_number < 65; signal_number++)
        sigaction(signal_number, NULL, &before[signal_number]);
    pthread_sigmask(SIG_BLOCK, NULL, &mask);
    locale = setlocale(LC_ALL, NULL);
    if (getcwd(folder, sizeof folder) == NULL)
        return 2;

    descriptors = entries_of("/proc/self/fd");
    if (fpga_associate("nowhere.invalid", "token", project_id, fpga_id, ecs_id) != FPGA_ASSOC_RESOLVE_FAILED)
        return failed("a name that does not exist");
    if (entries_of("/proc/self/fd") > descriptors)
        return failed("a lookup left a descriptor behind");
    if (call() != FPGA_ASSOC_NOT_FOUND || one_line_call() != FPGA_ASSOC_NOT_FOUND)
        return failed("a call");
    if (fpga_associate("nowhere.invalid", "token", project_id, fpga_id, ecs_id) == FPGA_ASSOC_OK)
        return failed("a name that does not exist");
    threads = entries_of("/proc/self/task");
    descriptors = entries_of("/proc/self/fd");
    if (call() != FPGA_ASSOC_NOT_FOUND || one_line_call() != FPGA_ASSOC_NOT_FOUND)
        return failed("a warm call");
    if (entries_of("/proc/self/task") > threads || entries_of("/proc/self/fd") > descriptors)
        return failed("a warm call left something behind");

    for (signal_number = 1; signal_number < 65; signal_number++) {
        /* The C library keeps two signals for itself. */
        if (sigaction(signal_number, NULL, &after) == 0 && after.sa_handler != before[signal_number].sa_handler)
            return failed("a signal handler");
    }
    pthread_sigmask(SIG_BLOCK, NULL, &mask_after);
    if (memcmp(&mask, &mask_after, sizeof mask / 16) != 0)
        return failed("the signal mask");
    if (environ != variables || strcmp(locale, setlocale(LC_ALL, NULL)) != 0)
        return failed("the environment or the locale");
    if (getcwd(folder_after, sizeof folder_after) == NULL || strcmp(folder, folder_after) != 0)
        return failed("the working directory");
    return 0;
}

/* A process that leads a session without a terminal gets the first one that it opens, and its signals. */
static int no_terminal(void)
{
    fpga_assoc_config *config = fpga_assoc_config_new();
    int keeper = posix_openpt(O_RDWR | O_NOCTTY);
    if (keeper < 0 || grantpt(keeper) != 0 || unlockpt(keeper) != 0 || setsid() < 0)
        return CANT_SHOW;
    if (fpga_assoc_config_set_ca_file(config, ptsname(keeper)) != FPGA_ASSOC_INVALID_ARGUMENT)
        return failed("a terminal was read");
    fpga_assoc_config_free(config);
    if (open("/dev/tty", O_RDWR | O_NOCTTY) >= 0 || errno != ENXIO)
        return failed("the terminal is the process's");
    return 0;
}

int main(int argc, char **argv)
{
    const char *mode;
    if (argc < 7)
        return 2;
    mode = argv[1];
    endpoint = argv[2];
    ca_file = argv[3];
    project_id = argv[4];
    fpga_id = argv[5];
    ecs_id = argv[6];
    if (!new_client())
        return failed("the client");
    if (strcmp(mode, "small-stack") == 0)
        return small_stack((size_t)atol(argv[7]));
    if (strcmp(mode, "timer-signal") == 0)
        return timer_signal();
    if (strcmp(mode, "broken-pipe") == 0)
        return broken_pipe();
    if (strcmp(mode, "at-exit") == 0)
        return atexit(call_at_exit);
    if (strcmp(mode, "no-descriptors") == 0)
        return no_descriptors();
    if (strcmp(mode, "few-descriptors") == 0)
        return few_descriptors(argv[7]);
    if (strcmp(mode, "early-clock") == 0)
        return early_clock(argv[7]);
    if (strcmp(mode, "long-use") == 0)
        return long_use(atol(argv[7]), atoi(argv[8]));
    if (strcmp(mode, "no-threads") == 0)
        return no_threads();
    if (strcmp(mode, "empty-root") == 0)
        return empty_root(argv[7]);
    if (strcmp(mode, "counted-descriptors") == 0)
        return counted_descriptors();
    if (strcmp(mode, "closed-streams") == 0)
        return closed_streams();
    if (strcmp(mode, "left-alone") == 0)
        return left_alone();
    if (strcmp(mode, "no-terminal") == 0)
        return no_terminal();
    return 2;
}
