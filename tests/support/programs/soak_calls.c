/* The calls of the program soak, and the lines that it tells of them. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "soak.h"

#define PAIRS_OF_ECS_IMAGE 8
#define PLAN_TIMEOUT_MS 9000
/* A pair whose last outcome is not known is left alone for so many calls. */
#define CALLS_OF_REST 64

int64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

/* One write, which is never mixed with another's. */
void say(const char *format, ...)
{
    char line[4096];
    va_list arguments;
    int length;
    va_start(arguments, format);
    length = vsnprintf(line, sizeof line - 1, format, arguments);
    va_end(arguments);
    line[length++] = '\n';
    if (write(STDOUT_FILENO, line, (size_t)length) != length)
        _exit(3);
}

/* SplitMix64. */
uint64_t below(struct owner *owner, uint64_t limit)
{
    uint64_t mixed = owner->random += 0x9e3779b97f4a7c15;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
    return (mixed ^ (mixed >> 31)) % limit;
}

void begin(struct owner *owner)
{
    owner->calls++;
    say("begin %d %" PRIu64, owner->number, owner->calls);
}

static bool may_be_used(const struct owner *owner, int pair)
{
    return owner->pairs[pair].rests_until <= owner->calls;
}

/* A pair that may be used, or else the one that has rested longest. */
int some_pair(struct owner *owner)
{
    int at, pair = (int)below(owner, PAIRS), rested = pair;
    for (at = 0; at < PAIRS; at++) {
        int other = (pair + at) % PAIRS;
        if (may_be_used(owner, other))
            return other;
        if (owner->pairs[other].rests_until < owner->pairs[rested].rests_until)
            rested = other;
    }
    return rested;
}

static int number_of(const struct owner *owner, int pair)
{
    return owner->number * PAIRS + pair;
}

/* What is told of a shutdown, after a call that began with it like this. */
static int shut_of(int at_first, struct holder *holder)
{
    return at_first == 2 ? 2 : holder->shut != 0;
}

/* Makes a call that was begun, and tells of it; whether its outcome is unknown. */
bool change(struct owner *owner, int slot, struct holder *holder, int pair, bool associates)
{
    fpga_assoc_error *error = NULL;
    const char *fpga_id = owner->pairs[pair].fpga_id, *ecs_id = owner->pairs[pair].ecs_id;
    bool is_unknown;
    int shut = holder->shut;
    int64_t begun = now(), ended;
    int32_t status = associates ? fpga_assoc_client_associate(holder->client, NULL, project_id, fpga_id, ecs_id, &error)
                                : fpga_assoc_client_disassociate(holder->client, NULL, project_id, fpga_id, ecs_id, &error);
    ended = now();
    is_unknown = fpga_assoc_error_outcome_unknown(error);
    if (fpga_assoc_error_status(error) != status)
        say("trouble the error of status %d has %d", (int)status, (int)fpga_assoc_error_status(error));
    say("change %d %" PRIu64 " %" PRId64 " %" PRId64 " %d %d %d %d %d %d %d %u", owner->number, owner->calls, begun, ended, slot,
        shut_of(shut, holder), number_of(owner, pair), associates, (int)status, is_unknown,
        (int)fpga_assoc_error_observed(error), (unsigned)fpga_assoc_error_attempts(error));
    fpga_assoc_error_free(error);
    return is_unknown;
}

void note_outcome(struct owner *owner, int pair, bool is_unknown)
{
    owner->pairs[pair].rests_until = is_unknown ? owner->calls + CALLS_OF_REST : 0;
}

void make_change(struct owner *owner, int slot, struct holder *holder)
{
    int pair = some_pair(owner);
    note_outcome(owner, pair, change(owner, slot, holder, pair, below(owner, 2)));
}

/* Lists one pair, or all of an ECS image. */
void make_list(struct owner *owner, int slot, struct holder *holder)
{
    fpga_assoc_list *list = NULL;
    bool is_of_pair = below(owner, 2);
    int shut = holder->shut;
    int pair = some_pair(owner), first = is_of_pair ? pair : pair - pair % PAIRS_OF_ECS_IMAGE;
    int count = is_of_pair ? 1 : PAIRS_OF_ECS_IMAGE, at;
    unsigned shown = 0;
    size_t nth;
    int64_t begun = now(), ended;
    const struct pair *asked = &owner->pairs[first];
    int32_t status = fpga_assoc_client_associations(holder->client, NULL, project_id, is_of_pair ? asked->fpga_id : NULL,
                                                    asked->ecs_id, &list, NULL);
    ended = now();
    for (nth = 0; nth < fpga_assoc_list_len(list); nth++) {
        const fpga_assoc_entry *entry = fpga_assoc_list_get(list, nth);
        for (at = 0; at < count && strcmp(entry->fpga_id, asked[at].fpga_id) != 0; at++)
            ;
        if (at == count || strcmp(entry->ecs_id, asked->ecs_id) != 0)
            say("trouble a list has what nobody asked for: %s %s", entry->fpga_id, entry->ecs_id);
        else
            shown |= 1u << at;
    }
    fpga_assoc_list_free(list);
    say("list %d %" PRIu64 " %" PRId64 " %" PRId64 " %d %d %d %d %d %u", owner->number, owner->calls, begun, ended, slot,
        shut_of(shut, holder), number_of(owner, first), count, (int)status, shown);
}

/* Compares or applies a plan of some pairs. */
void make_plan(struct owner *owner, int slot, struct holder *holder)
{
    fpga_assoc_error *error = NULL;
    fpga_assoc_plan *plan = fpga_assoc_plan_new();
    bool is_applied = below(owner, 3) != 0, wanted[PAIRS];
    int shut, pair, count = 0, pairs[PAIRS];
    char results[2048] = "";
    size_t length = 0;
    int64_t begun, ended;
    int32_t status;
    bool is_set = fpga_assoc_plan_set_parallel(plan, (uint32_t)below(owner, 4) + 1) == FPGA_ASSOC_OK
        && fpga_assoc_plan_set_timeout_ms(plan, PLAN_TIMEOUT_MS) == FPGA_ASSOC_OK;
    for (pair = 0; pair < PAIRS; pair++) {
        if (!may_be_used(owner, pair) || below(owner, 2))
            continue;
        pairs[count] = pair;
        wanted[count] = below(owner, 2);
        is_set = is_set
            && fpga_assoc_plan_add(plan, owner->pairs[pair].fpga_id, owner->pairs[pair].ecs_id, wanted[count]) == FPGA_ASSOC_OK;
        count++;
    }
    if (!is_set)
        say("trouble a plan: %s", fpga_assoc_last_error());
    shut = holder->shut;
    begun = now();
    status = is_applied ? fpga_assoc_client_apply(holder->client, NULL, project_id, plan, &error)
                        : fpga_assoc_client_compare(holder->client, NULL, project_id, plan, &error);
    ended = now();
    for (pair = 0; pair < count; pair++) {
        const fpga_assoc_error *why = fpga_assoc_plan_error(plan, (size_t)pair);
        length += (size_t)snprintf(results + length, sizeof results - length, " %d:%d:%d:%d:%d:%d", number_of(owner, pairs[pair]),
                                   wanted[pair], (int)fpga_assoc_plan_result(plan, (size_t)pair),
                                   (int)fpga_assoc_error_status(why), fpga_assoc_error_outcome_unknown(why),
                                   (int)fpga_assoc_error_observed(why));
        note_outcome(owner, pairs[pair], fpga_assoc_error_outcome_unknown(why));
    }
    say("%s %d %" PRIu64 " %" PRId64 " %" PRId64 " %d %d %d %d%s", is_applied ? "apply" : "compare", owner->number, owner->calls,
        begun, ended, slot, shut_of(shut, holder), (int)status, fpga_assoc_error_outcome_unknown(error), results);
    fpga_assoc_error_free(error);
    fpga_assoc_plan_free(plan);
}
