/*
 * Associates FPGA images with ECS images of Huawei Cloud: libfpga_associate for C++17.
 *
 * Only this header is needed beside fpga_associate.h; link with -lfpga_associate. It throws nothing
 * of its own but std::bad_alloc, and compiles with -fno-exceptions as well.
 *
 *     auto client = fpga_assoc::client::open(
 *         "ecs.cn-north-1.myhuaweicloud.com",
 *         fpga_assoc::config().timeout(std::chrono::seconds(10)));
 *     if (!client)
 *         return client.outcome();
 *     fpga_assoc::outcome outcome = client->associate(token, project_id, fpga_id, ecs_id);
 *     if (!outcome)
 *         std::cerr << outcome.message << '\n';
 *
 *     auto pairs = client->associations(token, project_id, nullptr, ecs_id);
 *     if (pairs)
 *         for (const fpga_assoc::association &pair : *pairs)
 *             std::cout << pair.fpga_id << '\n';
 *
 * Where the token is nullptr the call is made with the client's own credentials, of which a config
 * has one kind: token, access_key, environment_credentials, ecs_agency or credentials_callback:
 *
 *     fpga_assoc::config().credentials_callback([](std::int32_t) -> fpga_assoc::credentials {
 *         return fpga_assoc::iam_token{vault.read("token"), vault.expiry()};
 *     })
 *
 * Many pairs at once are a plan, of which the differences alone are sent:
 *
 *     fpga_assoc::plan plan;
 *     for (const auto &wanted : table)
 *         if (auto outcome = plan.add(wanted.fpga_id, wanted.ecs_id, true); !outcome)
 *             return outcome;
 *     auto outcome = client->apply(token, project_id, plan);
 *     for (const fpga_assoc::planned_pair &pair : plan)
 *         if (pair.error)
 *             std::cerr << pair.fpga_id << ": " << pair.error->message << '\n';
 *
 * Any number of threads may use one client. The namespace is not named fpga_associate because that
 * is a function of the C header.
 */
#ifndef FPGA_ASSOCIATE_HPP
#define FPGA_ASSOCIATE_HPP

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <initializer_list>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "fpga_associate.h"

namespace fpga_assoc {

namespace detail {

template <auto Free> struct free_with {
    template <typename T> void operator()(T *pointer) const noexcept { Free(pointer); }
};

template <typename T, auto Free> using handle = std::unique_ptr<T, free_with<Free>>;

using config_handle = handle<fpga_assoc_config, fpga_assoc_config_free>;
using list_handle = handle<fpga_assoc_list, fpga_assoc_list_free>;
using error_handle = handle<fpga_assoc_error, fpga_assoc_error_free>;
using plan_handle = handle<fpga_assoc_plan, fpga_assoc_plan_free>;

/* C would take another number for one that does not fit; the library refuses 0. */
inline std::uint32_t number(std::int64_t value) noexcept
{
    return value < 0 || value > UINT32_MAX ? 0 : static_cast<std::uint32_t>(value);
}

} // namespace detail

/* A text argument, or none: nullptr, and a C string that is NULL. */
class text {
public:
    text(std::nullptr_t) noexcept {}
    text(const char *value)
    {
        if (value != nullptr)
            value_ = value;
    }
    text(std::string_view value) : value_(value) {}
    text(const std::string &value) : value_(value) {}

    const char *c_str() const noexcept { return value_ ? value_->c_str() : nullptr; }
    std::size_t size() const noexcept { return value_ ? value_->size() : 0; }

    /* False where a zero byte is in it: C would take the text for a shorter one. */
    bool is_whole() const noexcept { return !value_ || value_->find('\0') == std::string::npos; }

private:
    std::optional<std::string> value_;
};

/* How a call ended: false where it failed, and then why. */
struct [[nodiscard]] outcome {
    std::int32_t status = FPGA_ASSOC_OK;
    std::int32_t http_status = 0; /* 0: no answer came */
    std::string message;          /* one line for people */
    std::string code;             /* the service's own, such as "Ecs.0005", or "" */
    std::string request_id;
    std::chrono::milliseconds retry_after{0};
    std::uint32_t attempts = 0;
    bool outcome_unknown = false; /* the service may have acted on the request */
    std::int32_t observed = FPGA_ASSOC_OBSERVED_NOTHING;

    outcome() = default;
    outcome(std::int32_t refusal, std::string why) : status(refusal), message(std::move(why))
    {
    }
    explicit outcome(const fpga_assoc_error *error)
        : status(fpga_assoc_error_status(error)),
          http_status(fpga_assoc_error_http_status(error)),
          message(fpga_assoc_error_message(error)), code(fpga_assoc_error_code(error)),
          request_id(fpga_assoc_error_request_id(error)),
          retry_after(static_cast<std::int64_t>(fpga_assoc_error_retry_after_ms(error))),
          attempts(fpga_assoc_error_attempts(error)),
          outcome_unknown(fpga_assoc_error_outcome_unknown(error)),
          observed(fpga_assoc_error_observed(error))
    {
    }
    explicit outcome(const detail::error_handle &error) : outcome(error.get()) {}

    explicit operator bool() const noexcept { return status == FPGA_ASSOC_OK; }
};

/* What a call hands out, or why it failed; * and -> are for a success alone. */
template <typename T> class [[nodiscard]] result {
public:
    result(T value) : value_(std::move(value)) {}
    result(fpga_assoc::outcome failure) : outcome_(std::move(failure)) {}

    explicit operator bool() const noexcept { return value_.has_value(); }
    const fpga_assoc::outcome &outcome() const & noexcept { return outcome_; }
    fpga_assoc::outcome outcome() && { return std::move(outcome_); }
    T &operator*() & noexcept { return *value_; }
    const T &operator*() const & noexcept { return *value_; }
    /* By value, so that a loop over a result that nobody keeps is over something that lives. */
    T operator*() && { return std::move(*value_); }
    T *operator->() noexcept { return &*value_; }
    const T *operator->() const noexcept { return &*value_; }

private:
    std::optional<T> value_;
    fpga_assoc::outcome outcome_;
};

/* An FPGA image that is associated with an ECS image; "" is what the service did not give. */
struct association {
    std::string ecs_id;
    std::string fpga_id;
    std::string name;
    std::string description;
    std::string status;
    std::string created_at;
    std::string message;
    std::string metadata;
    std::string log_directory;
    std::uint64_t size_mb;
    bool is_protected;
};

/* When granted credentials expire; none is not known: they serve until the service refuses them. */
using expiry = std::optional<std::chrono::system_clock::time_point>;

/* What a credentials callback answers: an IAM token, */
struct iam_token {
    std::string token;
    expiry expires_at = std::nullopt;
};

/* an access key, with a security token where it is a temporary one, */
struct signing_key {
    std::string access_key;
    std::string secret_key;
    std::string security_token = {};
    expiry expires_at = std::nullopt;
};

/* or why it has none. */
struct refusal {
    std::string message;
};

using credentials = std::variant<refusal, iam_token, signing_key>;

/* Gives a client credentials; the reason is an fpga_assoc_reason. What it throws is a refusal. It
 * runs on the thread of a call that needs them, or on one of a plan's, and must not use its own
 * client's credentials. */
using credentials_function = std::function<credentials(std::int32_t reason)>;

namespace detail {

/* The library refuses where nothing is granted, and keeps the reason of what it can't use. */
class granting {
public:
    explicit granting(fpga_assoc_grant *grant) noexcept : grant_(grant) {}

    void operator()(const iam_token &granted) const
    {
        if (is_whole({&granted.token}))
            (void)!fpga_assoc_grant_token(grant_, granted.token.c_str(),
                                          seconds(granted.expires_at));
    }
    void operator()(const signing_key &granted) const
    {
        if (is_whole({&granted.access_key, &granted.secret_key, &granted.security_token}))
            (void)!fpga_assoc_grant_access_key(
                grant_, granted.access_key.c_str(), granted.secret_key.c_str(),
                granted.security_token.empty() ? nullptr : granted.security_token.c_str(),
                seconds(granted.expires_at));
    }
    void operator()(const refusal &refused) const noexcept { refuse(refused.message.c_str()); }

    void refuse(const char *message) const noexcept
    {
        /* Of a text that is not UTF-8 the library takes nothing. */
        if (fpga_assoc_grant_refuse(grant_, message) != FPGA_ASSOC_OK)
            fpga_assoc_grant_refuse(grant_, nullptr);
    }

private:
    bool is_whole(std::initializer_list<const std::string *> texts) const noexcept
    {
        for (const std::string *text : texts)
            if (text->find('\0') != std::string::npos) {
                refuse("what it granted holds a zero byte");
                return false;
            }
        return true;
    }
    static std::int64_t seconds(const expiry &expires_at) noexcept
    {
        using std::chrono::seconds;
        return expires_at ? std::chrono::floor<seconds>(expires_at->time_since_epoch()).count() : 0;
    }

    fpga_assoc_grant *grant_;
};

/* An fpga_assoc_credentials_fn of a credentials_function. Nothing is thrown through C. */
inline void give_credentials(void *context, std::int32_t reason, fpga_assoc_grant *grant) noexcept
{
    granting granting(grant);
#if defined(__cpp_exceptions)
    try {
        std::visit(granting, (*static_cast<credentials_function *>(context))(reason));
    } catch (const std::exception &thrown) {
        granting.refuse(thrown.what());
    } catch (...) {
        granting.refuse("it threw something that is no std::exception");
    }
#else
    std::visit(granting, (*static_cast<credentials_function *>(context))(reason));
#endif
}

/* Frees a client, and only then lets go of what gives it credentials. */
struct client_free {
    std::shared_ptr<credentials_function> credentials;

    void operator()(fpga_assoc_client *client) const noexcept { fpga_assoc_client_free(client); }
};

using client_handle = std::unique_ptr<fpga_assoc_client, client_free>;

} // namespace detail

/* Settings for a client. The first that is refused is told where the client is opened. */
class config {
public:
    config() : config_(fpga_assoc_config_new()) {}

    /* For the whole call. */
    config &timeout(std::chrono::milliseconds time)
    {
        return set(fpga_assoc_config_set_timeout_ms, detail::number(time.count()));
    }
    /* For the connection of one attempt. */
    config &connect_timeout(std::chrono::milliseconds time)
    {
        return set(fpga_assoc_config_set_connect_timeout_ms, detail::number(time.count()));
    }
    config &max_attempts(std::int64_t attempts)
    {
        return set(fpga_assoc_config_set_max_attempts, detail::number(attempts));
    }
    config &ca_file(const text &path) { return set(fpga_assoc_config_set_ca_file, path); }
    config &ca_pem(const text &pem)
    {
        return set(fpga_assoc_config_set_ca_pem, pem.c_str(), pem.size());
    }
    config &client_certificate(const text &pem)
    {
        return set(fpga_assoc_config_set_client_certificate, pem.c_str(), pem.size());
    }
    /* "" is none; unset is the environment's. */
    config &proxy(const text &url) { return set(fpga_assoc_config_set_proxy, url); }
    config &user_agent(const text &product)
    {
        return set(fpga_assoc_config_set_user_agent, product);
    }
    config &allow_http(bool allow) { return set(fpga_assoc_config_set_allow_http, allow); }
    config &confirm(bool confirm) { return set(fpga_assoc_config_set_confirm, confirm); }
    config &idempotent(bool idempotent)
    {
        return set(fpga_assoc_config_set_idempotent, idempotent);
    }

    /* Of these a client has one. */
    config &token(const text &token) { return only().set(fpga_assoc_config_set_token, token); }
    /* The security token is that of a temporary key. */
    config &access_key(const text &access_key, const text &secret_key,
                       const text &security_token = nullptr)
    {
        return only().whole(access_key).whole(secret_key).whole(security_token).set(
            fpga_assoc_config_set_access_key, access_key.c_str(), secret_key.c_str(),
            security_token.c_str());
    }
    /* Read now, from where the vendor's tools look. */
    config &environment_credentials()
    {
        return only().set(fpga_assoc_config_set_environment_credentials);
    }
    /* Those of the ECS server that this runs on. */
    config &ecs_agency() { return only().set(fpga_assoc_config_set_ecs_agency); }
    /* The function, and what it refers to, must live as long as the clients. */
    config &credentials_callback(credentials_function function)
    {
        if (only().outcome_ && !function)
            outcome_ = {FPGA_ASSOC_INVALID_ARGUMENT, "the credentials callback is empty"};
        credentials_ = std::make_shared<credentials_function>(std::move(function));
        return set(fpga_assoc_config_set_credentials_callback, &detail::give_credentials,
                   static_cast<void *>(credentials_.get()));
    }

private:
    friend class client;

    config &only()
    {
        if (outcome_ && has_credentials_)
            outcome_ = {FPGA_ASSOC_INVALID_ARGUMENT, "two kinds of credentials"};
        has_credentials_ = true;
        return *this;
    }
    config &whole(const text &text)
    {
        if (outcome_ && !text.is_whole())
            outcome_ = {FPGA_ASSOC_INVALID_ARGUMENT, "a setting holds a zero byte"};
        return *this;
    }

    template <typename Setter, typename... Values> config &set(Setter setter, Values... values)
    {
        if (!outcome_)
            return *this;
        std::int32_t status = setter(config_.get(), values...);
        if (status != FPGA_ASSOC_OK)
            outcome_ = {status, fpga_assoc_last_error()};
        return *this;
    }
    template <typename Setter> config &set(Setter setter, const text &text)
    {
        return whole(text).set(setter, text.c_str());
    }

    std::shared_ptr<credentials_function> credentials_;
    bool has_credentials_ = false;
    detail::config_handle config_;
    outcome outcome_;
};

/* What became of a pair of a plan. */
enum class pair_result : std::int32_t {
    open = FPGA_ASSOC_RESULT_OPEN,           /* nothing was done for it */
    as_wanted = FPGA_ASSOC_RESULT_AS_WANTED, /* nothing was to be done for it */
    to_change = FPGA_ASSOC_RESULT_TO_CHANGE, /* it is not as wanted, as compare found */
    changed = FPGA_ASSOC_RESULT_CHANGED,     /* it was not as wanted, and is now */
    failed = FPGA_ASSOC_RESULT_FAILED,       /* its error says why */
};

/* A pair of a plan: what is wanted of it, and what became of it in the last call. */
struct planned_pair {
    std::string fpga_id;
    std::string ecs_id;
    bool associated;
    pair_result result;
    std::optional<outcome> error; /* of a pair that failed */
};

/* Is told that so many of a plan's pairs have their result. It runs on the thread of the call, at
 * most five times a second and at the end. It may read the plan, and shut the client down, which
 * ends the call; it must not move or destroy either.
 *
 * What it throws comes out of the call, in place of its outcome: when the plan has come to its end,
 * which the exception does not hasten. Until then the function is not called again. The results are
 * there all the same. */
using progress_function = std::function<void(std::size_t settled, std::size_t total)>;

namespace detail {

/* A progress_function and what it has thrown. Its address is known to C. */
struct progress {
    progress_function function;
    std::exception_ptr thrown = nullptr;
};

/* An fpga_assoc_progress_fn of a progress. Nothing is thrown through C. */
inline void tell_progress(void *context, std::size_t settled, std::size_t total) noexcept
{
    progress &told = *static_cast<progress *>(context);
#if defined(__cpp_exceptions)
    if (told.thrown)
        return;
    try {
        told.function(settled, total);
    } catch (...) {
        told.thrown = std::current_exception();
    }
#else
    told.function(settled, total);
#endif
}

} // namespace detail

/* What is wanted of many pairs, for client::compare and client::apply, which leave a result with
 * each. It belongs to no client, and may be carried out again, pairs added in between.
 *
 * As with a std::vector, any number of threads may read it at once, or one change it or have it
 * carried out. What its progress function would change is refused. */
class plan {
public:
    class iterator;

    plan() : plan_(fpga_assoc_plan_new()) {}

    /* Where it is refused nothing was added. */
    outcome add(const text &fpga_id, const text &ecs_id, bool associated)
    {
        if (!fpga_id.is_whole() || !ecs_id.is_whole())
            return {FPGA_ASSOC_INVALID_ARGUMENT, "an id holds a zero byte"};
        /* First, because it may throw. */
        pairs_.push_back({id(fpga_id), id(ecs_id), associated});
        std::int32_t status =
            fpga_assoc_plan_add(plan_.get(), fpga_id.c_str(), ecs_id.c_str(), associated);
        if (status != FPGA_ASSOC_OK)
            pairs_.pop_back();
        return told(status);
    }

    /* How many requests may be under way at once; 8 unless it is set. */
    outcome parallel(std::int64_t requests)
    {
        return told(fpga_assoc_plan_set_parallel(plan_.get(), detail::number(requests)));
    }
    /* For the whole plan, which has as long as it takes unless it is set. */
    outcome timeout(std::chrono::milliseconds time)
    {
        return told(fpga_assoc_plan_set_timeout_ms(plan_.get(), detail::number(time.count())));
    }
    /* An empty one is none. What it refers to must live as long as the plan is carried out. */
    outcome progress(progress_function function)
    {
        std::unique_ptr<detail::progress> given;
        if (function)
            given = std::make_unique<detail::progress>(detail::progress{std::move(function)});
        std::int32_t status = fpga_assoc_plan_set_progress(
            plan_.get(), given ? &detail::tell_progress : nullptr, given.get());
        if (status == FPGA_ASSOC_OK)
            progress_ = std::move(given);
        return told(status);
    }

    std::size_t size() const noexcept { return pairs_.size(); }
    bool empty() const noexcept { return pairs_.empty(); }

    /* In the order in which they were added. By value, so that what is kept is nobody else's; an
     * index past the end is undefined. */
    planned_pair operator[](std::size_t index) const
    {
        const wanted &pair = pairs_[index];
        const fpga_assoc_error *error = fpga_assoc_plan_error(plan_.get(), index);
        return {pair.fpga_id, pair.ecs_id, pair.associated, result(index),
                error == nullptr ? std::nullopt : std::make_optional<outcome>(error)};
    }
    /* The result alone, without the cost of a pair. */
    pair_result result(std::size_t index) const noexcept
    {
        return static_cast<pair_result>(fpga_assoc_plan_result(plan_.get(), index));
    }

    iterator begin() const noexcept;
    iterator end() const noexcept;

private:
    friend class client;

    struct wanted {
        std::string fpga_id;
        std::string ecs_id;
        bool associated;
    };

    static std::string id(const text &text) { return text.c_str() == nullptr ? "" : text.c_str(); }

    static outcome told(std::int32_t status)
    {
        if (status == FPGA_ASSOC_OK)
            return {};
        return {status, fpga_assoc_last_error()};
    }

    /* After a call with this status. One that was refused has not called the function: what it has
     * thrown then belongs to the call that is under way. */
    void rethrow([[maybe_unused]] std::int32_t status)
    {
#if defined(__cpp_exceptions)
        if (status != FPGA_ASSOC_INVALID_ARGUMENT && progress_ && progress_->thrown)
            std::rethrow_exception(std::exchange(progress_->thrown, nullptr));
#endif
    }

    std::unique_ptr<detail::progress> progress_;
    detail::plan_handle plan_;
    std::vector<wanted> pairs_;
};

/* Makes each pair when it is asked for. */
class plan::iterator {
public:
    using iterator_category = std::input_iterator_tag;
    using value_type = planned_pair;
    using difference_type = std::ptrdiff_t;
    using pointer = void;
    using reference = planned_pair;

    iterator() noexcept = default;

    planned_pair operator*() const { return (*plan_)[index_]; }
    iterator &operator++() noexcept
    {
        index_++;
        return *this;
    }
    iterator operator++(int) noexcept
    {
        iterator before = *this;
        index_++;
        return before;
    }
    friend bool operator==(const iterator &one, const iterator &other) noexcept
    {
        return one.index_ == other.index_;
    }
    friend bool operator!=(const iterator &one, const iterator &other) noexcept
    {
        return !(one == other);
    }

private:
    friend class plan;

    iterator(const plan &plan, std::size_t index) noexcept : plan_(&plan), index_(index) {}

    const plan *plan_ = nullptr;
    std::size_t index_ = 0;
};

inline plan::iterator plan::begin() const noexcept { return {*this, 0}; }
inline plan::iterator plan::end() const noexcept { return {*this, size()}; }

/* Calls one endpoint, from any number of threads at once. It must outlive its calls. */
class client {
public:
    static result<client> open(const text &endpoint, const config &config = {})
    {
        if (!config.outcome_)
            return config.outcome_;
        if (!endpoint.is_whole())
            return zero_byte();
        fpga_assoc_client *opened = nullptr;
        fpga_assoc_error *error = nullptr;
        if (fpga_assoc_client_new(endpoint.c_str(), config.config_.get(), &opened, &error) != FPGA_ASSOC_OK)
            return outcome(detail::error_handle(error));
        return client(opened, config.credentials_);
    }

    outcome associate(const text &token, const text &project_id, const text &fpga_id,
                      const text &ecs_id)
    {
        return call(fpga_assoc_client_associate, token, project_id, fpga_id, ecs_id);
    }
    outcome disassociate(const text &token, const text &project_id, const text &fpga_id,
                         const text &ecs_id)
    {
        return call(fpga_assoc_client_disassociate, token, project_id, fpga_id, ecs_id);
    }
    /* One of the two images may be nullptr. */
    result<std::vector<association>> associations(const text &token, const text &project_id,
                                                  const text &fpga_id, const text &ecs_id)
    {
        fpga_assoc_list *received = nullptr;
        outcome outcome = call(fpga_assoc_client_associations, token, project_id, fpga_id, ecs_id,
                               &received);
        detail::list_handle list(received);
        if (!outcome)
            return outcome;
        std::vector<association> copies;
        for (std::size_t i = 0; i < fpga_assoc_list_len(received); i++) {
            const fpga_assoc_entry &entry = *fpga_assoc_list_get(received, i);
            copies.push_back({entry.ecs_id, entry.fpga_id, entry.name, entry.description,
                              entry.status, entry.created_at, entry.message, entry.metadata,
                              entry.log_directory, entry.size_mb, entry.is_protected});
        }
        return copies;
    }

    /* Finds out which pairs are as wanted, and changes nothing. The outcome is that of a failure
     * where not every pair could be compared: FPGA_ASSOC_INCOMPLETE. */
    outcome compare(const text &token, const text &project_id, plan &plan)
    {
        return carry_out(fpga_assoc_client_compare, token, project_id, plan);
    }
    /* Brings the pairs to what is wanted. Where not every pair is, that is a failure too,
     * FPGA_ASSOC_INCOMPLETE, whose message counts them; why, the errors of the pairs say. */
    outcome apply(const text &token, const text &project_id, plan &plan)
    {
        return carry_out(fpga_assoc_client_apply, token, project_id, plan);
    }

    /* From any thread: the calls under way, and all later ones, end as FPGA_ASSOC_CANCELLED. */
    void shutdown() noexcept { fpga_assoc_client_shutdown(client_.get()); }

    /* Closes the connections that no call uses now. */
    void close_idle() noexcept { fpga_assoc_client_close_idle(client_.get()); }

private:
    client(fpga_assoc_client *opened, std::shared_ptr<credentials_function> function) noexcept
        : client_(opened, detail::client_free{std::move(function)})
    {
    }

    static outcome zero_byte()
    {
        return {FPGA_ASSOC_INVALID_ARGUMENT, "an argument holds a zero byte"};
    }

    template <typename Call, typename... List>
    outcome call(Call function, const text &token, const text &project_id, const text &fpga_id,
                 const text &ecs_id, List... list)
    {
        for (const text *text : {&token, &project_id, &fpga_id, &ecs_id})
            if (!text->is_whole())
                return zero_byte();
        fpga_assoc_error *error = nullptr;
        function(client_.get(), token.c_str(), project_id.c_str(), fpga_id.c_str(), ecs_id.c_str(),
             list..., &error);
        return outcome(detail::error_handle(error));
    }

    template <typename Call>
    outcome carry_out(Call function, const text &token, const text &project_id, plan &plan)
    {
        if (!token.is_whole() || !project_id.is_whole())
            return zero_byte();
        fpga_assoc_error *error = nullptr;
        std::int32_t status = function(client_.get(), token.c_str(), project_id.c_str(),
                                       plan.plan_.get(), &error);
        detail::error_handle owned(error);
        plan.rethrow(status);
        return outcome(owned);
    }

    detail::client_handle client_;
};

} // namespace fpga_assoc

#endif
