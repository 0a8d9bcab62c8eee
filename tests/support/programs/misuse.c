/*
 * A host that does what the header forbids, for sanitizers to find: misuse MODE, which is
 *   freed      reads an error that was freed
 *   leaked     forgets settings
 *   raced      one thread frees an error while another may still read it
 *   undefined  counts too far
 */
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fpga_associate.h"

/* No order: it only waits. */
static atomic_bool is_read;

static fpga_assoc_error *new_error(void)
{
    fpga_assoc_error *error = NULL;
    fpga_assoc_client *client;
    if (fpga_assoc_client_new("", NULL, &client, &error) == FPGA_ASSOC_OK)
        exit(2);
    return error;
}

static int freed(void)
{
    fpga_assoc_error *error = new_error();
    fpga_assoc_error_free(error);
    return fpga_assoc_error_status(error) == FPGA_ASSOC_OK;
}

static int leaked(void)
{
    int i;
    for (i = 0; i < 100; i++)
        if (fpga_assoc_config_set_timeout_ms(fpga_assoc_config_new(), 1000) != FPGA_ASSOC_OK)
            return 2;
    return 0;
}

static void *read_error(void *error)
{
    fpga_assoc_error_status((const fpga_assoc_error *)error);
    atomic_store_explicit(&is_read, true, memory_order_relaxed);
    return NULL;
}

static int raced(void)
{
    fpga_assoc_error *error = new_error();
    pthread_t thread;
    if (pthread_create(&thread, NULL, read_error, error) != 0)
        return 2;
    while (!atomic_load_explicit(&is_read, memory_order_relaxed))
        ;
    fpga_assoc_error_free(error);
    return pthread_join(thread, NULL);
}

static int undefined(int most)
{
    volatile int more = most + 1;
    return more == 0;
}

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    if (strcmp(argv[1], "freed") == 0)
        return freed();
    if (strcmp(argv[1], "leaked") == 0)
        return leaked();
    if (strcmp(argv[1], "raced") == 0)
        return raced();
    return undefined(INT_MAX);
}
