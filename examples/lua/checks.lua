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
  token = { 5, false, "", "zero\0byte", "\255" },
  access_key = {
    "key",
    {},
    { access_key = "key" },
    { access_key = "key", secret_key = "" },
    { access_key = "key", secret_key = "zero\0byte" },
    { access_key = "key", secret_key = "\255" },
    { access_key = "key", secret_key = "key", security_token = 5 },
  },
  environment_credentials = { 1, "true" },
  ecs_agency = { 1, "true" },
  credentials_callback = { false, "key", {} },
  no_such_setting = { 5 },
}) do
  for _, value in ipairs(values) do
    must_refuse(name, value, function()
      fpga_associate.client(endpoint, { [name] = value })
    end)
  end
end
must_refuse("credentials", "two kinds", function()
  fpga_associate.client(endpoint, { token = token, environment_credentials = true })
end)
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

--- Calls with the client's own credentials.
local function own_calls(count, settings)
  local own = fpga_associate.client(endpoint, settings)
  local is_done, err = pcall(function()
    for _ = 1, count do
      own:associations(nil, project_id, nil, ecs_id)
    end
  end)
  own:close()
  if not is_done then
    error(err, 0)
  end
end

local function own_failure(settings)
  return failure(function()
    own_calls(1, settings)
  end)
end

local access_key, secret_key = os.getenv("FPGA_ACCESS_KEY"), os.getenv("FPGA_SECRET_KEY")
own_calls(1, {
  access_key = { access_key = access_key, secret_key = secret_key },
  ecs_agency = false,
})
print("access key: ok")
local wrong = secret_key:sub(2)
local wrong_key = own_failure({ access_key = { access_key = access_key, secret_key = wrong } })
local told = wrong_key.message:find(wrong, 1, true) and ", which tells it" or ""
print("wrong secret key: " .. wrong_key.status_name .. told)
local asked = 0
own_calls(3, {
  credentials_callback = function(reason)
    assert(reason == fpga_associate.REASON_FIRST)
    asked = asked + 1
    return { token = token, expires_at = os.time() + 3600 }
  end,
})
print(("credentials callback: asked %d time"):format(asked))

local function useless(callback)
  local err = own_failure({ credentials_callback = callback })
  assert(err.status == fpga_associate.CREDENTIALS_FAILED, err)
  assert(not err.message:find(token, 1, true), err)
  return err.message
end
for _, granted in ipairs({
  false,
  token,
  {},
  { token = "" },
  { token = token .. "\0" },
  { token = token, expires_at = "5" },
  { token = token, expires_at = 0 / 0 },
  { token = token, expires_at = -1 },
  { access_key = access_key },
}) do
  useless(function()
    return granted
  end)
end
useless(function() end)
useless(function()
  error("\255")
end)
useless(function()
  error(setmetatable({}, { __tostring = error }))
end)
coroutine.wrap(function()
  useless(coroutine.yield)
end)()
-- Often enough that the calls would be compiled, and far more often than there is room for functions
-- that are not freed, also of clients that nobody closes.
for number = 1, 2000 do
  local is_asked = false
  local shut = fpga_associate.client("http://127.0.0.1:1", {
    max_attempts = 1,
    credentials_callback = function()
      is_asked = true
      error("the vault is shut", 0)
    end,
  })
  local err = failure(function()
    shut:associations(nil, project_id, nil, ecs_id)
  end)
  assert(is_asked and err.message:find("the vault is shut", 1, true), err)
  if number % 2 == 0 then
    shut:close()
  elseif number % 101 == 0 then
    collectgarbage()
  end
end
local shut = own_failure({
  credentials_callback = function()
    error("the vault is shut", 0)
  end,
})
assert(shut.message:find("the vault is shut", 1, true), shut)
print("refused callback: " .. shut.status_name)
print("no credentials: " .. own_failure().status_name)
