# frozen_string_literal: true

# Takes the wrapper to its edges and prints what it meets; the test compares.
#
#     ruby checks.rb ENDPOINT PROJECT_ID FPGA_IMAGE_ID ECS_IMAGE_ID CA_FILE HOST_THAT_HANGS_UP

require_relative "fpga_associate"

Client = FpgaAssociate::Client

def failure
  yield
  raise "no error"
rescue FpgaAssociate::Error => e
  e
end

def outcome(error)
  error.outcome_unknown? ? "unknown" : "known"
end

endpoint, project_id, fpga_id, ecs_id, ca_file, broken = ARGV
token = ENV.fetch("FPGA_TOKEN")

Client.open(endpoint) do |plain|
  pairs = plain.associations(token, project_id, ecs_id: ecs_id)
  puts "no settings, ECS image alone: #{pairs.length}"
end
client = Client.new(endpoint, ca_file: ca_file, timeout_ms: 20_000, user_agent: "checks/1")
puts "FPGA image alone: #{client.associations(token, project_id, fpga_id: fpga_id).length}"
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

error = failure { client.associate(token, project_id, "0" * 32, ecs_id) }
with_id = !error.request_id.empty? && error.message.include?(error.request_id)
puts "unknown image: #{error.status_name} #{error.http_status} #{error.code} " \
     "#{with_id ? 'with' : 'without'} request id, outcome #{outcome(error)}"

Client.open(broken, confirm: false) do |other|
  lost = failure { other.associate(token, project_id, fpga_id, ecs_id) }
  puts "lost connection: #{lost.status_name} #{lost.http_status}, " \
       "outcome #{outcome(lost)}, observed #{lost.observed}"
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
puts "closed: refused"
puts "calls at once: #{right}"
