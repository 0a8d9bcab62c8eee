--- Associates an FPGA image with an ECS image and lists what the ECS image has.
--
--     luajit main.lua ENDPOINT PROJECT_ID FPGA_IMAGE_ID ECS_IMAGE_ID
--
-- The token comes from the environment variable FPGA_TOKEN, the library's path from
-- FPGA_ASSOCIATE_LIBRARY. The exit status is the fpga_assoc_status. LUA_PATH must lead to
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
  lines[#lines + 1] = "  help:       " .. err.help
  io.stderr:write(table.concat(lines, "\n"), "\n")
end

local function associate_and_list(endpoint, token, project_id, fpga_id, ecs_id)
  local client = fpga_associate.client(endpoint)
  client:associate(token, project_id, fpga_id, ecs_id)
  print(("FPGA image %s is associated with ECS image %s"):format(fpga_id, ecs_id))
  for _, pair in ipairs(client:associations(token, project_id, nil, ecs_id)) do
    local is_protected = pair.is_protected and "protected" or "not protected"
    local size = pair.size_mb .. " MB"
    print(
      table.concat({ pair.ecs_id, pair.fpga_id, pair.status, size, is_protected, pair.name }, "  ")
    )
  end
  client:close()
end

local function main(arguments)
  if #arguments ~= 4 then
    io.stderr:write("usage: main.lua ENDPOINT PROJECT_ID FPGA_IMAGE_ID ECS_IMAGE_ID\n")
    return fpga_associate.INVALID_ARGUMENT
  end
  local token = os.getenv("FPGA_TOKEN")
  if token == nil then
    io.stderr:write("error: the environment variable FPGA_TOKEN is not set\n")
    return fpga_associate.INVALID_ARGUMENT
  end
  local endpoint, project_id, fpga_id, ecs_id = unpack(arguments)
  local is_done, err =
    pcall(associate_and_list, endpoint, token, project_id, fpga_id, ecs_id)
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
