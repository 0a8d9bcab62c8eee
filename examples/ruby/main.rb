# frozen_string_literal: true

# Associates an FPGA image with an ECS image and lists what the ECS image has.
#
#     ruby main.rb [--agency] ENDPOINT PROJECT_ID FPGA_IMAGE_ID ECS_IMAGE_ID
#
# The environment variable FPGA_TOKEN holds a token. Without it --agency takes the keys of the
# agency of the ECS server that this runs on; otherwise there is an access key where the vendor's
# tools look for one: HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK. FPGA_ASSOCIATE_LIBRARY is the
# library's path. The exit status is the fpga_assoc_status.

require_relative "fpga_associate"

def report(error)
  warn "error: #{error.message}"
  warn "  status:     #{error.status_name} (#{error.status})"
  warn "  code:       #{error.code}" unless error.code.empty?
  warn "  request id: #{error.request_id}" unless error.request_id.empty?
  warn "  outcome:    unknown, the service may have acted" if error.outcome_unknown?
  if error.status == FpgaAssociate::CREDENTIALS_FAILED
    warn "  needed:     FPGA_TOKEN, or HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK, " \
         "or, on an ECS server with an agency, --agency"
  end
  warn "  help:       #{error.help}"
end

# A client's setting.
def credentials(is_agency)
  token = ENV.fetch("FPGA_TOKEN", nil)
  return { token: token } unless token.nil?

  is_agency ? { ecs_agency: true } : { environment_credentials: true }
end

def associate_and_list(endpoint, settings, project_id, fpga_id, ecs_id)
  FpgaAssociate::Client.open(endpoint, **settings) do |client|
    client.associate(nil, project_id, fpga_id, ecs_id)
    puts "FPGA image #{fpga_id} is associated with ECS image #{ecs_id}"
    client.associations(nil, project_id, ecs_id: ecs_id).each do |pair|
      is_protected = pair.is_protected ? "protected" : "not protected"
      size = "#{pair.size_mb} MB"
      puts [pair.ecs_id, pair.fpga_id, pair.status, size, is_protected, pair.name].join("  ")
    end
  end
end

is_agency = ARGV.first == "--agency"
endpoint, *images = ARGV.drop(is_agency ? 1 : 0)
unless images.length == 3
  warn "usage: main.rb [--agency] ENDPOINT PROJECT_ID FPGA_IMAGE_ID ECS_IMAGE_ID"
  exit FpgaAssociate::INVALID_ARGUMENT
end

begin
  associate_and_list(endpoint, credentials(is_agency), *images)
rescue FpgaAssociate::Error => e
  report(e)
  exit e.status
end
