/*
 * A host under load: 32 threads make calls with a few clients that they share. A thread of its own replaces the clients meanwhile,
 * every other time with a shutdown in the middle of their calls; one more forks children that make a call each.
 *
 *     soak PHASES CALLS SECONDS SEED ENDPOINT PLAIN_ENDPOINT CA_FILE VAULT PROJECT_ID PAIRS
 *
 * Each phase ends after so many calls, or seconds unless these are 0; its threads are joined then, and its clients freed. PAIRS is a
 * file of lines "FPGA_ID ECS_ID"; sixteen of them belong to each thread, of which it makes one call at a time. VAULT is the port on
 * 127.0.0.1 where credentials are to be had, as "token TOKEN EXPIRES" or "key KEY SECRET SECURITY_TOKEN EXPIRES". The token and the
 * access key are in the environment.
 *
 * What happens is told in lines, each by one write:
 *
 *     begin OWNER NUMBER
 *     change OWNER NUMBER BEGUN ENDED SLOT SHUT PAIR WANTED STATUS UNKNOWN OBSERVED ATTEMPTS
 *     list OWNER NUMBER BEGUN ENDED SLOT SHUT FIRST COUNT STATUS SHOWN
 *     apply OWNER NUMBER BEGUN ENDED SLOT SHUT STATUS UNKNOWN PAIR:WANTED:RESULT:STATUS:UNKNOWN:OBSERVED ...
 *     compare, as apply
 *     rest PHASE CALLS DESCRIPTORS THREADS IN_USE RESIDENT
 *     trouble TEXT
 *
 * Times are those of the monotonic clock in nanoseconds. SHUT is 1 where the client was shut down before the call had ended, and 2
 * where before it began. SHOWN has a bit for each pair that a list shows, from FIRST on. IN_USE is what the allocator has given and
 * not got back, in bytes, RESIDENT in KiB.
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <inttypes.h>
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "soak.h"

#define TIMEOUT_MS 3000
/* After so many calls a client is replaced, and a child forked. */
#define CALLS_OF_CLIENT 100
#define CALLS_OF_CHILD 60

/* What a client's calls prove themselves with, and one that goes without TLS. */
enum kind { TOKEN, ACCESS_KEY, ENVIRONMENT, GRANTED, PLAIN_TOKEN, SLOTS };

static struct slot {
    pthread_mutex_t lock;
    pthread_cond_t is_unused;
    struct holder *holder;
} slots[SLOTS];

static struct owner owners[OWNERS];
const char *project_id;
static const char *endpoint, *plain_endpoint, *ca_file;
static uint16_t vault_port;

static pthread_mutex_t progress_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t has_progressed = PTHREAD_COND_INITIALIZER;
static uint64_t calls_made, calls_of_phase;
static int64_t end_of_phase;
static bool is_over;

/* Asks the vault, which may have nothing. */
static void grant_credentials(void *context, int32_t reason, fpga_assoc_grant *grant)
{
    char text[8192], kind[8] = "", first[4096], second[256], third[4096];
    int64_t expires_at = 0;
    size_t length = 0;
    ssize_t more = 0;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(vault_port)};
    int vault = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int32_t status;
    (void)context, (void)reason;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(vault, (struct sockaddr *)&address, sizeof address) == 0)
        while ((more = read(vault, text + length, sizeof text - 1 - length)) > 0)
            length += (size_t)more;
    close(vault);
    text[length] = '\0';
    sscanf(text, "%7s", kind);
    if (strcmp(kind, "token") == 0 && sscanf(text, "token %4095s %" SCNd64, first, &expires_at) == 2)
        status = fpga_assoc_grant_token(grant, first, expires_at);
    else if (strcmp(kind, "key") == 0 && sscanf(text, "key %4095s %255s %4095s %" SCNd64, first, second, third, &expires_at) == 4)
        status = fpga_assoc_grant_access_key(grant, first, second, third, expires_at);
    else
        status = fpga_assoc_grant_refuse(grant, "the vault is closed");
    if (status != FPGA_ASSOC_OK)
        say("trouble a grant: %s", fpga_assoc_last_error());
}

static fpga_assoc_client *new_client(int kind)
{
    fpga_assoc_client *client = NULL;
    fpga_assoc_config *config = fpga_assoc_config_new();
    int32_t status = FPGA_ASSOC_OK;
    bool is_set = fpga_assoc_config_set_timeout_ms(config, TIMEOUT_MS) == FPGA_ASSOC_OK
        && fpga_assoc_config_set_ca_file(config, ca_file) == FPGA_ASSOC_OK
        && fpga_assoc_config_set_proxy(config, "") == FPGA_ASSOC_OK;
    if (kind == TOKEN || kind == PLAIN_TOKEN)
        status = fpga_assoc_config_set_token(config, getenv("FPGA_TOKEN"));
    if (kind == ACCESS_KEY)
        status = fpga_assoc_config_set_access_key(config, getenv("HW_ACCESS_KEY"), getenv("HW_SECRET_KEY"), NULL);
    if (kind == ENVIRONMENT)
        status = fpga_assoc_config_set_environment_credentials(config);
    if (kind == GRANTED)
        status = fpga_assoc_config_set_credentials_callback(config, grant_credentials, NULL);
    if (!is_set || status != FPGA_ASSOC_OK
        || fpga_assoc_client_new(kind == PLAIN_TOKEN ? plain_endpoint : endpoint, config, &client, NULL) != FPGA_ASSOC_OK)
        say("trouble a client of kind %d: %s", kind, fpga_assoc_last_error());
    fpga_assoc_config_free(config);
    return client;
}

static struct holder *new_holder(int kind)
{
    struct holder *holder = calloc(1, sizeof *holder);
    holder->client = new_client(kind);
    return holder;
}

static void free_holder(struct holder *holder)
{
    fpga_assoc_client_free(holder->client);
    free(holder);
}

static struct holder *take(int slot)
{
    struct holder *holder;
    pthread_mutex_lock(&slots[slot].lock);
    holder = slots[slot].holder;
    holder->users++;
    pthread_mutex_unlock(&slots[slot].lock);
    return holder;
}

static void give_back(int slot, struct holder *holder)
{
    pthread_mutex_lock(&slots[slot].lock);
    if (--holder->users == 0)
        pthread_cond_broadcast(&slots[slot].is_unused);
    pthread_mutex_unlock(&slots[slot].lock);
}

/* Whether the phase goes on. */
static bool note_call(void)
{
    bool goes_on;
    pthread_mutex_lock(&progress_lock);
    calls_made++;
    if (calls_made >= calls_of_phase || (end_of_phase != 0 && now() >= end_of_phase))
        is_over = true;
    goes_on = !is_over;
    pthread_cond_broadcast(&has_progressed);
    pthread_mutex_unlock(&progress_lock);
    return goes_on;
}

/* Waits until so many more calls were made; whether the phase goes on. */
static bool wait_for_calls(uint64_t more)
{
    bool goes_on;
    pthread_mutex_lock(&progress_lock);
    more += calls_made;
    while (calls_made < more && !is_over)
        pthread_cond_wait(&has_progressed, &progress_lock);
    goes_on = !is_over;
    pthread_mutex_unlock(&progress_lock);
    return goes_on;
}

static void *call(void *argument)
{
    struct owner *owner = argument;
    do {
        int slot = (int)below(owner, SLOTS);
        uint64_t what = below(owner, 100);
        struct holder *holder = take(slot);
        begin(owner);
        if (what < 3)
            make_plan(owner, slot, holder);
        else if (what < 15)
            make_list(owner, slot, holder);
        else
            make_change(owner, slot, holder);
        give_back(slot, holder);
    } while (note_call());
    return NULL;
}

/* Puts another client in the place of one, whose calls are broken off or come to their end, in turn. */
static void *replace(void *argument)
{
    struct owner *owner = argument;
    bool is_shut_down = false;
    while (wait_for_calls(CALLS_OF_CLIENT)) {
        int slot = (int)below(owner, SLOTS);
        struct holder *fresh = new_holder(slot), *old;
        pthread_mutex_lock(&slots[slot].lock);
        old = slots[slot].holder;
        slots[slot].holder = fresh;
        pthread_mutex_unlock(&slots[slot].lock);
        is_shut_down = !is_shut_down;
        if (is_shut_down) {
            old->shut = 1;
            fpga_assoc_client_shutdown(old->client);
            old->shut = 2;
            begin(owner);
            make_change(owner, slot, old);
            note_call();
        } else {
            fpga_assoc_client_close_idle(old->client);
        }
        pthread_mutex_lock(&slots[slot].lock);
        while (old->users > 0)
            pthread_cond_wait(&slots[slot].is_unused, &slots[slot].lock);
        pthread_mutex_unlock(&slots[slot].lock);
        free_holder(old);
    }
    return NULL;
}

/* Makes a call in a child: with a client of its own, or with its parent's. */
static void *fork_and_call(void *argument)
{
    struct owner *owner = argument;
    while (wait_for_calls(CALLS_OF_CHILD)) {
        int slot = (int)below(owner, SLOTS), pair = some_pair(owner), result = -1;
        bool associates = below(owner, 2), is_own = below(owner, 3) == 0;
        struct holder *holder = take(slot);
        pid_t child;
        begin(owner);
        child = fork();
        if (child == 0) {
            struct holder *own = is_own ? new_holder(slot) : holder;
            bool is_unknown = change(owner, slot, own, pair, associates);
            if (is_own)
                free_holder(own);
            _exit(is_unknown);
        }
        if (waitpid(child, &result, 0) != child || !WIFEXITED(result) || WEXITSTATUS(result) > 1)
            say("trouble a child ended with %d", result);
        note_outcome(owner, pair, result != 0);
        give_back(slot, holder);
        note_call();
    }
    return NULL;
}

/* How many entries a folder has. */
static int entries(const char *path)
{
    int count = 0;
    struct dirent *entry;
    DIR *folder = opendir(path);
    while ((entry = readdir(folder)) != NULL)
        count += entry->d_name[0] != '.';
    closedir(folder);
    return count;
}

static long resident(void)
{
    char line[256];
    long kib = 0;
    FILE *file = fopen("/proc/self/smaps_rollup", "re");
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        sscanf(line, "Rss: %ld", &kib);
    if (file != NULL)
        fclose(file);
    return kib;
}

static void rest(int phase)
{
    struct mallinfo2 memory;
    malloc_trim(0);
    memory = mallinfo2();
    say("rest %d %" PRIu64 " %d %d %zu %ld", phase, calls_made, entries("/proc/self/fd"), entries("/proc/self/task"),
        memory.uordblks + memory.hblkhd, resident());
}

/* Not on the main thread: what that frees, the allocator would keep for it, and count as given. */
static void *run_phase(void *unused)
{
    pthread_t threads[OWNERS];
    int slot, at;
    (void)unused;
    is_over = false;
    for (slot = 0; slot < SLOTS; slot++)
        slots[slot].holder = new_holder(slot);
    for (at = 0; at < OWNERS; at++)
        if (pthread_create(&threads[at], NULL, at < CALLERS ? call : at == CALLERS ? replace : fork_and_call, &owners[at]) != 0)
            say("trouble no thread");
    for (at = 0; at < OWNERS; at++)
        pthread_join(threads[at], NULL);
    for (slot = 0; slot < SLOTS; slot++)
        free_holder(slots[slot].holder);
    return NULL;
}

int main(int argc, char **argv)
{
    int phase, at, pair;
    FILE *pairs;
    if (argc < 11)
        return 2;
    endpoint = argv[5];
    plain_endpoint = argv[6];
    ca_file = argv[7];
    vault_port = (uint16_t)atoi(argv[8]);
    project_id = argv[9];
    pairs = fopen(argv[10], "re");
    for (at = 0; at < OWNERS; at++) {
        owners[at].number = at;
        owners[at].random = strtoull(argv[4], NULL, 10) + (uint64_t)at * 1000003;
        for (pair = 0; pair < PAIRS; pair++)
            if (fscanf(pairs, "%63s %63s", owners[at].pairs[pair].fpga_id, owners[at].pairs[pair].ecs_id) != 2)
                return 2;
    }
    fclose(pairs);
    for (at = 0; at < SLOTS; at++) {
        pthread_mutex_init(&slots[at].lock, NULL);
        pthread_cond_init(&slots[at].is_unused, NULL);
    }
    rest(0);
    for (phase = 1; phase <= atoi(argv[1]); phase++) {
        pthread_t thread;
        int seconds = atoi(argv[3]);
        calls_of_phase = calls_made + strtoull(argv[2], NULL, 10);
        end_of_phase = seconds == 0 ? 0 : now() + (int64_t)seconds * 1000000000;
        if (pthread_create(&thread, NULL, run_phase, NULL) != 0)
            return 2;
        pthread_join(thread, NULL);
        rest(phase);
    }
    return 0;
}
