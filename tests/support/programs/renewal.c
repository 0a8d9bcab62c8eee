/*
 * A host with clocks of its own, which grants its client credentials that expire.
 *
 *     renewal ENDPOINT PROJECT_ID FPGA_ID ECS_ID KIND LIFE STEP...
 *
 * KIND is token or key, LIFE is in seconds. Steps: "grant" and "refuse" are what the callback does from then on; "+SECONDS" moves both
 * clocks; "left:SECONDS" moves them to so long before what was granted last expires; "call" makes a call and prints its status and the
 * reasons for which the callback was asked; "warnings" prints how often the log said that those there are still do. The nth grant is
 * token-n-of-a-vault, or the access key KEYn with a-secret-key; a refusal repeats both, and a line of the log that does is printed.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "fpga_associate.h"

/* The wall clock stands still but for what it is moved. */
static time_t begun;
static long moved;

int clock_gettime(clockid_t clock, struct timespec *now)
{
    int result = (int)syscall(SYS_clock_gettime, clock, now);
    if (result == 0 && clock == CLOCK_MONOTONIC)
        now->tv_sec += moved;
    if (result == 0 && clock == CLOCK_REALTIME) {
        if (begun == 0)
            begun = now->tv_sec;
        now->tv_sec = begun + moved;
        now->tv_nsec = 0;
    }
    return result;
}

static int64_t wall_clock(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec;
}

static const char *kind;
static long life;
static int64_t ends;
static int grants, refuses;
static char reasons[256];
static int warnings;

static void hear(void *context, int32_t level, const char *line)
{
    (void)context;
    if (strstr(line, "of-a-vault") != NULL || strstr(line, "secret-key") != NULL)
        puts(line);
    if (level == FPGA_ASSOC_LOG_WARNING && strstr(line, "still do") != NULL)
        warnings++;
}

static void answer(void *context, int32_t reason, fpga_assoc_grant *grant)
{
    char name[32], words[64];
    int32_t status;
    size_t length = strlen(reasons);
    (void)context;
    snprintf(reasons + length, sizeof reasons - length, " %d", (int)reason);
    if (refuses) {
        snprintf(words, sizeof words, "closed for token-%d-of-a-vault and a-secret-key", grants);
        fpga_assoc_grant_refuse(grant, words);
        return;
    }
    ends = wall_clock() + life;
    grants++;
    if (strcmp(kind, "token") == 0) {
        snprintf(name, sizeof name, "token-%d-of-a-vault", grants);
        status = fpga_assoc_grant_token(grant, name, ends);
    } else {
        snprintf(name, sizeof name, "KEY%d", grants);
        status = fpga_assoc_grant_access_key(grant, name, "a-secret-key", NULL, ends);
    }
    if (status != FPGA_ASSOC_OK)
        puts(fpga_assoc_last_error());
}

int main(int argc, char **argv)
{
    int i;
    fpga_assoc_client *client;
    fpga_assoc_config *config = fpga_assoc_config_new();
    if (argc < 8)
        return 1;
    kind = argv[5];
    life = atol(argv[6]);
    if (fpga_assoc_config_set_credentials_callback(config, answer, NULL) != FPGA_ASSOC_OK
        || fpga_assoc_config_set_log(config, hear, NULL) != FPGA_ASSOC_OK
        || fpga_assoc_config_set_proxy(config, "") != FPGA_ASSOC_OK
        || fpga_assoc_client_new(argv[1], config, &client, NULL) != FPGA_ASSOC_OK) {
        puts(fpga_assoc_last_error());
        return 1;
    }
    fpga_assoc_config_free(config);
    for (i = 7; i < argc; i++) {
        const char *step = argv[i];
        if (strcmp(step, "call") == 0) {
            int32_t status;
            reasons[0] = '\0';
            status = fpga_assoc_client_associate(client, NULL, argv[2], argv[3], argv[4], NULL);
            printf("%d%s\n", (int)status, reasons);
        } else if (strcmp(step, "warnings") == 0) {
            printf("warnings %d\n", warnings);
        } else if (strncmp(step, "left:", 5) == 0) {
            moved += (long)(ends - wall_clock()) - atol(step + 5);
        } else if (*step == '+') {
            moved += atol(step + 1);
        } else {
            refuses = strcmp(step, "refuse") == 0;
        }
    }
    fpga_assoc_client_free(client);
    return 0;
}
