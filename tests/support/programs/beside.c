/* A call of this library between two of another Rust library: beside ENDPOINT PROJECT_ID FPGA_ID ECS_ID */
#include <stdio.h>
#include <stdlib.h>
#include "fpga_associate.h"

uint64_t other_sum(uint32_t last);

int main(int argc, char **argv)
{
    if (argc != 5 || other_sum(10) != 55)
        return 1;
    if (fpga_associate("", "token", "p", "f", "e") != FPGA_ASSOC_INVALID_ARGUMENT)
        return 2;
    if (fpga_associate(argv[1], getenv("FPGA_TOKEN"), argv[2], argv[3], argv[4]) != FPGA_ASSOC_OK) {
        fprintf(stderr, "%s\n", fpga_assoc_last_error());
        return 3;
    }
    return other_sum(100) == 5050 ? 0 : 4;
}
