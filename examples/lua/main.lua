--- Associates an FPGA image with an ECS image and lists what the ECS image has.
--
--     luajit main.lua [--agency] ENDPOINT PROJECT_ID FPGA_IMAGE_ID ECS_IMAGE_ID
--
-- The environment variable FPGA_TOKEN holds a token. Without it --agency takes the keys of the
-- agency of the ECS server that this runs on; otherwise there is an access key where the vendor's
-- tools look for one: HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK. FPGA_ASSOCIATE_LIBRARY is the
-- library's path. The exit status is the fpga_assoc_status. LUA_PATH must lead to
-- fpga_associate.lua where this is not run from its folder.

local fpga_associate = require("fpga_associate")

local function report(err)
  local lines = {
    ("error: %s"):format(err),
    ("  status:     %s (%d)"):format(err.status_name, err.status),
  }
  if err.code ~= "" then
    lines[#lines + 1] = "  code:       " .. err.code
  end
  if err.request_id ~= "" then
    lines[#lines + 1] = "  request id: " .. err.request_id
  end
  if err.outcome_unknown then
    lines[#lines + 1] = "  outcome:    unknown, the service may have acted"
  end
  if err.status == fpga_associate.CREDENTIALS_FAILED then
    lines[#lines + 1] = "  needed:     FPGA_TOKEN, or HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK, "
      .. "or, on an ECS server with an agency, --agency"
  end
  lines[#lines + 1] = "  help:       " .. err.help
  io.stderr:write(table.concat(lines, "\n"), "\n")
end

--- A client's setting.
local function credentials(is_agency)
  local token = os.getenv("FPGA_TOKEN")
  if token ~= nil then
    return { token = token }
  end
  return is_agency and { ecs_agency = true } or { environment_credentials = true }
end

local function associate_and_list(settings, endpoint, project_id, fpga_id, ecs_id)
  local client = fpga_associate.client(endpoint, settings)
  client:associate(nil, project_id, fpga_id, ecs_id)
  print(("FPGA image %s is associated with ECS image %s"):format(fpga_id, ecs_id))
  for _, pair in ipairs(client:associations(nil, project_id, nil, ecs_id)) do
    local is_protected = pair.is_protected and "protected" or "not protected"
    local size = pair.size_mb .. " MB"
    print(
      table.concat({ pair.ecs_id, pair.fpga_id, pair.status, size, is_protected, pair.name }, "  ")
    )
  end
  client:close()
end

local function main(arguments)
  local is_agency = arguments[1] == "--agency"
  local first = is_agency and 2 or 1
  if #arguments ~= first + 3 then
    io.stderr:write("usage: main.lua [--agency] ENDPOINT PROJECT_ID FPGA_IMAGE_ID ECS_IMAGE_ID\n")
    return fpga_associate.INVALID_ARGUMENT
  end
  local is_done, err =
    pcall(associate_and_list, credentials(is_agency), unpack(arguments, first))
  if is_done then
    return 0
  end
  if type(err) ~= "table" then
    error(err, 0)
  end
  report(err)
  return err.status
end

os.exit(main(arg))
