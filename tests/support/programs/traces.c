/*
 * A host that looks for secrets in its own memory after each call.
 *
 *     traces ENDPOINT CA_FILE PROJECT_ID FPGA_ID CALLS TIMEOUT_MS WHOSE [shutdown | plan]
 *
 * WHOSE credentials: "call" gives each call the token, the client has "token" or "access-key" itself, and of a callback, which is asked
 * at each call, it gets "granted" ones: an access key.
 *
 * Standard input has, a line each: the token, which is the security token of an access key, the ECS image's id (which only the body has),
 * the proxy's URL or "", the secret key, and whatever else must not be found. The program keeps them masked, lends them to a call in the
 * clear, and wipes that. CA_FILE "-" is none. Every second of CALLS is made by a thread that has ended when memory is looked through; with
 * "shutdown" each is ended by its own log line, and with "plan" each is a plan for the ECS image and others, on threads of the library's. Prints where anything of 16 bytes was found, and the status of each call; the secret key is
 * also looked for as HMAC pads it.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "fpga_associate.h"

enum { MOST = 200 * 1024, PIECE = 16, CHUNK = 1 << 16, PLACES = 1 << 19, LIFE = 40, INNER_PAD = 0x36, OUTER_PAD = 0x5c };

/* The lines of standard input. */
enum { TOKEN, ECS_ID, PROXY, SECRET_KEY };

#define ACCESS_KEY "AKIDTRACES0123456789"

/* Byte by byte: in a wide register a secret would stay, and go from there to the stack. */
static volatile char masked[MOST];
static size_t length_of_all;
static size_t starts[16], lengths[16], texts;
static uint64_t table[PLACES];
static uint8_t lines[PLACES], pads[PLACES]; /* of which text it is, and with which pad */
static uint8_t *window; /* CHUNK + PIECE bytes */
static char maps[1 << 17];
static long found;

static const char *endpoint, *project_id, *fpga_id, *whose;
static fpga_assoc_client *client;
static bool has_shutdown, has_plan;
static atomic_bool is_over;

static void wipe(void *bytes, size_t length)
{
    volatile char *at = bytes;
    while (length-- > 0)
        *at++ = 0;
}

/* A number for 16 bytes with a pad, which are not in it. */
static uint64_t number_of(const uint8_t *bytes, uint8_t pad)
{
    uint64_t one, two;
    memcpy(&one, bytes, 8);
    memcpy(&two, bytes + 8, 8);
    one ^= pad * UINT64_C(0x0101010101010101);
    two ^= pad * UINT64_C(0x0101010101010101);
    one = (one ^ (one >> 29)) * UINT64_C(0x9e3779b97f4a7c15);
    two = (two ^ (two >> 31)) * UINT64_C(0xc2b2ae3d27d4eb4f);
    return (one ^ (two << 23 | two >> 41)) | 1;
}

static size_t place_of(uint64_t number)
{
    size_t at = (size_t)(number >> 40) % PLACES;
    while (table[at] != 0 && table[at] != number)
        at = (at + 1) % PLACES;
    return at;
}

static void keep(uint64_t number, size_t line, uint8_t pad)
{
    size_t at = place_of(number);
    table[at] = number;
    lines[at] = (uint8_t)line;
    pads[at] = pad;
}

static void read_secrets(void)
{
    ssize_t amount;
    size_t at, start = 0;
    static volatile char clear[MOST];
    while ((amount = read(0, (char *)clear + length_of_all, MOST - length_of_all)) > 0)
        length_of_all += (size_t)amount;
    for (at = 0; at < length_of_all; at++) {
        if (clear[at] == '\n') {
            starts[texts] = start;
            lengths[texts++] = at - start;
            start = at + 1;
        }
    }
    for (start = 0; start < texts; start++) {
        /* A proxy's URL is no secret, but the password in it, which comes after. */
        for (at = 0; start != PROXY && at + PIECE <= lengths[start]; at++) {
            const uint8_t *piece = (uint8_t *)clear + starts[start] + at;
            keep(number_of(piece, 0), start, 0);
            if (start == SECRET_KEY) {
                keep(number_of(piece, INNER_PAD), start, INNER_PAD);
                keep(number_of(piece, OUTER_PAD), start, OUTER_PAD);
            }
        }
    }
    for (at = 0; at < length_of_all; at++)
        masked[at] = (char)(clear[at] ^ 0x5a);
    wipe((char *)clear, sizeof clear);
}

/* A text in the clear, to be wiped by the caller. */
static void lend(size_t which, volatile char *clear)
{
    size_t at;
    for (at = 0; at < lengths[which]; at++)
        clear[at] = (char)(masked[starts[which] + at] ^ 0x5a);
    clear[at] = '\0';
}

static void look_in(int memory, uint64_t from, uint64_t to, const char *name, const char *when)
{
    while (from + PIECE <= to) {
        uint64_t length = to - from < CHUNK + PIECE - 1 ? to - from : CHUNK + PIECE - 1, at;
        ssize_t amount = pread(memory, window, (size_t)length, (off_t)from);
        if (amount < (ssize_t)PIECE)
            return;
        for (at = 0; at + PIECE <= (uint64_t)amount; at++) {
            size_t place = place_of(number_of(window + at, 0));
            if (table[place] != 0) {
                if (found++ < 20)
                    printf("found %s: line %d with pad %02x at %" PRIx64 " in %s\n", when, lines[place], pads[place], from + at, name);
                at += PIECE;
            }
        }
        from += CHUNK;
    }
}

/* Looks through all memory that can be written to. */
static void look(const char *when)
{
    int memory = open("/proc/self/mem", O_RDONLY), file = open("/proc/self/maps", O_RDONLY);
    size_t length = 0;
    ssize_t amount;
    char *line, *rest = NULL;
    uint64_t own = (uint64_t)(uintptr_t)window;
    while ((amount = read(file, maps + length, sizeof maps - 1 - length)) > 0)
        length += (size_t)amount;
    maps[length] = '\0';
    for (line = strtok_r(maps, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest)) {
        uint64_t from, to;
        char access[8], name[256] = "memory without a name";
        if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %7s %*s %*s %*s %255[^\n]", &from, &to, access, name) < 3 || access[1] != 'w')
            continue;
        if (own >= from && own < to) {
            look_in(memory, from, own, name, when);
            from = own + CHUNK + PIECE;
        }
        look_in(memory, from, to, name, when);
    }
    wipe(window, CHUNK + PIECE);
    close(memory);
    close(file);
}

static bool is_whose(const char *name)
{
    return strcmp(whose, name) == 0;
}

static char token[MOST], secret_key[256];

/* Eight ECS images, so that there are threads; the plan, which holds the ids, is gone afterwards. */
static int32_t apply(const char *given, char *ecs_id, fpga_assoc_error **error)
{
    int32_t status = FPGA_ASSOC_OK;
    size_t length = strlen(ecs_id);
    int i;
    fpga_assoc_plan *plan = fpga_assoc_plan_new();
    for (i = 0; i < 8 && status == FPGA_ASSOC_OK; i++) {
        ecs_id[length] = (char)('0' + i);
        status = fpga_assoc_plan_add(plan, fpga_id, ecs_id, true);
    }
    if (status == FPGA_ASSOC_OK)
        status = fpga_assoc_client_apply(client, given, project_id, plan, error);
    fpga_assoc_plan_free(plan);
    return status;
}

static void *call(void *error)
{
    static char ecs_id[256];
    int32_t status;
    bool is_given = is_whose("call");
    if (is_given)
        lend(TOKEN, token);
    lend(ECS_ID, ecs_id);
    if (has_plan)
        status = apply(is_given ? token : NULL, ecs_id, error);
    else
        status = fpga_assoc_client_associate(client, is_given ? token : NULL, project_id, fpga_id, ecs_id, error);
    wipe(token, sizeof token);
    wipe(ecs_id, sizeof ecs_id);
    printf("status %d\n", (int)status);
    is_over = true;
    return NULL;
}

static void shut_down_when_it_is_under_way(int32_t level)
{
    /* The debug line of an attempt comes before it. */
    if (level == 4 && has_shutdown)
        fpga_assoc_client_shutdown(client);
}

static void hear(void *context, int32_t level, const char *line)
{
    (void)context;
    (void)line;
    shut_down_when_it_is_under_way(level);
}

static void grant(void *context, int32_t reason, fpga_assoc_grant *grant)
{
    (void)context;
    (void)reason;
    lend(TOKEN, token);
    lend(SECRET_KEY, secret_key);
    if (fpga_assoc_grant_access_key(grant, ACCESS_KEY, secret_key, token, (int64_t)time(NULL) + LIFE) != FPGA_ASSOC_OK)
        puts(fpga_assoc_last_error());
    wipe(token, sizeof token);
    wipe(secret_key, sizeof secret_key);
}

static bool set_credentials(fpga_assoc_config *config)
{
    int32_t status = FPGA_ASSOC_OK;
    lend(TOKEN, token);
    lend(SECRET_KEY, secret_key);
    if (is_whose("token"))
        status = fpga_assoc_config_set_token(config, token);
    else if (is_whose("access-key"))
        status = fpga_assoc_config_set_access_key(config, ACCESS_KEY, secret_key, token);
    else if (is_whose("granted"))
        status = fpga_assoc_config_set_credentials_callback(config, grant, NULL);
    wipe(token, sizeof token);
    wipe(secret_key, sizeof secret_key);
    return status == FPGA_ASSOC_OK;
}

int main(int argc, char **argv)
{
    int i, calls;
    static char proxy[1024];
    pthread_t thread;
    fpga_assoc_config *config;
    fpga_assoc_error *error = NULL;
    if (argc < 8)
        return 1;
    endpoint = argv[1];
    project_id = argv[3];
    fpga_id = argv[4];
    calls = atoi(argv[5]);
    whose = argv[7];
    has_shutdown = argc > 8 && strcmp(argv[8], "shutdown") == 0;
    has_plan = argc > 8 && strcmp(argv[8], "plan") == 0;
    window = mmap(NULL, CHUNK + PIECE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (window == MAP_FAILED)
        return 1;
    read_secrets();
    look("before anything");

    config = fpga_assoc_config_new();
    lend(PROXY, proxy);
    if (!set_credentials(config) || fpga_assoc_config_set_proxy(config, proxy) != FPGA_ASSOC_OK
        || fpga_assoc_config_set_timeout_ms(config, (uint32_t)atoi(argv[6])) != FPGA_ASSOC_OK
        || fpga_assoc_config_set_max_attempts(config, 2) != FPGA_ASSOC_OK
        || fpga_assoc_config_set_log(config, hear, NULL) != FPGA_ASSOC_OK
        || (strcmp(argv[2], "-") != 0 && fpga_assoc_config_set_ca_file(config, argv[2]) != FPGA_ASSOC_OK)
        || fpga_assoc_client_new(endpoint, config, &client, NULL) != FPGA_ASSOC_OK) {
        puts(fpga_assoc_last_error());
        return 1;
    }
    wipe(proxy, sizeof proxy);
    look("with a client");
    fpga_assoc_config_free(config);
    look("without its settings");
    for (i = 0; i < calls; i++) {
        is_over = false;
        if (i % 2 == 0) {
            call(&error);
        } else {
            if (pthread_create(&thread, NULL, call, &error) != 0)
                return 1;
            pthread_join(thread, NULL);
        }
        look("after a call");
        fpga_assoc_error_free(error);
        error = NULL;
    }
    fpga_assoc_client_close_idle(client);
    look("without kept connections");
    fpga_assoc_client_free(client);
    look("without the client");
    printf("found %ld\n", found);
    return found != 0;
}
