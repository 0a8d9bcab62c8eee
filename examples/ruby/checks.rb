# frozen_string_literal: true

# Takes the wrapper to its edges and prints what it meets; the test compares.
#
#     ruby checks.rb ENDPOINT PROJECT_ID FPGA_IMAGE_ID ECS_IMAGE_ID CA_FILE HOST_THAT_HANGS_UP
#         HOST_THAT_THROTTLES

require "socket"
require "timeout"
require_relative "fpga_associate"

Client = FpgaAssociate::Client
Token = FpgaAssociate::Token
AccessKey = FpgaAssociate::AccessKey

def failure
  yield
  raise "no error"
rescue FpgaAssociate::Error => e
  e
end

def refused?
  yield
  false
rescue FpgaAssociate::Error, TypeError, ArgumentError, RangeError
  true
end

# How a call that waits for an answer that never comes ends when the block raises that.
def interrupted_by(raised)
  host = TCPServer.new("127.0.0.1", 0)
  client = Client.new("http://127.0.0.1:#{host.addr[1]}", timeout_ms: 120_000)
  Thread.new do
    connection = host.accept
    connection.readpartial(1)
    yield
    connection.read # Until the client is shut down.
  end
  began = Process.clock_gettime(Process::CLOCK_MONOTONIC)
  client.associations("token", "project", ecs_id: "image")
rescue raised
  return "too late" if Process.clock_gettime(Process::CLOCK_MONOTONIC) - began > 60

  later = failure { client.associations("token", "project", ecs_id: "image") }
  client.close
  "in time, then #{later.status_name}"
end

# Calls with the client's own credentials, at once.
def own_calls(endpoint, project_id, ecs_id, count, **settings)
  Client.open(endpoint, **settings) do |client|
    threads = Array.new(count) do
      Thread.new do
        Thread.current.report_on_exception = false
        client.associations(nil, project_id, ecs_id: ecs_id)
      end
    end
    threads.each(&:value)
    client
  end
end

def outcome(error)
  error.outcome_unknown? ? "unknown" : "known"
end

endpoint, project_id, fpga_id, ecs_id, ca_file, broken, busy = ARGV
token = ENV.fetch("FPGA_TOKEN")

Client.open(endpoint) do |plain|
  pairs = plain.associations(token, project_id, ecs_id: ecs_id)
  puts "no settings, ECS image alone: #{pairs.length}"
end
client = Client.new(endpoint, ca_file: ca_file, timeout_ms: 20_000, user_agent: "checks/1")
kept = client.associations(token, project_id, fpga_id: fpga_id)
puts "FPGA image alone: #{kept.length}"
client.close_idle
Client.open(endpoint, ca_pem: File.read(ca_file)) do |of_pem|
  pairs = of_pem.associations(token, project_id, ecs_id: ecs_id)
  puts "authority from memory: #{pairs.length}"
end

{
  "no endpoint" => -> { Client.new(nil) },
  "no token" => -> { client.associate(nil, project_id, fpga_id, ecs_id) },
  "no ECS image" => -> { client.associate(token, project_id, fpga_id, nil) },
  "no image at all" => -> { client.associations(token, project_id) },
  "zero byte" => -> { client.associate(token, project_id, "#{fpga_id}\0", ecs_id) },
  "no such CA file" => -> { Client.new(endpoint, ca_file: "/nonexistent/ca.pem") },
  "no client certificate" => -> { Client.new(endpoint, client_certificate: "none") }
}.each { |what, call| puts "#{what}: #{failure(&call).status_name}" }

not_a_text = [5, :text, ["text"], "zero\0byte", "\xff"]
wrong_settings = {
  timeout_ms: [-1, 0, 2**31, 2**32, 2**32 + 5, 2**64, 5.0, Float::NAN, true, "5", nil],
  max_attempts: [-1, 0, 2**32 + 1, 1.5, true, nil],
  ca_file: [nil, 5, :text],
  ca_pem: [nil, 5],
  user_agent: [nil, *not_a_text],
  confirm: [nil, 0, 1, "false"],
  token: [nil, "", *not_a_text],
  access_key: [nil, "key", *["", *not_a_text].map { |text| AccessKey.new("key", text) }],
  environment_credentials: [nil, 1],
  ecs_agency: [nil, 1],
  credentials_callback: [nil, token],
  no_such_setting: [5],
  log: [5]
}
accepted = wrong_settings.flat_map do |name, values|
  values.reject { |value| refused? { Client.new(endpoint, **{ name => value }) } }
        .map { |value| [name, value] }
end
unless refused? { Client.new(endpoint, token: token, environment_credentials: true) }
  accepted << "two kinds of credentials"
end
puts "wrong settings: #{accepted.empty? ? 'refused' : accepted}"
accepted = not_a_text.reject do |value|
  refused? { Client.new(value) } &&
    refused? { client.associate(value, project_id, fpga_id, ecs_id) } &&
    refused? { client.associations(token, project_id, ecs_id: value) }
end
puts "wrong texts: #{accepted.empty? ? 'refused' : accepted}"

error = failure { client.associate(token, project_id, "0" * 32, ecs_id) }
with_id = !error.request_id.empty? && error.message.include?(error.request_id)
puts "unknown image: #{error.status_name} #{error.http_status} #{error.code} " \
     "#{with_id ? 'with' : 'without'} request id, outcome #{outcome(error)}"

Client.open(broken, confirm: false) do |other|
  lost = failure { other.associate(token, project_id, fpga_id, ecs_id) }
  puts "lost connection: #{lost.status_name} #{lost.http_status}, " \
       "outcome #{outcome(lost)}, observed #{lost.observed}"
end

Client.open(busy) do |other|
  wait = failure { other.associate(token, project_id, fpga_id, ecs_id) }
  puts "throttled: #{wait.status_name} #{wait.http_status}, " \
       "to wait #{wait.retry_after_ms} ms, attempts #{wait.attempts}"
end

# Whether the call met what belongs to it, and not to another thread's call.
one_call = lambda do |number|
  next client.associations(token, project_id, ecs_id: ecs_id).length == 1 if number.even?

  unknown = format("%032x", number)
  refusal = failure { client.associate(token, project_id, unknown, ecs_id) }
  refusal.code == "Ecs.0031" && refusal.message.include?(unknown)
end
threads = Array.new(8) do |thread|
  Thread.new { (thread * 25...(thread + 1) * 25).count(&one_call) }
end
right = threads.sum(&:value)

Client.open(endpoint, idempotent: true) do |idempotent|
  again = failure { client.associate(token, project_id, fpga_id, ecs_id) }
  puts "associated already: #{again.status_name}, observed #{again.observed}"
  idempotent.associate(token, project_id, fpga_id, ecs_id)
  puts "associated already, idempotent: allowed"
  client.disassociate(token, project_id, fpga_id, ecs_id)
  puts "taken away, left: #{client.associations(token, project_id, ecs_id: ecs_id).length}"
  gone = failure { client.disassociate(token, project_id, fpga_id, ecs_id) }
  puts "taken away already: #{gone.status_name}, observed #{gone.observed}"
  idempotent.disassociate(token, project_id, fpga_id, ecs_id)
  puts "taken away already, idempotent: allowed"
end
client.close
client.close
failure { client.associate(token, project_id, fpga_id, ecs_id) }
failure { client.close_idle }
puts "closed: refused"
puts "kept after closing: #{kept.first.status}"

call = ->(count, **settings) { own_calls(endpoint, project_id, ecs_id, count, **settings) }
useless = lambda do |&callback|
  error = failure { call.call(1, credentials_callback: callback) }
  raise error unless error.status == FpgaAssociate::CREDENTIALS_FAILED
  raise "#{error.message} tells the token" if error.message.include?(token)

  error
end
key = AccessKey.new(ENV.fetch("FPGA_ACCESS_KEY"), ENV.fetch("FPGA_SECRET_KEY"))
raise "told" if key.inspect.include?(key.secret_key) || Token.new(token).inspect.include?(token)

call.call(1, access_key: key, ecs_agency: false)
puts "access key: ok"
wrong = AccessKey.new(key.access_key, key.secret_key[1..])
error = failure { call.call(1, access_key: wrong) }
told = ", which tells it" if error.full_message.include?(wrong.secret_key)
puts "wrong secret key: #{error.status_name}#{told}"
reasons = []
granted = lambda do |reason|
  reasons << reason
  Token.new(token, expires_at: Time.now + 3600)
end
asked = call.call(3, credentials_callback: granted)
raise "told" if asked.inspect.include?(token)
raise reasons.inspect unless reasons.uniq == [:first]

puts "credentials callback: asked #{reasons.length} time"
[nil, token, Token.new(""), Token.new("\xff"), Token.new(token, expires_at: 5)].each do |given|
  useless.call { given }
end
useless.call { raise String.new("can't be converted", encoding: "UTF-7") }
useless.call { throw :thrown }
useless.call { Thread.exit }
useless.call { Timeout.timeout(0.01) { sleep } }
own = nil
calls_itself = -> { own.associations(nil, project_id, ecs_id: ecs_id) }
own = Client.new(endpoint, credentials_callback: ->(_reason) { calls_itself.call })
error = failure(&calls_itself)
raise error unless error.message.include?("its own client")

own.close
shut = useless.call { raise "the vault is shut" }
raise shut unless shut.message.include?("the vault is shut")

puts "refused callback: #{shut.status_name}"
puts "no credentials: #{failure { call.call(1) }.status_name}"
puts "calls at once: #{right}"
trap("INT", "DEFAULT") # It is ignored where it was ignored before.
puts "interrupted: #{interrupted_by(Interrupt) { Process.kill('INT', Process.pid) }}"
puts "timed out: #{interrupted_by(Timeout::Error) { Thread.main.raise(Timeout::Error) }}"
