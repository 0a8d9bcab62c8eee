--- Takes the wrapper to its edges and prints what it meets; the test compares.
--
--     luajit checks.lua ENDPOINT PROJECT_ID FPGA_IMAGE_ID ECS_IMAGE_ID CA_FILE HOST_THAT_HANGS_UP
--         HOST_THAT_THROTTLES

local fpga_associate = require("fpga_associate")

local endpoint, project_id, fpga_id, ecs_id, ca_file, broken, busy = unpack(arg)
local token = os.getenv("FPGA_TOKEN")

local function failure(call)
  local is_done, err = pcall(call)
  assert(not is_done, "no error")
  assert(type(err) == "table", err)
  return err
end

local function outcome(err)
  return err.outcome_unknown and "unknown" or "known"
end

local OBSERVED = {
  [fpga_associate.OBSERVED_NOTHING] = "nothing",
  [fpga_associate.OBSERVED_ASSOCIATED] = "associated",
  [fpga_associate.OBSERVED_APART] = "apart",
}

local plain = fpga_associate.client(endpoint)
print("no settings, ECS image alone: " .. #plain:associations(token, project_id, nil, ecs_id))
plain:close()
local client = fpga_associate.client(
  endpoint,
  { ca_file = ca_file, timeout_ms = 20000, user_agent = "checks/1" }
)
local kept = client:associations(token, project_id, fpga_id, nil)
print("FPGA image alone: " .. #kept)
client:close_idle()
local file = assert(io.open(ca_file))
local of_pem = fpga_associate.client(endpoint, { ca_pem = file:read("*a") })
file:close()
print("authority from memory: " .. #of_pem:associations(token, project_id, nil, ecs_id))
of_pem:close()

local function refused(what, call)
  print(what .. ": " .. failure(call).status_name)
end
refused("no endpoint", function()
  fpga_associate.client(nil)
end)
refused("no token", function()
  client:associate(nil, project_id, fpga_id, ecs_id)
end)
refused("no ECS image", function()
  client:associate(token, project_id, fpga_id, nil)
end)
refused("no image at all", function()
  client:associations(token, project_id, nil, nil)
end)
refused("zero byte", function()
  client:associate(token, project_id, fpga_id .. "\0", ecs_id)
end)
refused("no such CA file", function()
  fpga_associate.client(endpoint, { ca_file = "/nonexistent/ca.pem" })
end)
refused("no client certificate", function()
  fpga_associate.client(endpoint, { client_certificate = "none" })
end)

local accepted = {}
local function must_refuse(name, value, call)
  -- The wrapper's own errors are tables, and strings that begin with what is wrong.
  local is_done, reason = pcall(call)
  if is_done or type(reason) == "string" and not reason:find(name, 1, true) then
    accepted[#accepted + 1] = ("%s = %s: %s"):format(name, tostring(value), tostring(reason))
  end
end
local function print_accepted(what)
  print(what .. ": " .. (#accepted == 0 and "refused" or table.concat(accepted, "; ")))
end
for name, values in pairs({
  timeout_ms = { -1, 0, 2 ^ 31, 2 ^ 32, 2 ^ 32 + 5, 2 ^ 64, 0 / 0, 5.5, 5ULL, true, "5" },
  max_attempts = { -1, 0, 2 ^ 32 + 1, 1.5, true },
  ca_file = { 5, false, {} },
  ca_pem = { 5, false },
  user_agent = { 5, false, "zero\0byte", "\255" },
  confirm = { 0, 1, "false" },
  no_such_setting = { 5 },
}) do
  for _, value in ipairs(values) do
    must_refuse(name, value, function()
      fpga_associate.client(endpoint, { [name] = value })
    end)
  end
end
print_accepted("wrong settings")
for _, value in ipairs({ 5, false, {}, "zero\0byte", "\255" }) do
  must_refuse("endpoint", value, function()
    fpga_associate.client(value)
  end)
  must_refuse("token", value, function()
    client:associate(value, project_id, fpga_id, ecs_id)
  end)
  must_refuse("ecs_id", value, function()
    client:associations(token, project_id, nil, value)
  end)
end
print_accepted("wrong texts")

local err = failure(function()
  client:associate(token, project_id, ("0"):rep(32), ecs_id)
end)
local has_id = err.request_id ~= "" and tostring(err):find(err.request_id, 1, true)
print(
  ("unknown image: %s %d %s %s request id, outcome %s"):format(
    err.status_name, err.http_status, err.code, has_id and "with" or "without", outcome(err)
  )
)

local other = fpga_associate.client(broken, { confirm = false })
local lost = failure(function()
  other:associate(token, project_id, fpga_id, ecs_id)
end)
print(
  ("lost connection: %s %d, outcome %s, observed %s"):format(
    lost.status_name, lost.http_status, outcome(lost), OBSERVED[lost.observed]
  )
)
other:close()
local throttled = fpga_associate.client(busy)
local wait = failure(function()
  throttled:associate(token, project_id, fpga_id, ecs_id)
end)
print(
  ("throttled: %s %d, to wait %s ms, attempts %s"):format(
    wait.status_name, wait.http_status, wait.retry_after_ms, wait.attempts
  )
)
throttled:close()

local function needless(what, call)
  local err = failure(call)
  print(("%s: %s, observed %s"):format(what, err.status_name, OBSERVED[err.observed]))
end
local idempotent = fpga_associate.client(endpoint, { idempotent = true })
needless("associated already", function()
  client:associate(token, project_id, fpga_id, ecs_id)
end)
idempotent:associate(token, project_id, fpga_id, ecs_id)
print("associated already, idempotent: allowed")
client:disassociate(token, project_id, fpga_id, ecs_id)
print("taken away, left: " .. #client:associations(token, project_id, nil, ecs_id))
needless("taken away already", function()
  client:disassociate(token, project_id, fpga_id, ecs_id)
end)
idempotent:disassociate(token, project_id, fpga_id, ecs_id)
print("taken away already, idempotent: allowed")
idempotent:close()
client:close()
client:close()
failure(function()
  client:associate(token, project_id, fpga_id, ecs_id)
end)
failure(function()
  client:close_idle()
end)
print("closed: refused")
print("kept after closing: " .. kept[1].status)
