/*
 * Associates FPGA images with ECS images of Huawei Cloud: libfpga_associate for C++17.
 *
 * Only this header is needed beside fpga_associate.h; link with -lfpga_associate.
 *
 *     fpga_assoc::client client("ecs.cn-north-1.myhuaweicloud.com",
 *                               fpga_assoc::config().timeout_ms(10000));
 *     client.associate(token, project_id, fpga_id, ecs_id);           // throws fpga_assoc::error
 *     for (const auto &pair : client.associations(token, project_id, nullptr, ecs_id))
 *         std::cout << pair.fpga_id << '\n';
 *
 *     fpga_assoc::outcome outcome =                                   // throws nothing
 *         client.try_associate(token, project_id, fpga_id, ecs_id);
 *     if (!outcome)
 *         std::fputs(outcome.message(), stderr);
 *
 * Any number of threads may use one client. The namespace is not named fpga_associate because that
 * is a function of the C header.
 */
#ifndef FPGA_ASSOCIATE_HPP
#define FPGA_ASSOCIATE_HPP

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>
#include <iterator>
#include <memory>
#include <string>
#include <utility>

#include "fpga_associate.h"

namespace fpga_assoc {

namespace detail {

struct free_error {
    void operator()(fpga_assoc_error *error) const noexcept { fpga_assoc_error_free(error); }
};

struct free_config {
    void operator()(fpga_assoc_config *config) const noexcept { fpga_assoc_config_free(config); }
};

struct free_client {
    void operator()(fpga_assoc_client *client) const noexcept { fpga_assoc_client_free(client); }
};

struct free_list {
    void operator()(fpga_assoc_list *list) const noexcept { fpga_assoc_list_free(list); }
};

} // namespace detail

/* A text argument: a C string, a std::string, or nullptr where a call allows it. */
class text {
public:
    text(std::nullptr_t) noexcept {}
    text(const char *value) noexcept : value_(value) {}
    text(const std::string &value) noexcept
        : value_(value.c_str()), is_whole_(std::strlen(value.c_str()) == value.size())
    {
    }

    const char *c_str() const noexcept { return value_; }

    /* False for a std::string with a zero byte in it, which C would take for a shorter one. */
    bool is_whole() const noexcept { return is_whole_; }

private:
    const char *value_ = nullptr;
    bool is_whole_ = true;
};

/* How a call ended, without exceptions. Its texts live as long as it. */
class outcome {
public:
    outcome(std::int32_t status, fpga_assoc_error *error) noexcept : status_(status), error_(error)
    {
    }

    /* Refused before the library was called. */
    static outcome refused(const char *why) noexcept
    {
        outcome refused(FPGA_ASSOC_INVALID_ARGUMENT, nullptr);
        refused.why_ = why;
        return refused;
    }

    explicit operator bool() const noexcept { return status_ == FPGA_ASSOC_OK; }
    std::int32_t status() const noexcept { return status_; }
    std::int32_t http_status() const noexcept { return fpga_assoc_error_http_status(get()); }
    const char *message() const noexcept { return get() ? fpga_assoc_error_message(get()) : why_; }
    const char *code() const noexcept { return fpga_assoc_error_code(get()); }
    const char *request_id() const noexcept { return fpga_assoc_error_request_id(get()); }
    std::uint64_t retry_after_ms() const noexcept { return fpga_assoc_error_retry_after_ms(get()); }
    std::uint32_t attempts() const noexcept { return fpga_assoc_error_attempts(get()); }
    bool outcome_unknown() const noexcept { return fpga_assoc_error_outcome_unknown(get()); }
    std::int32_t observed() const noexcept { return fpga_assoc_error_observed(get()); }

private:
    const fpga_assoc_error *get() const noexcept { return error_.get(); }

    std::int32_t status_;
    std::unique_ptr<fpga_assoc_error, detail::free_error> error_;
    const char *why_ = "";
};

/* A call that failed; what() is one line for people. */
class error : public std::exception {
public:
    explicit error(outcome outcome)
        : outcome_(std::make_shared<const fpga_assoc::outcome>(std::move(outcome)))
    {
    }

    /* For setters, which tell the thread alone why they refused. */
    error(std::int32_t status, const char *message)
        : outcome_(std::make_shared<const fpga_assoc::outcome>(status, nullptr)),
          message_(std::make_shared<const std::string>(message))
    {
    }

    const char *what() const noexcept override
    {
        return message_ ? message_->c_str() : outcome_->message();
    }
    std::int32_t status() const noexcept { return outcome_->status(); }
    std::int32_t http_status() const noexcept { return outcome_->http_status(); }
    const char *code() const noexcept { return outcome_->code(); }
    const char *request_id() const noexcept { return outcome_->request_id(); }
    std::uint64_t retry_after_ms() const noexcept { return outcome_->retry_after_ms(); }
    std::uint32_t attempts() const noexcept { return outcome_->attempts(); }
    bool outcome_unknown() const noexcept { return outcome_->outcome_unknown(); }
    std::int32_t observed() const noexcept { return outcome_->observed(); }

private:
    /* Shared, because an exception must be copied without throwing. */
    std::shared_ptr<const outcome> outcome_;
    std::shared_ptr<const std::string> message_;
};

/* Settings for a client. Setters throw fpga_assoc::error. */
class config {
public:
    config() : config_(fpga_assoc_config_new()) {}

    config &timeout_ms(std::uint32_t ms)
    {
        return set(fpga_assoc_config_set_timeout_ms(config_.get(), ms));
    }
    config &connect_timeout_ms(std::uint32_t ms)
    {
        return set(fpga_assoc_config_set_connect_timeout_ms(config_.get(), ms));
    }
    config &max_attempts(std::uint32_t attempts)
    {
        return set(fpga_assoc_config_set_max_attempts(config_.get(), attempts));
    }
    config &ca_file(text path)
    {
        return set(fpga_assoc_config_set_ca_file(config_.get(), whole(path)));
    }
    config &ca_pem(const std::string &pem)
    {
        return set(fpga_assoc_config_set_ca_pem(config_.get(), pem.data(), pem.size()));
    }
    config &client_certificate(const std::string &pem)
    {
        return set(fpga_assoc_config_set_client_certificate(config_.get(), pem.data(), pem.size()));
    }
    config &proxy(text url) { return set(fpga_assoc_config_set_proxy(config_.get(), whole(url))); }
    config &user_agent(text product)
    {
        return set(fpga_assoc_config_set_user_agent(config_.get(), whole(product)));
    }
    config &allow_http(bool allow)
    {
        return set(fpga_assoc_config_set_allow_http(config_.get(), allow));
    }
    config &confirm(bool confirm)
    {
        return set(fpga_assoc_config_set_confirm(config_.get(), confirm));
    }
    config &idempotent(bool idempotent)
    {
        return set(fpga_assoc_config_set_idempotent(config_.get(), idempotent));
    }

    const fpga_assoc_config *get() const noexcept { return config_.get(); }

private:
    static const char *whole(text text)
    {
        if (!text.is_whole())
            throw error(outcome::refused("a setting holds a zero byte"));
        return text.c_str();
    }
    config &set(std::int32_t status)
    {
        if (status != FPGA_ASSOC_OK)
            throw error(status, fpga_assoc_last_error());
        return *this;
    }

    std::unique_ptr<fpga_assoc_config, detail::free_config> config_;
};

/* Associations. The entries live as long as the list. */
class list {
public:
    class iterator {
    public:
        using iterator_category = std::input_iterator_tag;
        using value_type = fpga_assoc_entry;
        using difference_type = std::ptrdiff_t;
        using pointer = const fpga_assoc_entry *;
        using reference = const fpga_assoc_entry &;

        iterator(const fpga_assoc_list *list, std::size_t index) noexcept
            : list_(list), index_(index)
        {
        }
        reference operator*() const noexcept { return *fpga_assoc_list_get(list_, index_); }
        pointer operator->() const noexcept { return fpga_assoc_list_get(list_, index_); }
        iterator &operator++() noexcept
        {
            ++index_;
            return *this;
        }
        iterator operator++(int) noexcept
        {
            iterator before = *this;
            ++index_;
            return before;
        }
        bool operator==(const iterator &other) const noexcept { return index_ == other.index_; }
        bool operator!=(const iterator &other) const noexcept { return index_ != other.index_; }

    private:
        const fpga_assoc_list *list_;
        std::size_t index_;
    };

    list() noexcept = default;

    std::size_t size() const noexcept { return fpga_assoc_list_len(list_.get()); }
    bool empty() const noexcept { return size() == 0; }
    /* nullptr past the end. */
    const fpga_assoc_entry *get(std::size_t index) const noexcept
    {
        return fpga_assoc_list_get(list_.get(), index);
    }
    const char *json() const noexcept { return fpga_assoc_list_json(list_.get()); }
    iterator begin() const noexcept { return {list_.get(), 0}; }
    iterator end() const noexcept { return {list_.get(), size()}; }

private:
    friend class client;

    std::unique_ptr<fpga_assoc_list, detail::free_list> list_;
};

/* Calls one endpoint, from any number of threads at once. It must outlive its calls. */
class client {
public:
    explicit client(text endpoint) { check(open(*this, endpoint, nullptr)); }
    client(text endpoint, const config &config) { check(open(*this, endpoint, config.get())); }

    /* Opens `client` without exceptions; `config` may be NULL, which is all defaults. */
    static outcome open(client &client, text endpoint, const fpga_assoc_config *config) noexcept
    {
        if (!endpoint.is_whole())
            return outcome::refused(zero_byte);
        fpga_assoc_client *opened = nullptr;
        fpga_assoc_error *error = nullptr;
        std::int32_t status = fpga_assoc_client_new(endpoint.c_str(), config, &opened, &error);
        client.client_.reset(opened);
        return {status, error};
    }

    /* Of no endpoint, for open() to fill: each call is refused until then. */
    client() noexcept = default;

    void associate(text token, text project_id, text fpga_id, text ecs_id)
    {
        check(try_associate(token, project_id, fpga_id, ecs_id));
    }
    void disassociate(text token, text project_id, text fpga_id, text ecs_id)
    {
        check(try_disassociate(token, project_id, fpga_id, ecs_id));
    }
    /* One of the two images may be nullptr. */
    list associations(text token, text project_id, text fpga_id, text ecs_id)
    {
        list found;
        check(try_associations(token, project_id, fpga_id, ecs_id, found));
        return found;
    }

    outcome try_associate(text token, text project_id, text fpga_id, text ecs_id) noexcept
    {
        return change(fpga_assoc_client_associate, token, project_id, fpga_id, ecs_id);
    }
    outcome try_disassociate(text token, text project_id, text fpga_id, text ecs_id) noexcept
    {
        return change(fpga_assoc_client_disassociate, token, project_id, fpga_id, ecs_id);
    }
    outcome try_associations(text token, text project_id, text fpga_id, text ecs_id,
                             list &found) noexcept
    {
        if (!are_whole(token, project_id, fpga_id, ecs_id))
            return outcome::refused(zero_byte);
        fpga_assoc_list *received = nullptr;
        fpga_assoc_error *error = nullptr;
        std::int32_t status =
            fpga_assoc_client_associations(client_.get(), token.c_str(), project_id.c_str(),
                                           fpga_id.c_str(), ecs_id.c_str(), &received, &error);
        found.list_.reset(received);
        return {status, error};
    }

    /* From any thread: the calls under way, and all later ones, end as FPGA_ASSOC_CANCELLED. */
    void shutdown() noexcept { fpga_assoc_client_shutdown(client_.get()); }

    /* Closes the connections that no call uses now. */
    void close_idle() noexcept { fpga_assoc_client_close_idle(client_.get()); }

private:
    static constexpr const char *zero_byte = "an argument holds a zero byte";

    static bool are_whole(text a, text b, text c, text d) noexcept
    {
        return a.is_whole() && b.is_whole() && c.is_whole() && d.is_whole();
    }

    template <typename Call>
    outcome change(Call call, text token, text project_id, text fpga_id, text ecs_id) noexcept
    {
        if (!are_whole(token, project_id, fpga_id, ecs_id))
            return outcome::refused(zero_byte);
        fpga_assoc_error *error = nullptr;
        std::int32_t status = call(client_.get(), token.c_str(), project_id.c_str(),
                                   fpga_id.c_str(), ecs_id.c_str(), &error);
        return {status, error};
    }

    static void check(outcome outcome)
    {
        if (!outcome)
            throw error(std::move(outcome));
    }

    std::unique_ptr<fpga_assoc_client, detail::free_client> client_;
};

} // namespace fpga_assoc

#endif
