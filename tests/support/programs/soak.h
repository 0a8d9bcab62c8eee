/* What the parts of the program soak have in common. */
#ifndef SOAK_H
#define SOAK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "fpga_associate.h"

/* The callers, who replaces clients, and who forks. */
#define CALLERS 32
#define OWNERS (CALLERS + 2)
#define PAIRS 16

/* A pair that belongs to one owner, of which it makes one call at a time. */
struct pair {
    char fpga_id[64], ecs_id[64];
    /* The number of the owner's call from which on it may be used again. */
    uint64_t rests_until;
};

struct owner {
    int number;
    uint64_t random, calls;
    struct pair pairs[PAIRS];
};

/* A client, and how many calls are using it. */
struct holder {
    fpga_assoc_client *client;
    int users;
    /* 1 while it is being shut down, 2 afterwards. */
    atomic_int shut;
};

extern const char *project_id;

/* Tells a line by one write, which is never mixed with another's. */
void say(const char *format, ...);

/* The monotonic clock in nanoseconds. */
int64_t now(void);

/* A number of chance below the limit. */
uint64_t below(struct owner *owner, uint64_t limit);

/* Each call is begun, and then made. */
void begin(struct owner *owner);
void make_change(struct owner *owner, int slot, struct holder *holder);
void make_list(struct owner *owner, int slot, struct holder *holder);
void make_plan(struct owner *owner, int slot, struct holder *holder);

/* The parts of a change, for who makes it in another process: which pair, and whether its outcome is unknown. */
int some_pair(struct owner *owner);
bool change(struct owner *owner, int slot, struct holder *holder, int pair, bool associates);
void note_outcome(struct owner *owner, int pair, bool is_unknown);

#endif
