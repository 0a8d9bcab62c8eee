/*
 * Associates an FPGA image with an ECS image and lists what the ECS image has.
 *
 *     main ENDPOINT PROJECT_ID FPGA_IMAGE_ID ECS_IMAGE_ID
 *
 * The token comes from the environment variable FPGA_TOKEN. The exit status is the
 * fpga_assoc_status.
 *
 *     c++ -std=c++17 main.cpp -lfpga_associate -o main
 */
#include <cstdlib>
#include <iostream>

#include "fpga_associate.hpp"

static int report(const fpga_assoc::outcome &failure)
{
    std::cerr << "error: " << failure.message << '\n'
              << "  status:     " << fpga_assoc_status_name(failure.status) << " ("
              << failure.status << ")\n";
    if (!failure.code.empty())
        std::cerr << "  code:       " << failure.code << '\n';
    if (!failure.request_id.empty())
        std::cerr << "  request id: " << failure.request_id << '\n';
    if (failure.outcome_unknown)
        std::cerr << "  outcome:    unknown, the service may have acted\n";
    std::cerr << "  help:       " << fpga_assoc_status_help(failure.status) << '\n';
    return failure.status;
}

int main(int argc, char **argv)
{
    if (argc != 5) {
        std::cerr << "usage: main ENDPOINT PROJECT_ID FPGA_IMAGE_ID ECS_IMAGE_ID\n";
        return FPGA_ASSOC_INVALID_ARGUMENT;
    }
    const char *token = std::getenv("FPGA_TOKEN");
    if (token == nullptr) {
        std::cerr << "error: the environment variable FPGA_TOKEN is not set\n";
        return FPGA_ASSOC_INVALID_ARGUMENT;
    }

    const char *endpoint = argv[1], *project_id = argv[2], *fpga_id = argv[3], *ecs_id = argv[4];
    auto client = fpga_assoc::client::open(endpoint);
    if (!client)
        return report(client.outcome());
    if (auto outcome = client->associate(token, project_id, fpga_id, ecs_id); !outcome)
        return report(outcome);
    std::cout << "FPGA image " << fpga_id << " is associated with ECS image " << ecs_id << '\n';
    auto pairs = client->associations(token, project_id, nullptr, ecs_id);
    if (!pairs)
        return report(pairs.outcome());
    for (const fpga_assoc::association &pair : *pairs)
        std::cout << pair.ecs_id << "  " << pair.fpga_id << "  " << pair.status << "  "
                  << pair.size_mb << " MB  " << (pair.is_protected ? "protected" : "not protected")
                  << "  " << pair.name << '\n';
    return FPGA_ASSOC_OK;
}
