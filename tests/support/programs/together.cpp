/*
 * A host whose threads use the library at once, as the header allows: one client, one list and one error of all of them, clients and
 * settings that come and go, plans that others look into, and a shutdown. Nothing but the library puts them in order, so that a
 * race in it is one that ThreadSanitizer sees.
 *
 *     together ENDPOINT CA_FILE SILENT_ENDPOINT PROJECT_ID FPGA_ID ECS_ID...
 *
 * SILENT_ENDPOINT never answers. The token is in the environment. Exits with 1 where something was not as the header says.
 */
#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "fpga_associate.h"

namespace {

template <auto free_it> struct Free {
    template <typename T> void operator()(T *thing) const { free_it(thing); }
};
using Client = std::unique_ptr<fpga_assoc_client, Free<fpga_assoc_client_free>>;
using Config = std::unique_ptr<fpga_assoc_config, Free<fpga_assoc_config_free>>;
using Error = std::unique_ptr<fpga_assoc_error, Free<fpga_assoc_error_free>>;
using List = std::unique_ptr<fpga_assoc_list, Free<fpga_assoc_list_free>>;
using Plan = std::unique_ptr<fpga_assoc_plan, Free<fpga_assoc_plan_free>>;

constexpr int THREADS = 4;
constexpr int ROUNDS = 8;
/* An image that the service does not know. */
const char *const UNKNOWN = "00000000000000000000000000000000";

const char *endpoint, *ca_file, *silent_endpoint, *project_id, *token, *fpga_id;
std::vector<const char *> ecs_ids;
std::atomic<int> wrong;

void expect(bool is_so, const char *what)
{
    if (is_so)
        return;
    std::fprintf(stderr, "%s: %s\n", what, fpga_assoc_last_error());
    wrong++;
}

/* The numbers of the threads. The caller is not one of them: it waits for all. */
void at_once(const std::function<void(int)> &work)
{
    std::vector<std::thread> threads;
    for (int number = 0; number < THREADS; number++)
        threads.emplace_back(work, number);
    for (auto &thread : threads)
        thread.join();
}

void hear(void *lines, int32_t, const char *line)
{
    static_cast<std::atomic<size_t> *>(lines)->fetch_add(std::string(line).size(), std::memory_order_relaxed);
}

void grant(void *grants, int32_t, fpga_assoc_grant *grant)
{
    /* One thread at a time, so that this needs no atomic. */
    ++*static_cast<int *>(grants);
    expect(fpga_assoc_grant_token(grant, token, 0) == FPGA_ASSOC_OK, "grant");
}

Config new_config()
{
    Config config(fpga_assoc_config_new());
    expect(fpga_assoc_config_set_ca_file(config.get(), ca_file) == FPGA_ASSOC_OK, "CA file");
    expect(fpga_assoc_config_set_proxy(config.get(), "") == FPGA_ASSOC_OK, "proxy");
    return config;
}

Client new_client(const Config &config, const char *to = endpoint)
{
    fpga_assoc_client *client;
    expect(fpga_assoc_client_new(to, config.get(), &client, nullptr) == FPGA_ASSOC_OK, "client");
    return Client(client);
}

int32_t associate_unknown(const Client &client, const char *with = nullptr)
{
    return fpga_assoc_client_associate(client.get(), with, project_id, UNKNOWN, ecs_ids[0], nullptr);
}

/* --- what they share --- */

void a_client()
{
    std::atomic<size_t> heard { 0 };
    int grants = 0;
    Config config = new_config();
    expect(fpga_assoc_config_set_log(config.get(), hear, &heard) == FPGA_ASSOC_OK, "log");
    expect(fpga_assoc_config_set_credentials_callback(config.get(), grant, &grants) == FPGA_ASSOC_OK, "callback");
    Client client = new_client(config);
    config.reset();
    at_once([&](int number) {
        for (int round = 0; round < ROUNDS; round++) {
            fpga_assoc_error *error;
            fpga_assoc_list *list;
            int32_t status = fpga_assoc_client_associations(client.get(), nullptr, project_id, fpga_id, nullptr, &list, &error);
            expect(status == FPGA_ASSOC_OK && List(list) && error == nullptr, "a list");
            expect(associate_unknown(client) == FPGA_ASSOC_NOT_FOUND, "a change");
            /* The thread ends with its last error, which goes with it. */
            expect(fpga_assoc_error_http_status(fpga_assoc_last_error_detail()) == 404, "an error");
            if (number == 0)
                fpga_assoc_client_close_idle(client.get());
        }
    });
    expect(heard > 0 && grants == 1, "callbacks");
}

void one_line_calls()
{
    at_once([](int number) {
        for (int round = 0; round < ROUNDS; round++) {
            expect(fpga_associate(endpoint, token, project_id, UNKNOWN, ecs_ids[0]) == FPGA_ASSOC_NOT_FOUND, "one line");
            if (number == 0)
                fpga_assoc_close_idle();
        }
    });
}

size_t length_of(const fpga_assoc_list *list)
{
    size_t length = std::string(fpga_assoc_list_json(list)).size();
    for (size_t i = 0; i < fpga_assoc_list_len(list); i++) {
        const fpga_assoc_entry *entry = fpga_assoc_list_get(list, i);
        for (const char *text : { entry->ecs_id, entry->fpga_id, entry->name, entry->description, entry->status, entry->created_at,
                                  entry->message, entry->metadata, entry->log_directory })
            length += std::string(text).size();
    }
    return length;
}

size_t length_of(const fpga_assoc_error *error)
{
    size_t numbers = static_cast<size_t>(fpga_assoc_error_status(error) + fpga_assoc_error_http_status(error))
        + fpga_assoc_error_retry_after_ms(error) + fpga_assoc_error_attempts(error) + fpga_assoc_error_outcome_unknown(error)
        + static_cast<size_t>(fpga_assoc_error_observed(error));
    for (const char *text : { fpga_assoc_error_message(error), fpga_assoc_error_code(error), fpga_assoc_error_request_id(error) })
        numbers += std::string(text).size();
    return numbers;
}

/* A list and an error that one thread was given, and all read. */
void a_list_and_an_error()
{
    fpga_assoc_list *given_list;
    fpga_assoc_error *given_error;
    Client client = new_client(new_config());
    expect(fpga_assoc_client_associations(client.get(), token, project_id, fpga_id, nullptr, &given_list, nullptr) == FPGA_ASSOC_OK,
           "the list");
    expect(fpga_assoc_client_associate(client.get(), token, project_id, UNKNOWN, ecs_ids[0], &given_error) != FPGA_ASSOC_OK,
           "the error");
    List list(given_list);
    Error error(given_error);
    std::array<size_t, THREADS> lengths {};
    at_once([&](int number) { lengths[static_cast<size_t>(number)] = length_of(list.get()) + length_of(error.get()); });
    for (size_t length : lengths)
        expect(length == lengths[0] && length > 100, "what was read");
}

/* Settings that one thread changes and another makes clients of; each client is freed by its own. */
void settings()
{
    Config config = new_config();
    at_once([&](int number) {
        for (int round = 0; round < ROUNDS; round++) {
            expect(fpga_assoc_config_set_timeout_ms(config.get(), 60000 + static_cast<uint32_t>(number)) == FPGA_ASSOC_OK, "time");
            expect(fpga_assoc_config_set_token(config.get(), number % 2 == 0 ? token : "wrong") == FPGA_ASSOC_OK, "token");
            expect(fpga_assoc_config_set_max_attempts(config.get(), 0) == FPGA_ASSOC_INVALID_ARGUMENT, "a refusal");
            Client client = new_client(config);
            int32_t status = round == 0 ? associate_unknown(client) : FPGA_ASSOC_NOT_FOUND;
            expect(status == FPGA_ASSOC_NOT_FOUND || status == FPGA_ASSOC_UNAUTHORIZED, "its call");
        }
    });
}

/* --- plans --- */

/* Looks at a plan that others carry out, until they have. */
void watch(const fpga_assoc_plan *plan, const std::atomic<int> &running)
{
    while (running.load(std::memory_order_relaxed) > 0) {
        for (size_t i = 0; i < fpga_assoc_plan_len(plan); i++)
            expect(fpga_assoc_plan_result(plan, i) <= FPGA_ASSOC_RESULT_FAILED, "a result");
        std::this_thread::yield();
    }
}

void plans()
{
    std::atomic<size_t> heard { 0 };
    std::atomic<int> running { 2 };
    int grants = 0;
    Config config = new_config();
    expect(fpga_assoc_config_set_log(config.get(), hear, &heard) == FPGA_ASSOC_OK, "log");
    expect(fpga_assoc_config_set_credentials_callback(config.get(), grant, &grants) == FPGA_ASSOC_OK, "callback");
    Client client = new_client(config);
    std::array<Plan, 2> shared;
    for (auto &plan : shared) {
        plan.reset(fpga_assoc_plan_new());
        for (const char *ecs_id : ecs_ids)
            expect(fpga_assoc_plan_add(plan.get(), fpga_id, ecs_id, true) == FPGA_ASSOC_OK, "a pair");
        expect(fpga_assoc_plan_add(plan.get(), UNKNOWN, ecs_ids[0], true) == FPGA_ASSOC_OK, "the pair that fails");
    }
    at_once([&](int number) {
        const Plan &plan = shared[static_cast<size_t>(number % 2)];
        if (number >= 2)
            return watch(plan.get(), running);
        expect(fpga_assoc_client_apply(client.get(), nullptr, project_id, plan.get(), nullptr) == FPGA_ASSOC_INCOMPLETE, "a plan");
        expect(fpga_assoc_error_status(fpga_assoc_plan_error(plan.get(), ecs_ids.size())) == FPGA_ASSOC_NOT_FOUND, "its error");
        running--;
    });
    expect(heard > 0 && grants == 1, "callbacks of a plan");
}

/* --- the end --- */

/* The last of the threads shuts the client down, whose calls nobody answers. */
void a_shutdown()
{
    Client client = new_client(new_config(), silent_endpoint);
    at_once([&](int number) {
        if (number == THREADS - 1)
            return fpga_assoc_client_shutdown(client.get());
        expect(associate_unknown(client, token) == FPGA_ASSOC_CANCELLED, "a call that is shut down");
    });
}

/* The thread whose call was ended frees the client, while the other may still be in the shutdown. */
void a_shutdown_and_a_free()
{
    for (int round = 0; round < ROUNDS; round++) {
        fpga_assoc_client *client = new_client(new_config(), silent_endpoint).release();
        std::thread thread([client] {
            expect(associate_unknown(Client(client), token) == FPGA_ASSOC_CANCELLED, "a call whose client is freed");
        });
        for (int i = 0; i < round * 20; i++)
            std::this_thread::yield();
        fpga_assoc_client_shutdown(client);
        thread.join();
    }
}

}

int main(int argc, char **argv)
{
    if (argc < 7)
        return 2;
    endpoint = argv[1];
    ca_file = argv[2];
    silent_endpoint = argv[3];
    project_id = argv[4];
    fpga_id = argv[5];
    ecs_ids.assign(argv + 6, argv + argc);
    token = std::getenv("FPGA_TOKEN");
    a_client();
    one_line_calls();
    a_list_and_an_error();
    settings();
    plans();
    a_shutdown();
    a_shutdown_and_a_free();
    return wrong != 0;
}
