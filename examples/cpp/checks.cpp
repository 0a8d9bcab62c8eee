/*
 * Takes the wrapper to its edges and prints what it meets; the test compares.
 *
 *     checks ENDPOINT PROJECT_ID FPGA_IMAGE_ID ECS_IMAGE_ID CA_FILE HOST_THAT_HANGS_UP
 */
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include "fpga_associate.hpp"

using fpga_assoc::client;
using fpga_assoc::config;
using fpga_assoc::error;
using fpga_assoc::list;
using fpga_assoc::outcome;

template <typename Call> static error failure(Call call)
{
    try {
        call();
    } catch (const error &error) {
        return error;
    }
    std::cerr << "no error\n";
    std::exit(EXIT_FAILURE);
}

template <typename Call> static void refused(const char *what, Call call)
{
    std::cout << what << ": " << fpga_assoc_status_name(failure(call).status()) << '\n';
}

static const char *in_words(std::int32_t observed)
{
    switch (observed) {
    case FPGA_ASSOC_OBSERVED_NOTHING:
        return "nothing";
    case FPGA_ASSOC_OBSERVED_ASSOCIATED:
        return "associated";
    case FPGA_ASSOC_OBSERVED_APART:
        return "apart";
    default:
        return "something else";
    }
}

template <typename Call> static void needless(const char *what, Call call)
{
    error error = failure(call);
    std::cout << what << ": " << fpga_assoc_status_name(error.status()) << ", observed "
              << in_words(error.observed()) << '\n';
}

/* Whether the call met what belongs to it, and not to another thread's call. */
static bool one_call(client &client, const char *token, const char *project_id, const char *ecs_id,
                     int number)
{
    if (number % 2 == 0) {
        list found;
        return client.try_associations(token, project_id, nullptr, ecs_id, found) &&
               found.size() == 1;
    }
    char unknown[33];
    std::snprintf(unknown, sizeof unknown, "%032x", static_cast<unsigned>(number));
    outcome outcome = client.try_associate(token, project_id, unknown, ecs_id);
    return outcome.code() == std::string("Ecs.0031") &&
           std::string(outcome.message()).find(unknown) != std::string::npos;
}

static int calls_at_once(client &client, const char *token, const char *project_id,
                         const char *ecs_id)
{
    std::atomic<int> right{0};
    std::vector<std::thread> threads;
    for (int thread = 0; thread < 8; thread++)
        threads.emplace_back([&, thread] {
            for (int call = 0; call < 25; call++)
                right += one_call(client, token, project_id, ecs_id, thread * 25 + call);
        });
    for (auto &thread : threads)
        thread.join();
    return right;
}

int main(int argc, char **argv)
{
    const char *token = std::getenv("FPGA_TOKEN");
    if (argc != 7 || token == nullptr)
        return EXIT_FAILURE;
    const char *endpoint = argv[1], *project_id = argv[2], *fpga_id = argv[3], *ecs_id = argv[4];
    const char *ca_file = argv[5], *broken = argv[6];
    const char *none = nullptr;

    client plain(endpoint);
    std::cout << "no settings, ECS image alone: "
              << plain.associations(token, project_id, nullptr, ecs_id).size() << '\n';
    client client_(endpoint, config().ca_file(ca_file).timeout_ms(20000).user_agent("checks/1"));
    std::cout << "FPGA image alone: "
              << client_.associations(token, project_id, fpga_id, nullptr).size() << '\n';
    client_.close_idle();
    std::ifstream file(ca_file);
    std::string pem(std::istreambuf_iterator<char>(file), {});
    client of_pem(endpoint, config().ca_pem(pem));
    std::cout << "authority from memory: "
              << of_pem.associations(token, project_id, nullptr, ecs_id).size() << '\n';

    refused("no endpoint", [&] { client without(none); });
    refused("no token", [&] { client_.associate(nullptr, project_id, fpga_id, ecs_id); });
    refused("no ECS image", [&] { client_.associate(token, project_id, fpga_id, nullptr); });
    refused("no image at all", [&] { client_.associations(token, project_id, nullptr, nullptr); });
    refused("zero byte", [&] {
        client_.associate(token, project_id, std::string(fpga_id) + '\0', ecs_id);
    });
    refused("no such CA file", [&] { config().ca_file("/nonexistent/ca.pem"); });
    refused("no client certificate", [&] { config().client_certificate("none"); });

    error refusal = failure(
        [&] { client_.associate(token, project_id, std::string(32, '0'), ecs_id); });
    bool with_id = *refusal.request_id() != '\0' &&
                   std::string(refusal.what()).find(refusal.request_id()) != std::string::npos;
    std::cout << "unknown image: " << fpga_assoc_status_name(refusal.status()) << ' '
              << refusal.http_status() << ' ' << refusal.code()
              << (with_id ? " with" : " without") << " request id, outcome "
              << (refusal.outcome_unknown() ? "unknown" : "known") << '\n';

    client other;
    if (!client::open(other, broken, config().confirm(false).get()))
        return EXIT_FAILURE;
    outcome lost = other.try_associate(token, project_id, fpga_id, ecs_id);
    std::cout << "lost connection: " << fpga_assoc_status_name(lost.status()) << ' '
              << lost.http_status() << ", outcome "
              << (lost.outcome_unknown() ? "unknown" : "known") << ", observed "
              << in_words(lost.observed()) << '\n';

    int right = calls_at_once(client_, token, project_id, ecs_id);

    client idempotent(endpoint, config().idempotent(true));
    needless("associated already",
             [&] { client_.associate(token, project_id, fpga_id, ecs_id); });
    idempotent.associate(token, project_id, fpga_id, ecs_id);
    std::cout << "associated already, idempotent: allowed\n";
    client_.disassociate(token, project_id, fpga_id, ecs_id);
    std::cout << "taken away, left: "
              << client_.associations(token, project_id, nullptr, ecs_id).size() << '\n';
    needless("taken away already",
             [&] { client_.disassociate(token, project_id, fpga_id, ecs_id); });
    idempotent.disassociate(token, project_id, fpga_id, ecs_id);
    std::cout << "taken away already, idempotent: allowed\n";
    client moved = std::move(client_);
    failure([&] { client_.associate(token, project_id, fpga_id, ecs_id); });
    std::cout << "closed: refused\n";
    std::cout << "calls at once: " << right << '\n';
    return EXIT_SUCCESS;
}
