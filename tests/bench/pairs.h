/* The pairs of a plan: lines of the file FPGA_PAIRS, each an FPGA image's id and an ECS image's. */
#ifndef PAIRS_H
#define PAIRS_H

#include "work.h"

#define MAX_PAIRS 100000

static struct pair {
    char fpga_id[33];
    char ecs_id[37];
} pairs[MAX_PAIRS];

/* Reads all that there are; so many are needed. */
static void read_pairs(long needed)
{
    long count = 0;
    const char *name = getenv("FPGA_PAIRS");
    FILE *file = name == NULL ? NULL : fopen(name, "r");
    if (file == NULL)
        fail("FPGA_PAIRS can't be read");
    while (count < MAX_PAIRS && fscanf(file, "%32s %36s", pairs[count].fpga_id, pairs[count].ecs_id) == 2)
        count++;
    fclose(file);
    if (count < needed)
        fail("FPGA_PAIRS has too few pairs");
}

#endif
