# frozen_string_literal: true

# Associates FPGA images with ECS images of Huawei Cloud: libfpga_associate through Fiddle.
#
# The environment variable FPGA_ASSOCIATE_LIBRARY names the library, such as
# /usr/lib/libfpga_associate.so.0; without it the system's loader looks for it. Ruby 3.0 or newer.
#
#     FpgaAssociate::Client.open("ecs.cn-north-1.myhuaweicloud.com", timeout_ms: 10_000) do |client|
#       client.associate(token, project_id, fpga_id, ecs_id)
#       client.associations(token, project_id, ecs_id: ecs_id).each { |pair| puts pair.fpga_id }
#     end
#
# A token of nil is the client's own credentials. A client has one kind of them, among its settings:
# token, access_key: AccessKey.new(...), environment_credentials: true, ecs_agency: true, or a
# credentials_callback, which returns a Token or an AccessKey and raises to refuse:
#
#     credentials = ->(_reason) { FpgaAssociate::Token.new(vault.token, expires_at: vault.expiry) }
#     FpgaAssociate::Client.open(endpoint, credentials_callback: credentials) do |client|
#       client.associate(nil, project_id, fpga_id, ecs_id)
#     end
#
# Fiddle releases the GVL for each call, so that threads wait for the service side by side.
#
# Ctrl-C, Timeout.timeout, and whatever else is raised in a thread ends the call that waits there. It
# shuts the client down: its calls in other threads, and all later ones, end as CANCELLED. What
# became of the request is not known then.

require "fiddle/import"
require "monitor"

module FpgaAssociate
  INVALID_ARGUMENT = 1
  CREDENTIALS_FAILED = 10

  # The functions of fpga_associate.h, with their names. A C bool is a byte.
  module C
    extend Fiddle::Importer

    dlload ENV.fetch("FPGA_ASSOCIATE_LIBRARY", "libfpga_associate.so.0")
    typealias "bool", "unsigned char"
    typealias "int32_t", "int"
    typealias "uint32_t", "unsigned int"
    typealias "uint64_t", "unsigned long long"
    typealias "int64_t", "long long"

    extern "void *fpga_assoc_config_new()"
    extern "void fpga_assoc_config_free(void *config)"
    extern "int32_t fpga_assoc_config_set_timeout_ms(void *config, uint32_t ms)"
    extern "int32_t fpga_assoc_config_set_connect_timeout_ms(void *config, uint32_t ms)"
    extern "int32_t fpga_assoc_config_set_max_attempts(void *config, uint32_t attempts)"
    extern "int32_t fpga_assoc_config_set_ca_file(void *config, char *path)"
    extern "int32_t fpga_assoc_config_set_ca_pem(void *config, char *pem, size_t length)"
    extern "int32_t fpga_assoc_config_set_client_certificate(void *config, char *pem, size_t length)"
    extern "int32_t fpga_assoc_config_set_proxy(void *config, char *url)"
    extern "int32_t fpga_assoc_config_set_user_agent(void *config, char *product)"
    extern "int32_t fpga_assoc_config_set_allow_http(void *config, bool allow)"
    extern "int32_t fpga_assoc_config_set_confirm(void *config, bool confirm)"
    extern "int32_t fpga_assoc_config_set_idempotent(void *config, bool idempotent)"
    extern "int32_t fpga_assoc_config_set_token(void *config, char *token)"
    extern "int32_t fpga_assoc_config_set_access_key(void *config, char *access_key, " \
           "char *secret_key, char *security_token)"
    extern "int32_t fpga_assoc_config_set_environment_credentials(void *config)"
    extern "int32_t fpga_assoc_config_set_ecs_agency(void *config)"
    extern "int32_t fpga_assoc_config_set_credentials_callback(void *config, void *credentials, " \
           "void *context)"

    extern "int32_t fpga_assoc_grant_token(void *grant, char *token, int64_t expires_at)"
    extern "int32_t fpga_assoc_grant_access_key(void *grant, char *access_key, char *secret_key, " \
           "char *security_token, int64_t expires_at)"
    extern "int32_t fpga_assoc_grant_refuse(void *grant, char *message)"

    extern "int32_t fpga_assoc_client_new(char *endpoint, void *config, void **client, void **error)"
    extern "int32_t fpga_assoc_client_associate(void *client, char *token, char *project_id, " \
           "char *fpga_id, char *ecs_id, void **error)"
    extern "int32_t fpga_assoc_client_disassociate(void *client, char *token, char *project_id, " \
           "char *fpga_id, char *ecs_id, void **error)"
    extern "int32_t fpga_assoc_client_associations(void *client, char *token, char *project_id, " \
           "char *fpga_id, char *ecs_id, void **list, void **error)"
    extern "void fpga_assoc_client_shutdown(void *client)"
    extern "void fpga_assoc_client_close_idle(void *client)"
    extern "void fpga_assoc_client_free(void *client)"

    extern "size_t fpga_assoc_list_len(void *list)"
    extern "void *fpga_assoc_list_get(void *list, size_t index)"
    extern "void fpga_assoc_list_free(void *list)"

    extern "int32_t fpga_assoc_error_status(void *error)"
    extern "int32_t fpga_assoc_error_http_status(void *error)"
    extern "char *fpga_assoc_error_message(void *error)"
    extern "char *fpga_assoc_error_code(void *error)"
    extern "char *fpga_assoc_error_request_id(void *error)"
    extern "uint64_t fpga_assoc_error_retry_after_ms(void *error)"
    extern "uint32_t fpga_assoc_error_attempts(void *error)"
    extern "bool fpga_assoc_error_outcome_unknown(void *error)"
    extern "int32_t fpga_assoc_error_observed(void *error)"
    extern "void fpga_assoc_error_free(void *error)"

    extern "char *fpga_assoc_last_error()"
    extern "char *fpga_assoc_status_name(int32_t status)"
    extern "char *fpga_assoc_status_help(int32_t status)"
    extern "char *fpga_assoc_version()"

    Entry = struct [
      "char *ecs_id", "char *fpga_id", "char *name", "char *description", "char *status",
      "char *created_at", "char *message", "char *metadata", "char *log_directory",
      "uint64_t size_mb", "bool is_protected"
    ]

    # A copy of text that the library owns.
    def self.text(pointer)
      pointer.to_s.force_encoding(Encoding::UTF_8)
    end

    # A text argument.
    def self.argument(name, value)
      text = bytes(name, value).encode(Encoding::UTF_8)
      # C would take it for a shorter one.
      raise Error.new(INVALID_ARGUMENT, "#{name}: holds a zero byte") if text.include?("\0")

      text
    end

    # nil is NULL, for the library to judge.
    def self.optional(name, value)
      argument(name, value) unless value.nil?
    end

    def self.bytes(name, value)
      String.try_convert(value) or raise TypeError, "#{name}: not a String"
    end

    # The arguments that an AccessKey is.
    def self.key(key)
      [
        argument(:access_key, key.access_key),
        argument(:secret_key, key.secret_key),
        optional(:security_token, key.security_token)
      ]
    end

    # Since 1970; 0 is not known.
    def self.seconds(expires_at)
      return 0 if expires_at.nil?
      raise TypeError, "expires_at: not a Time" unless expires_at.is_a?(Time)

      expires_at.to_i
    end

    # Memory for a pointer that a call writes.
    def self.output
      Fiddle::Pointer.malloc(Fiddle::SIZEOF_VOIDP, Fiddle::RUBY_FREE).tap do |output|
        output[0, Fiddle::SIZEOF_VOIDP] = "\0" * Fiddle::SIZEOF_VOIDP
      end
    end
  end

  # Why a call failed. The message is one line for people.
  class Error < StandardError
    OBSERVED = %i[nothing associated apart].freeze
    private_constant :OBSERVED

    attr_reader :status, :http_status, :code, :request_id, :retry_after_ms, :attempts

    # What the list showed last: :nothing, :associated or :apart.
    attr_reader :observed

    def initialize(status, message)
      super(message)
      @status = status
      @http_status = @retry_after_ms = @attempts = 0
      @code = @request_id = ""
      @outcome_unknown = false
      @observed = :nothing
    end

    # Raises what an error pointer received, if anything.
    def self.raise_from(output)
      pointer = output.ptr
      return if pointer.null?

      begin
        error = new(C.fpga_assoc_error_status(pointer), C.text(C.fpga_assoc_error_message(pointer)))
        error.send(:copy, pointer)
        raise error
      ensure
        C.fpga_assoc_error_free(pointer)
      end
    end

    # Such as "FPGA_ASSOC_TIMEOUT".
    def status_name
      C.text(C.fpga_assoc_status_name(status))
    end

    # The likely cause and what to do about it.
    def help
      C.text(C.fpga_assoc_status_help(status))
    end

    # Whether the service may have acted on the request.
    def outcome_unknown?
      @outcome_unknown
    end

    private

    def copy(pointer)
      @http_status = C.fpga_assoc_error_http_status(pointer)
      @code = C.text(C.fpga_assoc_error_code(pointer))
      @request_id = C.text(C.fpga_assoc_error_request_id(pointer))
      @retry_after_ms = C.fpga_assoc_error_retry_after_ms(pointer)
      @attempts = C.fpga_assoc_error_attempts(pointer)
      @outcome_unknown = C.fpga_assoc_error_outcome_unknown(pointer) != 0
      @observed = OBSERVED[C.fpga_assoc_error_observed(pointer)]
    end
  end

  # An FPGA image that is associated with an ECS image; "" is what the service did not give.
  Association = Struct.new(
    :ecs_id, :fpga_id, :name, :description, :status, :created_at, :message, :metadata,
    :log_directory, :size_mb, :is_protected
  )

  # An IAM token that a credentials callback grants. It expires at a Time; nil is not known, and
  # then it serves until the service refuses it.
  class Token
    attr_reader :token, :expires_at

    def initialize(token, expires_at: nil)
      @token = token
      @expires_at = expires_at
    end

    # Without the token.
    def inspect
      "#<#{self.class} expires_at=#{expires_at.inspect}>"
    end
  end

  # An access key, as a setting or granted by a callback; a temporary one has a security token. When
  # it expires is as in Token, and for a callback alone.
  class AccessKey
    attr_reader :access_key, :secret_key, :security_token, :expires_at

    def initialize(access_key, secret_key, security_token: nil, expires_at: nil)
      @access_key = access_key
      @secret_key = secret_key
      @security_token = security_token
      @expires_at = expires_at
    end

    # Without what is secret.
    def inspect
      "#<#{self.class} access_key=#{access_key.inspect} expires_at=#{expires_at.inspect}>"
    end
  end

  # An fpga_assoc_credentials_fn of something that has the method call. The thread that C calls it
  # in can't be killed meanwhile: nothing may leave it but by returning.
  class Callback < Fiddle::Closure
    REASONS = { 1 => :first, 2 => :expiring, 3 => :refused }.freeze
    private_constant :REASONS

    def initialize(callback)
      super(Fiddle::TYPE_VOID, [Fiddle::TYPE_VOIDP, Fiddle::TYPE_INT, Fiddle::TYPE_VOIDP])
      @callback = callback
    end

    # What C calls.
    def call(_context, reason, grant)
      give(grant, asked(REASONS[reason]))
    rescue Exception => e # Nothing may be raised through C.
      refuse(grant, e)
    end

    # Without what the callback holds.
    def inspect
      "#<#{self.class}>"
    end

    # Whether the callback runs in this thread.
    def here?
      Thread.current.equal?(@thread)
    end

    private

    # In a thread of its own, which may be killed, time out, or exit.
    def asked(reason)
      @thread = Thread.new do
        Thread.current.report_on_exception = false
        Thread.handle_interrupt(Object => :immediate) { @callback.call(reason) }
      end
      @thread.value
    ensure
      @thread = nil
    end

    # The library keeps the reason of what it can't use, and refuses where nothing is granted.
    def give(grant, granted)
      case granted
      when Token
        token = C.argument(:token, granted.token)
        C.fpga_assoc_grant_token(grant, token, C.seconds(granted.expires_at))
      when AccessKey
        key = C.key(granted)
        C.fpga_assoc_grant_access_key(grant, *key, C.seconds(granted.expires_at))
      when nil
      else raise TypeError, "neither a Token nor an AccessKey: #{granted.class}"
      end
    end

    def refuse(grant, error)
      message = error.message.encode(Encoding::UTF_8, invalid: :replace, undef: :replace)
      C.fpga_assoc_grant_refuse(grant, message)
    rescue Exception # The message is in no text that can be had.
      C.fpga_assoc_grant_refuse(grant, nil)
    end
  end
  private_constant :Callback

  # The version of the library that is loaded.
  def self.version
    C.text(C.fpga_assoc_version)
  end

  # Calls one endpoint, from any number of threads at once.
  class Client
    KINDS = {
      timeout_ms: :number, connect_timeout_ms: :number, max_attempts: :number,
      ca_file: :path, ca_pem: :bytes, client_certificate: :bytes, proxy: :text, user_agent: :text,
      allow_http: :truth, confirm: :truth, idempotent: :truth, token: :text, access_key: :key,
      environment_credentials: :choice, ecs_agency: :choice, credentials_callback: :callback
    }.freeze
    CREDENTIALS = %i[
      token access_key environment_credentials ecs_agency credentials_callback
    ].freeze
    private_constant :KINDS, :CREDENTIALS

    # A client that is closed after the block.
    def self.open(endpoint, **settings)
      client = new(endpoint, **settings)
      begin
        yield client
      ensure
        client.close
      end
    end

    # The settings are those of the header: the keys of KINDS. One of a wrong type raises a
    # TypeError, one of a wrong value an Error, or a RangeError where C's type can't hold it; two
    # kinds of credentials raise an ArgumentError.
    #
    # A credentials_callback is called with :first, :expiring or :refused, in a thread of its own.
    # It may neither close this client nor use its credentials.
    def initialize(endpoint, **settings)
      @calls = 0
      @lock = Monitor.new
      @returned = @lock.new_cond
      endpoint = C.optional(:endpoint, endpoint)
      config = configured(settings)
      client = C.output
      error = C.output
      C.fpga_assoc_client_new(endpoint, config, client, error)
      C.fpga_assoc_config_free(config)
      Error.raise_from(error)
      @client = client.ptr
      # For a client that nobody closes.
      @client.free = C["fpga_assoc_client_free"]
    end

    def associate(token, project_id, fpga_id, ecs_id)
      change(:fpga_assoc_client_associate, arguments(token, project_id, fpga_id, ecs_id))
    end

    def disassociate(token, project_id, fpga_id, ecs_id)
      change(:fpga_assoc_client_disassociate, arguments(token, project_id, fpga_id, ecs_id))
    end

    # Those of an FPGA image, of an ECS image, or of both; one of the two must be given.
    def associations(token, project_id, fpga_id: nil, ecs_id: nil)
      images = arguments(token, project_id, fpga_id, ecs_id)
      interruptible do
        list = C.output
        error = C.output
        borrow { |client| C.fpga_assoc_client_associations(client, *images, list, error) }
        Error.raise_from(error)
        Array.new(C.fpga_assoc_list_len(list.ptr)) do |index|
          association(C::Entry.new(C.fpga_assoc_list_get(list.ptr, index)))
        end
      ensure
        C.fpga_assoc_list_free(list.ptr)
      end
    end

    # Closes the connections that no call uses now.
    def close_idle
      borrow { |client| C.fpga_assoc_client_close_idle(client) }
    end

    # Ends the calls of other threads as CANCELLED, waits for them, and frees the client.
    def close
      @lock.synchronize do
        shut_down
        client = @client
        @client = nil
        @returned.wait_while { @calls.positive? }
        client&.call_free
      end
    end

    private

    def change(function, images)
      interruptible do
        error = C.output
        borrow { |client| C.public_send(function, client, *images, error) }
        Error.raise_from(error)
      end
    end

    # Nothing is raised in a thread that is inside of C: it waits for another, which nobody can kill
    # while C, and what C calls, is at work.
    def interruptible(&call)
      done = false
      Thread.new do
        Thread.current.report_on_exception = false
        Thread.handle_interrupt(Object => :never, &call)
      ensure
        done = true
      end.value
    ensure
      shut_down unless done
    end

    def shut_down
      @lock.synchronize { C.fpga_assoc_client_shutdown(@client) }
    end

    # The client, which is not freed meanwhile.
    def borrow
      client = @lock.synchronize do
        raise Error.new(INVALID_ARGUMENT, "the client is closed") if @client.nil?

        @calls += 1
        @client
      end
      begin
        yield client
      ensure
        @lock.synchronize do
          @calls -= 1
          @returned.broadcast
        end
      end
    end

    def arguments(token, project_id, fpga_id, ecs_id)
      # The library takes the thread that its call is in for another, and would wait.
      if token.nil? && @callback&.here?
        raise Error.new(INVALID_ARGUMENT, "the credentials callback calls its own client")
      end

      { token: token, project_id: project_id, fpga_id: fpga_id, ecs_id: ecs_id }
        .map { |name, value| C.optional(name, value) }
    end

    # nil, which is all defaults, or settings to be freed.
    def configured(settings)
      return if settings.empty?

      kinds = CREDENTIALS.select { |name| settings.fetch(name, false) != false }
      raise ArgumentError, "two kinds of credentials: #{kinds.join(', ')}" if kinds.length > 1

      config = C.fpga_assoc_config_new
      settings.each { |name, value| set(config, name, value) }
      config
    rescue StandardError
      C.fpga_assoc_config_free(config)
      raise
    end

    def set(config, name, value)
      values = converted(name, value)
      return if values.nil?

      status = C.public_send("fpga_assoc_config_set_#{name}", config, *values)
      # Setters have no error pointer; nothing else runs on this thread in between.
      raise Error.new(status, C.text(C.fpga_assoc_last_error)) unless status.zero?
    end

    # A setting in C's form: the arguments, or nil where the function is not called.
    def converted(name, value)
      case KINDS[name]
      when :number
        raise TypeError, "#{name}: not an Integer" unless value.is_a?(Integer)

        [value]
      when :truth then [truth(name, value) ? 1 : 0]
      when :choice then truth(name, value) ? [] : nil
      when :path then [C.argument(name, value.respond_to?(:to_path) ? value.to_path : value)]
      when :text then [C.argument(name, value)]
      when :bytes
        bytes = C.bytes(name, value)
        [bytes, bytes.bytesize]
      when :key
        raise TypeError, "#{name}: not an AccessKey" unless value.is_a?(AccessKey)

        C.key(value)
      when :callback
        raise TypeError, "#{name}: not callable" unless value.respond_to?(:call)

        # Kept: C calls it as long as the client lives.
        [@callback = Callback.new(value), nil]
      else raise ArgumentError, "no such setting: #{name}"
      end
    end

    def truth(name, value)
      raise TypeError, "#{name}: not true or false" unless [true, false].include?(value)

      value
    end

    def association(entry)
      values = Association.members.map do |name|
        value = entry.public_send(name)
        value.is_a?(Fiddle::Pointer) ? C.text(value) : value
      end
      values[-1] = values.last != 0
      Association.new(*values)
    end
  end
end
