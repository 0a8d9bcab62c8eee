/*
 * Associates an FPGA image with an ECS image and lists what the ECS image has.
 *
 *     main [--agency] ENDPOINT PROJECT_ID FPGA_IMAGE_ID ECS_IMAGE_ID
 *
 * The environment variable FPGA_TOKEN holds a token. Without it --agency takes the keys of the
 * agency of the ECS server that this runs on; otherwise there is an access key where the vendor's
 * tools look for one: HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK. The exit status is the
 * fpga_assoc_status.
 *
 *     c++ -std=c++17 main.cpp -lfpga_associate -o main
 */
#include <cstdlib>
#include <iostream>
#include <string_view>

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
    if (failure.status == FPGA_ASSOC_CREDENTIALS_FAILED)
        std::cerr << "  needed:     FPGA_TOKEN, or HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK, "
                     "or, on an ECS server with an agency, --agency\n";
    std::cerr << "  help:       " << fpga_assoc_status_help(failure.status) << '\n';
    return failure.status;
}

static fpga_assoc::config with_credentials(bool is_agency)
{
    fpga_assoc::config config;
    if (const char *token = std::getenv("FPGA_TOKEN"))
        config.token(token);
    else if (is_agency)
        config.ecs_agency();
    else
        config.environment_credentials();
    return config;
}

int main(int argc, char **argv)
{
    bool is_agency = argc > 1 && argv[1] == std::string_view("--agency");
    if (argc != (is_agency ? 6 : 5)) {
        std::cerr << "usage: main [--agency] ENDPOINT PROJECT_ID FPGA_IMAGE_ID ECS_IMAGE_ID\n";
        return FPGA_ASSOC_INVALID_ARGUMENT;
    }

    argv += is_agency;
    const char *endpoint = argv[1], *project_id = argv[2], *fpga_id = argv[3], *ecs_id = argv[4];
    auto client = fpga_assoc::client::open(endpoint, with_credentials(is_agency));
    if (!client)
        return report(client.outcome());
    if (auto outcome = client->associate(nullptr, project_id, fpga_id, ecs_id); !outcome)
        return report(outcome);
    std::cout << "FPGA image " << fpga_id << " is associated with ECS image " << ecs_id << '\n';
    auto pairs = client->associations(nullptr, project_id, nullptr, ecs_id);
    if (!pairs)
        return report(pairs.outcome());
    for (const fpga_assoc::association &pair : *pairs)
        std::cout << pair.ecs_id << "  " << pair.fpga_id << "  " << pair.status << "  "
                  << pair.size_mb << " MB  " << (pair.is_protected ? "protected" : "not protected")
                  << "  " << pair.name << '\n';
    return FPGA_ASSOC_OK;
}
