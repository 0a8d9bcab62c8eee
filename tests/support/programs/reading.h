/*
 * What the hosts that call every function have in common: what they expect, and how they read what they are given, to its last
 * byte.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fpga_associate.h"

static int wrong;

#define EXPECT(what) \
    do { \
        if (!(what)) { \
            fprintf(stderr, "line %d: %s: %s\n", __LINE__, #what, fpga_assoc_last_error()); \
            wrong++; \
        } \
    } while (0)
#define REFUSED(call) EXPECT((call) == FPGA_ASSOC_INVALID_ARGUMENT)

/* What is read must be looked at, or the compiler leaves the reading out. */
static volatile unsigned sum;

static size_t read_text(const char *text)
{
    size_t length = strlen(text), i;
    for (i = 0; i <= length; i++)
        sum += (unsigned char)text[i];
    return length;
}

static void read_error(const fpga_assoc_error *error, int32_t status)
{
    EXPECT(fpga_assoc_error_status(error) == status);
    EXPECT((read_text(fpga_assoc_error_message(error)) > 0) == (error != NULL));
    sum += (unsigned)read_text(fpga_assoc_error_code(error));
    sum += (unsigned)read_text(fpga_assoc_error_request_id(error));
    EXPECT(fpga_assoc_error_http_status(error) < 600);
    EXPECT(fpga_assoc_error_retry_after_ms(error) <= 86400000);
    EXPECT(fpga_assoc_error_attempts(error) <= 3);
    EXPECT(!fpga_assoc_error_outcome_unknown(error));
    EXPECT(fpga_assoc_error_observed(error) <= FPGA_ASSOC_OBSERVED_APART);
}

/* The thread's last error, which is that of the call that was just made. */
static void read_last_error(int32_t status)
{
    EXPECT(fpga_assoc_last_error() == fpga_assoc_error_message(fpga_assoc_last_error_detail()));
    read_error(fpga_assoc_last_error_detail(), status);
}

static void read_list(const fpga_assoc_list *list)
{
    size_t i, length = fpga_assoc_list_len(list);
    for (i = 0; i < length; i++) {
        const fpga_assoc_entry *entry = fpga_assoc_list_get(list, i);
        EXPECT(read_text(entry->ecs_id) > 0 && read_text(entry->fpga_id) > 0);
        sum += (unsigned)(read_text(entry->name) + read_text(entry->description) + read_text(entry->status));
        sum += (unsigned)(read_text(entry->created_at) + read_text(entry->message) + read_text(entry->metadata));
        sum += (unsigned)read_text(entry->log_directory) + (unsigned)entry->size_mb + entry->is_protected;
    }
    EXPECT(fpga_assoc_list_get(list, length) == NULL);
    EXPECT((read_text(fpga_assoc_list_json(list)) > 0) == (list != NULL));
}
