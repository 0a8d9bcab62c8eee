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

static void report(const fpga_assoc::error &error)
{
    std::cerr << "error: " << error.what() << '\n'
              << "  status:     " << fpga_assoc_status_name(error.status()) << " ("
              << error.status() << ")\n";
    if (*error.code() != '\0')
        std::cerr << "  code:       " << error.code() << '\n';
    if (*error.request_id() != '\0')
        std::cerr << "  request id: " << error.request_id() << '\n';
    if (error.outcome_unknown())
        std::cerr << "  outcome:    unknown, the service may have acted\n";
    std::cerr << "  help:       " << fpga_assoc_status_help(error.status()) << '\n';
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
    try {
        fpga_assoc::client client(endpoint);
        client.associate(token, project_id, fpga_id, ecs_id);
        std::cout << "FPGA image " << fpga_id << " is associated with ECS image " << ecs_id << '\n';
        for (const auto &pair : client.associations(token, project_id, nullptr, ecs_id))
            std::cout << pair.ecs_id << "  " << pair.fpga_id << "  " << pair.status << "  "
                      << pair.size_mb << " MB  "
                      << (pair.is_protected ? "protected" : "not protected") << "  " << pair.name
                      << '\n';
    } catch (const fpga_assoc::error &error) {
        report(error);
        return error.status();
    }
    return FPGA_ASSOC_OK;
}
