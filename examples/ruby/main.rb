# frozen_string_literal: true

# Associates an FPGA image with an ECS image and lists what the ECS image has.
#
#     ruby main.rb ENDPOINT PROJECT_ID FPGA_IMAGE_ID ECS_IMAGE_ID
#
# The token comes from the environment variable FPGA_TOKEN, the library's path from
# FPGA_ASSOCIATE_LIBRARY. The exit status is the fpga_assoc_status.

require_relative "fpga_associate"

def report(error)
  warn "error: #{error.message}"
  warn "  status:     #{error.status_name} (#{error.status})"
  warn "  code:       #{error.code}" unless error.code.empty?
  warn "  request id: #{error.request_id}" unless error.request_id.empty?
  warn "  outcome:    unknown, the service may have acted" if error.outcome_unknown?
  warn "  help:       #{error.help}"
end

def associate_and_list(endpoint, token, project_id, fpga_id, ecs_id)
  FpgaAssociate::Client.open(endpoint) do |client|
    client.associate(token, project_id, fpga_id, ecs_id)
    puts "FPGA image #{fpga_id} is associated with ECS image #{ecs_id}"
    client.associations(token, project_id, ecs_id: ecs_id).each do |pair|
      is_protected = pair.is_protected ? "protected" : "not protected"
      size = "#{pair.size_mb} MB"
      puts [pair.ecs_id, pair.fpga_id, pair.status, size, is_protected, pair.name].join("  ")
    end
  end
end

unless ARGV.length == 4
  warn "usage: main.rb ENDPOINT PROJECT_ID FPGA_IMAGE_ID ECS_IMAGE_ID"
  exit FpgaAssociate::INVALID_ARGUMENT
end
token = ENV.fetch("FPGA_TOKEN") do
  warn "error: the environment variable FPGA_TOKEN is not set"
  exit FpgaAssociate::INVALID_ARGUMENT
end

begin
  endpoint, *images = ARGV
  associate_and_list(endpoint, token, *images)
rescue FpgaAssociate::Error => e
  report(e)
  exit e.status
end
