/*
 * Brings many pairs of an FPGA image and an ECS image to what a file wants of them.
 *
 *     plan [--dry-run] [--agency] ENDPOINT PROJECT_ID FILE
 *
 * What there is is compared with the file, the differences are shown, and they alone are sent. Ctrl-C
 * may end the program at any time: a second run goes on where the first stopped.
 *
 * Token and keys come from the environment, because other users of the machine can read a command
 * line.
 */
#define _POSIX_C_SOURCE 200809L /* getline, isatty */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fpga_associate.h"

#define BLANKS " \t\r\n"

/* So many pairs that are as wanted are shown. */
#define MOST_AS_WANTED 20

/* The library hands no ids out: they are kept here, in the order of its pairs. */
struct pair {
    char *line; /* what the ids are in */
    const char *fpga_id;
    const char *ecs_id;
    char sign; /* '+' to be associated, '-' not */
};

struct plan {
    fpga_assoc_plan *wanted;
    struct pair *pairs;
    size_t len;
    size_t room;
};

struct progress {
    const char *what;
    bool is_terminal;
    size_t tenths; /* that were shown */
};

static void usage(FILE *out)
{
    fputs("usage: plan [--dry-run] [--agency] ENDPOINT PROJECT_ID FILE\n"
          "\n"
          "Associates many FPGA images with ECS images of Huawei Cloud, and takes associations away.\n"
          "A second run sends nothing, or goes on where the first stopped.\n"
          "\n"
          "  --dry-run   shows what would change, and changes nothing\n"
          "  --agency    signs with the keys of the agency of the ECS server that this runs on\n"
          "  ENDPOINT    such as ecs.cn-north-1.myhuaweicloud.com\n"
          "  PROJECT_ID  the images' project, which a token must be for\n"
          "  FILE        what is wanted; - is the standard input. Its lines are\n"
          "                + FPGA_IMAGE_ID ECS_IMAGE_ID   the two are to be associated\n"
          "                - FPGA_IMAGE_ID ECS_IMAGE_ID   they are not\n"
          "                # a comment, which may also stand behind a pair\n"
          "\n"
          "The calls are made with the first of these that is there:\n"
          "  1. FPGA_TOKEN, an environment variable: an IAM token of project scope\n"
          "  2. the agency, with --agency\n"
          "  3. the access key in HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK (if it is temporary, with\n"
          "     HUAWEICLOUD_SDK_SECURITY_TOKEN), in HW_ACCESS_KEY and HW_SECRET_KEY, or in the file\n"
          "     ~/.huaweicloud/credentials\n"
          "\n"
          "The exit status is an fpga_assoc_status: 0 where all is as wanted (with --dry-run, where all\n"
          "could be compared), 1 for a FILE that can't be used, 32 where not every pair is as wanted.\n",
          out);
}

/* The next word of a line, "" where there is none. */
static char *next_word(char **rest)
{
    char *word = *rest + strspn(*rest, BLANKS);
    char *end = word + strcspn(word, BLANKS);

    *rest = *end == '\0' ? end : end + 1;
    *end = '\0';
    return word;
}

static int32_t add(struct plan *plan, const struct pair *pair)
{
    int32_t status;

    if (plan->len == plan->room) {
        size_t room = plan->room == 0 ? 64 : 2 * plan->room;
        struct pair *pairs = realloc(plan->pairs, room * sizeof *pairs);
        if (pairs == NULL)
            return FPGA_ASSOC_OUT_OF_MEMORY;
        plan->pairs = pairs;
        plan->room = room;
    }
    status = fpga_assoc_plan_add(plan->wanted, pair->fpga_id, pair->ecs_id, pair->sign == '+');
    if (status == FPGA_ASSOC_OK)
        plan->pairs[plan->len++] = *pair;
    return status;
}

/* Adds the pair of a line, if it has one: then the line is the plan's, and *line is NULL. */
static int32_t read_line(struct plan *plan, char **line, size_t length, const char **reason)
{
    char *rest = *line;
    const char *sign;
    struct pair pair;
    int32_t status;

    *reason = "neither \"+ FPGA_IMAGE_ID ECS_IMAGE_ID\" nor \"- FPGA_IMAGE_ID ECS_IMAGE_ID\"";
    if (strlen(*line) != length) /* it has a byte 0 */
        return FPGA_ASSOC_INVALID_ARGUMENT;
    rest[strcspn(rest, "#")] = '\0';
    sign = next_word(&rest);
    if (*sign == '\0')
        return FPGA_ASSOC_OK;
    pair.line = *line;
    pair.fpga_id = next_word(&rest);
    pair.ecs_id = next_word(&rest);
    pair.sign = *sign;
    if ((strcmp(sign, "+") != 0 && strcmp(sign, "-") != 0) || *pair.ecs_id == '\0' ||
        *next_word(&rest) != '\0')
        return FPGA_ASSOC_INVALID_ARGUMENT;
    status = add(plan, &pair);
    if (status == FPGA_ASSOC_OK)
        *line = NULL;
    else
        *reason = status == FPGA_ASSOC_OUT_OF_MEMORY ? strerror(ENOMEM) : fpga_assoc_last_error();
    return status;
}

static int32_t read_file(struct plan *plan, const char *path)
{
    FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "r");
    const char *name = file == stdin ? "<stdin>" : path;
    const char *reason;
    char *line = NULL;
    size_t room = 0;
    size_t number = 0;
    ssize_t length;
    int32_t status = FPGA_ASSOC_OK;

    if (file == NULL) {
        fprintf(stderr, "%s: %s\n", name, strerror(errno));
        return FPGA_ASSOC_INVALID_ARGUMENT;
    }
    while (status == FPGA_ASSOC_OK && (length = getline(&line, &room, file)) != -1) {
        number++;
        status = read_line(plan, &line, (size_t)length, &reason);
        if (status != FPGA_ASSOC_OK)
            fprintf(stderr, "%s:%zu: %s\n", name, number, reason);
    }
    if (status == FPGA_ASSOC_OK && !feof(file)) {
        status = errno == ENOMEM ? FPGA_ASSOC_OUT_OF_MEMORY : FPGA_ASSOC_INVALID_ARGUMENT;
        fprintf(stderr, "%s: %s\n", name, strerror(errno));
    }
    free(line);
    fclose(file);
    return status;
}

static void free_plan(struct plan *plan)
{
    size_t i;

    for (i = 0; i < plan->len; i++)
        free(plan->pairs[i].line);
    free(plan->pairs);
    fpga_assoc_plan_free(plan->wanted);
}

/* What the client makes its calls with. */
static int32_t set_credentials(fpga_assoc_config *config, bool agency)
{
    const char *token = getenv("FPGA_TOKEN");

    if (token != NULL)
        return fpga_assoc_config_set_token(config, token);
    if (agency)
        return fpga_assoc_config_set_ecs_agency(config);
    return fpga_assoc_config_set_environment_credentials(config);
}

/* Without a place for its error a function of a client sets the thread's last error, as those of
   its settings do. */
static int32_t new_client(const char *endpoint, bool agency, fpga_assoc_client **client)
{
    fpga_assoc_config *config = fpga_assoc_config_new();
    int32_t status = set_credentials(config, agency);

    if (status == FPGA_ASSOC_OK)
        status = fpga_assoc_client_new(endpoint, config, client, NULL);
    fpga_assoc_config_free(config);
    return status;
}

/* An fpga_assoc_progress_fn: redraws a bar on a terminal, and writes up to ten lines elsewhere. */
static void show_progress(void *context, size_t settled, size_t total)
{
    struct progress *progress = context;
    size_t tenths = total == 0 ? 0 : 10 * settled / total;

    if (progress->is_terminal) {
        fprintf(stderr, "\r%s [%.*s%.*s] %zu/%zu", progress->what, (int)(2 * tenths),
                "####################", (int)(20 - 2 * tenths), "--------------------", settled,
                total);
    } else if (tenths > progress->tenths) {
        fprintf(stderr, "%s %zu/%zu\n", progress->what, settled, total);
    }
    progress->tenths = tenths;
}

/* Compares, or applies. The call's own token is NULL: the client has credentials. */
static int32_t carry_out(fpga_assoc_client *client, const char *project_id,
                         const struct plan *plan, bool apply)
{
    struct progress progress = {apply ? "Applying" : "Comparing", isatty(STDERR_FILENO) == 1, 0};
    int32_t status = fpga_assoc_plan_set_progress(plan->wanted, show_progress, &progress);

    if (status != FPGA_ASSOC_OK)
        return status;
    show_progress(&progress, 0, plan->len);
    status = apply ? fpga_assoc_client_apply(client, NULL, project_id, plan->wanted, NULL)
                   : fpga_assoc_client_compare(client, NULL, project_id, plan->wanted, NULL);
    if (progress.is_terminal)
        fputc('\n', stderr);
    return status;
}

/* How many pairs have this result, of those that have one of these signs. */
static size_t count(const struct plan *plan, int32_t result, const char *signs)
{
    size_t pairs = 0;
    size_t i;

    for (i = 0; i < plan->len; i++)
        pairs += fpga_assoc_plan_result(plan->wanted, i) == result &&
                 strchr(signs, plan->pairs[i].sign) != NULL;
    return pairs;
}

/* Prints the pairs with this result, so many at most. */
static void print(FILE *out, const struct plan *plan, int32_t result, size_t most)
{
    size_t i;

    for (i = 0; i < plan->len && most > 0; i++) {
        const struct pair *pair = &plan->pairs[i];
        const fpga_assoc_error *error = fpga_assoc_plan_error(plan->wanted, i);
        char sign = result == FPGA_ASSOC_RESULT_AS_WANTED ? '=' : pair->sign;

        if (fpga_assoc_plan_result(plan->wanted, i) != result)
            continue;
        if (error != NULL)
            sign = '!';
        fprintf(out, "  %c %s %s", sign, pair->fpga_id, pair->ecs_id);
        if (error != NULL)
            fprintf(out, ": %s", fpga_assoc_error_message(error));
        if (fpga_assoc_error_outcome_unknown(error))
            fputs(" (it may have been done all the same)", out);
        fputc('\n', out);
        most--;
    }
}

static void print_comparison(const struct plan *plan)
{
    size_t as_wanted = count(plan, FPGA_ASSOC_RESULT_AS_WANTED, "+-");
    size_t failed = count(plan, FPGA_ASSOC_RESULT_FAILED, "+-");
    size_t open = count(plan, FPGA_ASSOC_RESULT_OPEN, "+-");

    print(stdout, plan, FPGA_ASSOC_RESULT_TO_CHANGE, SIZE_MAX);
    print(stdout, plan, FPGA_ASSOC_RESULT_AS_WANTED, MOST_AS_WANTED);
    if (as_wanted > MOST_AS_WANTED)
        printf("  = and %zu more\n", as_wanted - MOST_AS_WANTED);
    print(stdout, plan, FPGA_ASSOC_RESULT_FAILED, SIZE_MAX);
    printf("Plan: %zu to associate, %zu to disassociate, %zu as wanted",
           count(plan, FPGA_ASSOC_RESULT_TO_CHANGE, "+"),
           count(plan, FPGA_ASSOC_RESULT_TO_CHANGE, "-"), as_wanted);
    if (failed + open > 0)
        printf(", %zu failed, %zu open", failed, open);
    puts(".");
    fflush(stdout); /* before what stderr has to say */
}

static int32_t run(fpga_assoc_client *client, const char *project_id, const struct plan *plan,
                   bool dry_run)
{
    int32_t status = carry_out(client, project_id, plan, false);

    if (status != FPGA_ASSOC_OK && status != FPGA_ASSOC_INCOMPLETE)
        return status;
    print_comparison(plan);
    /* Pairs are open where comparing was stopped: then there is no use in going on. */
    if (dry_run || count(plan, FPGA_ASSOC_RESULT_OPEN, "+-") > 0 ||
        count(plan, FPGA_ASSOC_RESULT_TO_CHANGE, "+-") == 0)
        return status;

    status = carry_out(client, project_id, plan, true);
    print(stderr, plan, FPGA_ASSOC_RESULT_FAILED, SIZE_MAX);
    printf("Done: %zu associated, %zu disassociated, %zu as wanted, %zu failed, %zu open.\n",
           count(plan, FPGA_ASSOC_RESULT_CHANGED, "+"), count(plan, FPGA_ASSOC_RESULT_CHANGED, "-"),
           count(plan, FPGA_ASSOC_RESULT_AS_WANTED, "+-"),
           count(plan, FPGA_ASSOC_RESULT_FAILED, "+-"), count(plan, FPGA_ASSOC_RESULT_OPEN, "+-"));
    fflush(stdout);
    return status;
}

static void report(int32_t status)
{
    fprintf(stderr, "error: %s\n", fpga_assoc_last_error());
    fprintf(stderr, "  status:     %s (%d)\n", fpga_assoc_status_name(status), (int)status);
    if (status == FPGA_ASSOC_CREDENTIALS_FAILED)
        fputs("  needed:     FPGA_TOKEN, or HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK, or, on an "
              "ECS server with an agency, --agency\n",
              stderr);
    fprintf(stderr, "  help:       %s\n", fpga_assoc_status_help(status));
}

int main(int argc, char **argv)
{
    struct plan plan = {NULL, NULL, 0, 0};
    fpga_assoc_client *client = NULL;
    bool dry_run = false;
    bool agency = false;
    int32_t status;

    if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        usage(stdout);
        return FPGA_ASSOC_OK;
    }
    while (argc > 1 && strncmp(argv[1], "--", 2) == 0) {
        if (strcmp(argv[1], "--dry-run") == 0) {
            dry_run = true;
        } else if (strcmp(argv[1], "--agency") == 0) {
            agency = true;
        } else {
            usage(stderr);
            return FPGA_ASSOC_INVALID_ARGUMENT;
        }
        argc--;
        argv++;
    }
    if (argc != 4) {
        usage(stderr);
        return FPGA_ASSOC_INVALID_ARGUMENT;
    }

    plan.wanted = fpga_assoc_plan_new();
    if (plan.wanted == NULL) {
        fprintf(stderr, "error: %s\n", strerror(ENOMEM));
        return FPGA_ASSOC_OUT_OF_MEMORY;
    }
    status = read_file(&plan, argv[3]);
    if (status == FPGA_ASSOC_OK) {
        status = new_client(argv[1], agency, &client);
        if (status == FPGA_ASSOC_OK)
            status = run(client, argv[2], &plan, dry_run);
        fpga_assoc_client_free(client);
        if (status != FPGA_ASSOC_OK)
            report(status);
    }
    free_plan(&plan);
    return status;
}
