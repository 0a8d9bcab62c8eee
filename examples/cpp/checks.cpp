/*
 * Takes the wrapper to its edges and prints what it meets; the test compares.
 *
 *     checks ENDPOINT PROJECT_ID FPGA_IMAGE_ID ECS_IMAGE_ID CA_FILE HOST_THAT_HANGS_UP
 *         HOST_THAT_THROTTLES OTHER_FPGA_IMAGE_ID OTHER_ECS_IMAGE_ID
 */
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "fpga_associate.hpp"

using fpga_assoc::association;
using fpga_assoc::client;
using fpga_assoc::config;
using fpga_assoc::credentials;
using fpga_assoc::iam_token;
using fpga_assoc::outcome;
using fpga_assoc::pair_result;
using fpga_assoc::plan;
using fpga_assoc::planned_pair;
using fpga_assoc::refusal;
using fpga_assoc::result;
using fpga_assoc::signing_key;
using std::chrono::hours;
using std::chrono::milliseconds;

/* What is handed out owns itself, also where nobody keeps the result that it came in. */
using pairs = std::vector<association>;
static_assert(std::is_same_v<decltype(*std::declval<result<pairs>>()), pairs>);
static_assert(std::is_same_v<decltype(association::fpga_id), std::string>);
static_assert(std::is_same_v<decltype(outcome::message), std::string>);
static_assert(!std::is_copy_constructible_v<client> && std::is_move_constructible_v<client>);
static_assert(!std::is_copy_constructible_v<config> && std::is_move_constructible_v<config>);
static_assert(!std::is_copy_constructible_v<plan> && std::is_nothrow_move_constructible_v<plan>);
static_assert(std::is_same_v<decltype(*std::declval<plan>().begin()), planned_pair>);

template <typename T> static T opened(result<T> result)
{
    if (!result) {
        std::cerr << result.outcome().message << '\n';
        std::exit(EXIT_FAILURE);
    }
    return *std::move(result);
}

static outcome failed(outcome outcome)
{
    if (outcome) {
        std::cerr << "no error\n";
        std::exit(EXIT_FAILURE);
    }
    return outcome;
}

static void refused(const char *what, outcome refusal)
{
    std::cout << what << ": " << fpga_assoc_status_name(failed(std::move(refusal)).status) << '\n';
}

static void print_accepted(const char *what, const std::vector<outcome> &outcomes)
{
    std::cout << what << ':';
    bool all = true;
    for (std::size_t i = 0; i < outcomes.size(); i++)
        if (outcomes[i]) {
            all = false;
            std::cout << " number " << i << " is accepted";
        }
    std::cout << (all ? " refused\n" : "\n");
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

static void needless(const char *what, outcome outcome)
{
    outcome = failed(std::move(outcome));
    std::cout << what << ": " << fpga_assoc_status_name(outcome.status) << ", observed "
              << in_words(outcome.observed) << '\n';
}

static void allowed(const char *what, const outcome &outcome)
{
    std::cout << what << ": " << (outcome ? "allowed" : outcome.message) << '\n';
}

/* Whether the call met what belongs to it, and not to another thread's call. */
static bool one_call(client &client, std::string_view token, const char *project_id,
                     const char *ecs_id, int number)
{
    if (number % 2 == 0) {
        auto found = client.associations(token, project_id, nullptr, ecs_id);
        return found && found->size() == 1;
    }
    char unknown[33];
    std::snprintf(unknown, sizeof unknown, "%032x", static_cast<unsigned>(number));
    outcome outcome = client.associate(token, project_id, unknown, ecs_id);
    return outcome.code == "Ecs.0031" && outcome.message.find(unknown) != std::string::npos;
}

static int calls_at_once(client &client, std::string_view token, const char *project_id,
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

/* Calls with the client's own credentials, at once; the outcome of one that failed. */
static outcome own_calls(const char *endpoint, const char *project_id, const char *ecs_id,
                         std::size_t count, const config &config = {})
{
    /* Moved: what is called lives on. */
    client first = opened(client::open(endpoint, config)), client_ = std::move(first);
    std::vector<outcome> outcomes(count);
    std::vector<std::thread> threads;
    for (outcome &mine : outcomes)
        threads.emplace_back([&] {
            mine = client_.associations(nullptr, project_id, nullptr, ecs_id).outcome();
        });
    for (auto &thread : threads)
        thread.join();
    for (outcome &each : outcomes)
        if (!each)
            return each;
    return {};
}

static credentials refusing(std::int32_t)
{
#if defined(__cpp_exceptions)
    throw std::runtime_error("the vault is shut");
#else
    return refusal{"the vault is shut"};
#endif
}

/* Whether it fails for want of credentials, for this reason. */
static bool is_useless(const outcome &outcome, const char *reason)
{
    return outcome.status == FPGA_ASSOC_CREDENTIALS_FAILED &&
           outcome.message.find(reason) != std::string::npos;
}

static bool check_credentials(const char *endpoint, const char *project_id, const char *ecs_id,
                              const std::string &token)
{
    const char *access_key = std::getenv("FPGA_ACCESS_KEY");
    const char *secret_key = std::getenv("FPGA_SECRET_KEY");
    if (access_key == nullptr || secret_key == nullptr)
        return false;
    auto call = [&](std::size_t count, const config &config) {
        return own_calls(endpoint, project_id, ecs_id, count, config);
    };

    if (outcome signed_call = call(1, config().access_key(access_key, secret_key)); !signed_call)
        std::cerr << signed_call.message << '\n';
    else
        std::cout << "access key: ok\n";
    const char *wrong = secret_key + 1;
    outcome refusal_ = failed(call(1, config().access_key(access_key, wrong)));
    bool told = refusal_.message.find(wrong) != std::string::npos;
    std::cout << "wrong secret key: " << fpga_assoc_status_name(refusal_.status)
              << (told ? ", which tells it\n" : "\n");

    std::atomic<int> asked{0}, first{0};
    auto grant = [&](std::int32_t reason) -> credentials {
        asked++;
        first += reason == FPGA_ASSOC_REASON_FIRST;
        return iam_token{token, std::chrono::system_clock::now() + hours(1)};
    };
    outcome granted = call(3, config().credentials_callback(grant));
    if (!granted || first != asked)
        return false;
    std::cout << "credentials callback: asked " << asked << " time\n";

    for (auto [useless, reason] : std::vector<std::pair<credentials, const char *>>{
             {credentials(), "refused"},
             {refusal{"\xff"}, "refused"},
             {iam_token{""}, "token"},
             {iam_token{token + '\0'}, "zero byte"},
             {iam_token{token, std::chrono::system_clock::time_point(hours(-1))}, "expires_at"},
             {signing_key{access_key, ""}, "secret_key"},
         }) {
        outcome outcome = call(1, config().credentials_callback(
                                      [&useless = useless](std::int32_t) { return useless; }));
        if (!is_useless(outcome, reason)) {
            std::cerr << outcome.message << '\n';
            return false;
        }
    }
    outcome refused_call = call(1, config().credentials_callback(refusing));
    if (!is_useless(refused_call, "the vault is shut"))
        return false;
    refused("refused callback", refused_call);
    refused("no credentials", call(1, config()));
    return true;
}

static void needed(const outcome &outcome)
{
    if (!outcome) {
        std::cerr << outcome.message << '\n';
        std::exit(EXIT_FAILURE);
    }
}

static std::string counts(const plan &plan)
{
    static constexpr std::pair<const char *, pair_result> results[] = {
        {"open ", pair_result::open},           {", as wanted ", pair_result::as_wanted},
        {", to change ", pair_result::to_change}, {", changed ", pair_result::changed},
        {", failed ", pair_result::failed},
    };
    std::string words;
    for (auto [word, result] : results) {
        int count = 0;
        for (const planned_pair &pair : plan)
            count += pair.result == result;
        words += word + std::to_string(count);
    }
    return words;
}

/* What a progress function throws comes out of the call, which does all that it has to. */
static bool check_throwing(client &client, std::string_view token, const char *project_id,
                           plan &plan)
{
    int calls = 0;
    bool caught = false;
#if defined(__cpp_exceptions)
    needed(plan.progress([&](std::size_t, std::size_t) {
        calls++;
        throw std::runtime_error("no room on the screen");
    }));
    try {
        needed(client.compare(token, project_id, plan));
    } catch (const std::runtime_error &thrown) {
        caught = calls == 1 && thrown.what() == std::string_view("no room on the screen");
    }
#else
    needed(plan.progress([&](std::size_t, std::size_t) { calls++; }));
    needed(client.compare(token, project_id, plan));
    caught = calls == 1;
#endif
    needed(plan.progress(nullptr));
    needed(client.compare(token, project_id, plan));
    return caught && calls == 1;
}

/* Begins with nothing associated, and ends so. */
static bool check_plans(const char *endpoint, const char *project_id, std::string_view token,
                        const char *fpga_id, const char *ecs_id, const char *other_fpga_id,
                        const char *other_ecs_id)
{
    client client_ = opened(client::open(endpoint));
    client with_token = opened(client::open(endpoint, config().token(token)));
    plan first, contradiction;
    std::string told, refusal_;
    needed(first.parallel(4));
    needed(first.timeout(std::chrono::minutes(1)));
    needed(first.progress([&](std::size_t settled, std::size_t total) {
        told = std::to_string(settled) + " of " + std::to_string(total);
    }));
    needed(first.add(fpga_id, ecs_id, true));
    needed(first.add(other_fpga_id, ecs_id, true));
    needed(first.add(fpga_id, other_ecs_id, true));
    /* Moved: what C calls lives on. */
    plan four = std::move(first);
    needed(four.add(other_fpga_id, other_ecs_id, false));

    needed(client_.compare(token, project_id, four));
    std::cout << "plan compared: " << counts(four) << '\n';
    needed(client_.apply(token, project_id, four));
    std::cout << "plan applied: " << counts(four) << '\n';
    planned_pair last = four[3];
    if (last.fpga_id != other_fpga_id || last.ecs_id != other_ecs_id || last.associated ||
        last.result != pair_result::as_wanted || last.error)
        return false;
    needed(with_token.apply(nullptr, project_id, four));
    std::cout << "plan applied again: " << counts(four) << '\n';
    std::cout << "progress of the plan: " << told << '\n';

    plan undone;
    for (const planned_pair &pair : four)
        needed(undone.add(pair.fpga_id, pair.ecs_id, false));
    needed(undone.add(std::string(32, '0'), other_ecs_id, true));
    needed(undone.progress([&](std::size_t, std::size_t) {
        refusal_ = failed(undone.add(fpga_id, ecs_id, false)).message;
    }));
    refused("plan with an unknown image", client_.apply(token, project_id, undone));
    std::cout << "then: " << counts(undone) << '\n';
    outcome own = undone[4].error.value_or(outcome());
    std::cout << "its own error: " << fpga_assoc_status_name(own.status) << ' ' << own.code << '\n';
    if (refusal_.find("being carried out") == std::string::npos || undone.size() != 5)
        return false;

    needed(contradiction.add(fpga_id, ecs_id, true));
    needed(contradiction.add(fpga_id, ecs_id, false));
    refused("contradiction", client_.apply(token, project_id, contradiction));
    print_accepted("wrong plans", {
        four.parallel(0),
        four.parallel(101),
        four.parallel((1LL << 32) + 8),
        four.timeout(milliseconds(-1)),
        four.timeout(milliseconds((1LL << 32) + 5)),
        four.add(nullptr, ecs_id, true),
        four.add(fpga_id, "\xff", true),
        four.add(fpga_id, std::string(ecs_id) + '\0', true),
        client_.compare(std::string(token) + '\0', project_id, four),
        client_.compare(token, nullptr, four),
        first.add(fpga_id, ecs_id, true),
        client_.apply(token, project_id, first),
    });
    return four.size() == 4 && first.empty() && check_throwing(client_, token, project_id, four);
}

int main(int argc, char **argv)
{
    const char *environment = std::getenv("FPGA_TOKEN");
    if (argc != 10 || environment == nullptr)
        return EXIT_FAILURE;
    /* Of a longer text, so that no zero byte follows it. */
    std::string longer = std::string(environment) + "!";
    std::string_view token = std::string_view(longer).substr(0, longer.size() - 1);
    const char *endpoint = argv[1], *project_id = argv[2], *fpga_id = argv[3], *ecs_id = argv[4];
    const char *ca_file = argv[5], *broken = argv[6], *busy = argv[7];
    const char *none = nullptr;

    client plain = opened(client::open(endpoint));
    std::cout << "no settings, ECS image alone: "
              << opened(plain.associations(token, project_id, nullptr, ecs_id)).size() << '\n';
    client client_ = opened(client::open(
        endpoint, config().ca_file(ca_file).timeout(milliseconds(20000)).user_agent("checks/1")));
    pairs kept = opened(client_.associations(token, project_id, fpga_id, nullptr));
    std::cout << "FPGA image alone: " << kept.size() << '\n';
    client_.close_idle();
    std::ifstream file(ca_file);
    std::string pem(std::istreambuf_iterator<char>(file), {});
    client of_pem = opened(client::open(endpoint, config().ca_pem(pem)));
    std::cout << "authority from memory: "
              << opened(of_pem.associations(token, project_id, nullptr, ecs_id)).size() << '\n';

    refused("no endpoint", client::open(none).outcome());
    refused("no token", client_.associate(nullptr, project_id, fpga_id, ecs_id));
    refused("no ECS image", client_.associate(token, project_id, fpga_id, none));
    refused("no image at all",
            client_.associations(token, project_id, nullptr, nullptr).outcome());
    refused("zero byte",
            client_.associate(token, project_id, std::string(fpga_id) + '\0', ecs_id));
    refused("no such CA file",
            client::open(endpoint, config().ca_file("/nonexistent/ca.pem")).outcome());
    refused("no client certificate",
            client::open(endpoint, config().client_certificate("none")).outcome());

    print_accepted("wrong settings", {
        client::open(endpoint, config().timeout(milliseconds(-1))).outcome(),
        client::open(endpoint, config().timeout(milliseconds(0))).outcome(),
        client::open(endpoint, config().timeout(milliseconds(1LL << 31))).outcome(),
        client::open(endpoint, config().timeout(milliseconds((1LL << 32) + 5))).outcome(),
        client::open(endpoint, config().connect_timeout(milliseconds::max())).outcome(),
        client::open(endpoint, config().max_attempts((1LL << 32) + 1).timeout(hours(1))).outcome(),
        client::open(endpoint, config().ca_file(std::string(ca_file) + '\0')).outcome(),
        client::open(endpoint, config().ca_pem(none)).outcome(),
        client::open(endpoint, config().proxy(none)).outcome(),
        client::open(endpoint, config().user_agent("\xff").timeout(hours(1))).outcome(),
        client::open(endpoint, config().token(none)).outcome(),
        client::open(endpoint, config().token(std::string(token) + '\0')).outcome(),
        client::open(endpoint, config().access_key("key", none)).outcome(),
        client::open(endpoint, config().access_key("key", std::string("key") + '\0')).outcome(),
        client::open(endpoint, config().credentials_callback(nullptr)).outcome(),
        client::open(endpoint, config().token(token).ecs_agency()).outcome(),
    });
    print_accepted("wrong texts", {
        client::open(std::string(endpoint) + '\0').outcome(),
        client_.associate(std::string(token) + '\0', project_id, fpga_id, ecs_id),
        client_.associate(token, project_id, "\xff", ecs_id),
        client_.associations(token, project_id, nullptr, std::string(ecs_id) + '\0').outcome(),
    });

    outcome refusal = failed(client_.associate(token, project_id, std::string(32, '0'), ecs_id));
    bool with_id = !refusal.request_id.empty() &&
                   refusal.message.find(refusal.request_id) != std::string::npos;
    std::cout << "unknown image: " << fpga_assoc_status_name(refusal.status) << ' '
              << refusal.http_status << ' ' << refusal.code << (with_id ? " with" : " without")
              << " request id, outcome " << (refusal.outcome_unknown ? "unknown" : "known") << '\n';

    client other = opened(client::open(broken, config().confirm(false)));
    outcome lost = failed(other.associate(token, project_id, fpga_id, ecs_id));
    std::cout << "lost connection: " << fpga_assoc_status_name(lost.status) << ' '
              << lost.http_status << ", outcome " << (lost.outcome_unknown ? "unknown" : "known")
              << ", observed " << in_words(lost.observed) << '\n';

    client throttled = opened(client::open(busy));
    outcome wait = failed(throttled.associate(token, project_id, fpga_id, ecs_id));
    std::cout << "throttled: " << fpga_assoc_status_name(wait.status) << ' ' << wait.http_status
              << ", to wait " << wait.retry_after.count() << " ms, attempts " << wait.attempts
              << '\n';

    int right = calls_at_once(client_, token, project_id, ecs_id);

    client idempotent = opened(client::open(endpoint, config().idempotent(true)));
    needless("associated already", client_.associate(token, project_id, fpga_id, ecs_id));
    allowed("associated already, idempotent",
            idempotent.associate(token, project_id, fpga_id, ecs_id));
    if (!client_.disassociate(token, project_id, fpga_id, ecs_id))
        return EXIT_FAILURE;
    std::cout << "taken away, left: "
              << opened(client_.associations(token, project_id, nullptr, ecs_id)).size() << '\n';
    needless("taken away already", client_.disassociate(token, project_id, fpga_id, ecs_id));
    allowed("taken away already, idempotent",
            idempotent.disassociate(token, project_id, fpga_id, ecs_id));
    {
        client moved = std::move(client_);
    }
    if (client_.associate(token, project_id, fpga_id, ecs_id))
        return EXIT_FAILURE;
    std::cout << "closed: refused\n";
    std::cout << "kept after closing: " << kept.at(0).status << '\n';
    if (!check_credentials(endpoint, project_id, ecs_id, std::string(token)))
        return EXIT_FAILURE;
    if (!check_plans(endpoint, project_id, token, fpga_id, ecs_id, argv[8], argv[9]))
        return EXIT_FAILURE;
    std::cout << "calls at once: " << right << '\n';
    return EXIT_SUCCESS;
}
