--- Associates FPGA images with ECS images of Huawei Cloud: libfpga_associate through LuaJIT's ffi.
--
-- The environment variable FPGA_ASSOCIATE_LIBRARY names the library, such as
-- /usr/lib/libfpga_associate.so.0; without it the system's loader looks for it.
--
--     local fpga_associate = require("fpga_associate")
--     local client = fpga_associate.client("ecs.cn-north-1.myhuaweicloud.com", { timeout_ms = 10000 })
--     client:associate(token, project_id, fpga_id, ecs_id)
--     for _, pair in ipairs(client:associations(token, project_id, nil, ecs_id)) do
--       print(pair.fpga_id)
--     end
--     client:close()
--
-- A call that fails raises a table with the fields status, status_name, help, http_status, message,
-- code, request_id, retry_after_ms, attempts, outcome_unknown and observed; tostring() of it is the
-- message. A value of a wrong type raises a string. pcall catches both.
--
-- A token of nil is the client's own credentials. A client has one kind of them, among its
-- settings: token, access_key = { access_key = ..., secret_key = ..., security_token = ... },
-- environment_credentials = true, ecs_agency = true, or a credentials_callback:
--
--     credentials_callback = function(reason)
--       return { token = vault.token(), expires_at = os.time() + 3600 }
--     end
--
-- The function is given a REASON_ and returns a token or an access key, with the time in seconds
-- since 1970 when it expires where that is known. What it raises is a refusal, and so is nil. It
-- must not yield, close its own client or use its credentials. A client that its function refers to
-- is freed by close alone.
--
-- A call blocks the whole Lua state until it ends, at the latest when timeout_ms have passed. The
-- program luajit hears Ctrl-C after the call; the second one ends the process.

local ffi = require("ffi")

ffi.cdef([[
typedef struct fpga_assoc_client fpga_assoc_client;
typedef struct fpga_assoc_config fpga_assoc_config;
typedef struct fpga_assoc_error fpga_assoc_error;
typedef struct fpga_assoc_grant fpga_assoc_grant;
typedef struct fpga_assoc_list fpga_assoc_list;
typedef struct fpga_assoc_entry {
  const char *ecs_id;
  const char *fpga_id;
  const char *name;
  const char *description;
  const char *status;
  const char *created_at;
  const char *message;
  const char *metadata;
  const char *log_directory;
  uint64_t size_mb;
  bool is_protected;
} fpga_assoc_entry;

fpga_assoc_config *fpga_assoc_config_new(void);
void fpga_assoc_config_free(fpga_assoc_config *config);
int32_t fpga_assoc_config_set_timeout_ms(fpga_assoc_config *config, uint32_t ms);
int32_t fpga_assoc_config_set_connect_timeout_ms(fpga_assoc_config *config, uint32_t ms);
int32_t fpga_assoc_config_set_max_attempts(fpga_assoc_config *config, uint32_t attempts);
int32_t fpga_assoc_config_set_ca_file(fpga_assoc_config *config, const char *path);
int32_t fpga_assoc_config_set_ca_pem(fpga_assoc_config *config, const char *pem, size_t length);
int32_t fpga_assoc_config_set_client_certificate(fpga_assoc_config *config, const char *pem,
                                                 size_t length);
int32_t fpga_assoc_config_set_proxy(fpga_assoc_config *config, const char *url);
int32_t fpga_assoc_config_set_user_agent(fpga_assoc_config *config, const char *product);
int32_t fpga_assoc_config_set_allow_http(fpga_assoc_config *config, bool allow);
int32_t fpga_assoc_config_set_confirm(fpga_assoc_config *config, bool confirm);
int32_t fpga_assoc_config_set_idempotent(fpga_assoc_config *config, bool idempotent);
int32_t fpga_assoc_config_set_token(fpga_assoc_config *config, const char *token);
int32_t fpga_assoc_config_set_access_key(fpga_assoc_config *config, const char *access_key,
                                         const char *secret_key, const char *security_token);
int32_t fpga_assoc_config_set_environment_credentials(fpga_assoc_config *config);
int32_t fpga_assoc_config_set_ecs_agency(fpga_assoc_config *config);
typedef void (*fpga_assoc_credentials_fn)(void *context, int32_t reason, fpga_assoc_grant *grant);
int32_t fpga_assoc_config_set_credentials_callback(fpga_assoc_config *config,
                                                   fpga_assoc_credentials_fn credentials,
                                                   void *context);
int32_t fpga_assoc_grant_token(fpga_assoc_grant *grant, const char *token, int64_t expires_at);
int32_t fpga_assoc_grant_access_key(fpga_assoc_grant *grant, const char *access_key,
                                    const char *secret_key, const char *security_token,
                                    int64_t expires_at);
int32_t fpga_assoc_grant_refuse(fpga_assoc_grant *grant, const char *message);

int32_t fpga_assoc_client_new(const char *endpoint, const fpga_assoc_config *config,
                              fpga_assoc_client **client, fpga_assoc_error **error);
int32_t fpga_assoc_client_associate(fpga_assoc_client *client, const char *token,
                                    const char *project_id, const char *fpga_id,
                                    const char *ecs_id, fpga_assoc_error **error);
int32_t fpga_assoc_client_disassociate(fpga_assoc_client *client, const char *token,
                                       const char *project_id, const char *fpga_id,
                                       const char *ecs_id, fpga_assoc_error **error);
int32_t fpga_assoc_client_associations(fpga_assoc_client *client, const char *token,
                                       const char *project_id, const char *fpga_id,
                                       const char *ecs_id, fpga_assoc_list **list,
                                       fpga_assoc_error **error);
void fpga_assoc_client_close_idle(fpga_assoc_client *client);
void fpga_assoc_client_free(fpga_assoc_client *client);

size_t fpga_assoc_list_len(const fpga_assoc_list *list);
const fpga_assoc_entry *fpga_assoc_list_get(const fpga_assoc_list *list, size_t index);
void fpga_assoc_list_free(fpga_assoc_list *list);

int32_t fpga_assoc_error_status(const fpga_assoc_error *error);
int32_t fpga_assoc_error_http_status(const fpga_assoc_error *error);
const char *fpga_assoc_error_message(const fpga_assoc_error *error);
const char *fpga_assoc_error_code(const fpga_assoc_error *error);
const char *fpga_assoc_error_request_id(const fpga_assoc_error *error);
uint64_t fpga_assoc_error_retry_after_ms(const fpga_assoc_error *error);
uint32_t fpga_assoc_error_attempts(const fpga_assoc_error *error);
bool fpga_assoc_error_outcome_unknown(const fpga_assoc_error *error);
int32_t fpga_assoc_error_observed(const fpga_assoc_error *error);
void fpga_assoc_error_free(fpga_assoc_error *error);

const char *fpga_assoc_last_error(void);
const char *fpga_assoc_status_name(int32_t status);
const char *fpga_assoc_status_help(int32_t status);
const char *fpga_assoc_version(void);
]])

local C = ffi.load(os.getenv("FPGA_ASSOCIATE_LIBRARY") or "libfpga_associate.so.0")

local fpga_associate = {
  INVALID_ARGUMENT = 1,
  CREDENTIALS_FAILED = 10,

  -- What the list showed last: the field observed.
  OBSERVED_NOTHING = 0,
  OBSERVED_ASSOCIATED = 1,
  OBSERVED_APART = 2,

  -- Why a credentials_callback is called: there are none yet, those that are there expire soon, or
  -- the service answered HTTP 401 to them.
  REASON_FIRST = 1,
  REASON_EXPIRING = 2,
  REASON_REFUSED = 3,
}

local Error = {}
Error.__index = Error

function Error:__tostring()
  return self.message
end

local function failure(status, message)
  return setmetatable({
    status = status,
    status_name = ffi.string(C.fpga_assoc_status_name(status)),
    help = ffi.string(C.fpga_assoc_status_help(status)),
    message = message,
    http_status = 0,
    code = "",
    request_id = "",
    retry_after_ms = 0,
    attempts = 0,
    outcome_unknown = false,
    observed = fpga_associate.OBSERVED_NOTHING,
  }, Error)
end

--- Raises what an error pointer received, if anything.
local function raise(output)
  if output[0] == nil then
    return
  end
  local pointer = ffi.gc(output[0], C.fpga_assoc_error_free)
  local raised =
    failure(C.fpga_assoc_error_status(pointer), ffi.string(C.fpga_assoc_error_message(pointer)))
  raised.http_status = C.fpga_assoc_error_http_status(pointer)
  raised.code = ffi.string(C.fpga_assoc_error_code(pointer))
  raised.request_id = ffi.string(C.fpga_assoc_error_request_id(pointer))
  raised.retry_after_ms = tonumber(C.fpga_assoc_error_retry_after_ms(pointer))
  raised.attempts = C.fpga_assoc_error_attempts(pointer)
  raised.outcome_unknown = C.fpga_assoc_error_outcome_unknown(pointer)
  raised.observed = C.fpga_assoc_error_observed(pointer)
  C.fpga_assoc_error_free(ffi.gc(pointer, nil))
  error(raised, 0)
end

local function check_type(name, value, wanted)
  if type(value) ~= wanted then
    error(("%s: not a %s"):format(name, wanted), 0)
  end
end

--- C would take a text with a zero byte for a shorter one.
local function check_text(name, value)
  check_type(name, value, "string")
  if value:find("\0", 1, true) then
    error(failure(fpga_associate.INVALID_ARGUMENT, name .. ": holds a zero byte"), 0)
  end
end

--- nil is NULL, for the library to judge.
local function check_texts(texts)
  for name, value in pairs(texts) do
    check_text(name, value)
  end
end

local function number(setter)
  return function(config, name, value)
    check_type(name, value, "number")
    -- ffi would take 2^32 + 5 for 5; the library refuses 0.
    local fits = value % 1 == 0 and value >= 0 and value < 2 ^ 32
    return setter(config, fits and value or 0)
  end
end

local function text(setter)
  return function(config, name, value)
    check_text(name, value)
    return setter(config, value)
  end
end

local function bytes(setter)
  return function(config, name, value)
    check_type(name, value, "string")
    return setter(config, value, #value)
  end
end

local function boolean(setter)
  return function(config, name, value)
    check_type(name, value, "boolean")
    return setter(config, value)
  end
end

--- The function has no value, and is called for true alone.
local function choice(setter)
  return function(config, name, value)
    check_type(name, value, "boolean")
    return value and setter(config) or 0
  end
end

local function check_key(name, key)
  check_type(name, key, "table")
  check_text(name .. ".access_key", key.access_key)
  check_text(name .. ".secret_key", key.secret_key)
  if key.security_token ~= nil then
    check_text(name .. ".security_token", key.security_token)
  end
end

local function set_access_key(config, name, key)
  check_key(name, key)
  local set = C.fpga_assoc_config_set_access_key
  return set(config, key.access_key, key.secret_key, key.security_token)
end

--- The library keeps the reason of what it can't use, and refuses where nothing is granted.
local function grant(pointer, granted)
  if granted == nil then
    return
  end
  check_type("what is granted", granted, "table")
  local expires_at = granted.expires_at or 0
  check_type("expires_at", expires_at, "number")
  if not (expires_at >= 0 and expires_at < 2 ^ 53) then
    error("expires_at: not a time", 0)
  end
  expires_at = math.floor(expires_at)
  if granted.access_key == nil then
    check_text("token", granted.token)
    C.fpga_assoc_grant_token(pointer, granted.token, expires_at)
  else
    check_key("what is granted", granted)
    C.fpga_assoc_grant_access_key(
      pointer, granted.access_key, granted.secret_key, granted.security_token, expires_at
    )
  end
end

local function refuse(pointer, reason)
  -- Of a text that is not UTF-8 the library takes nothing.
  if C.fpga_assoc_grant_refuse(pointer, tostring(reason)) ~= 0 then
    C.fpga_assoc_grant_refuse(pointer, nil)
  end
end

--- A function for C, to be freed after whatever calls it. Nothing may be raised through C.
local function for_c(credentials)
  check_type("credentials_callback", credentials, "function")
  return ffi.cast("fpga_assoc_credentials_fn", function(_, reason, pointer)
    local is_done, raised = pcall(function()
      grant(pointer, credentials(reason))
    end)
    if not is_done then
      pcall(refuse, pointer, raised)
    end
  end)
end

local SETTERS = {
  timeout_ms = number(C.fpga_assoc_config_set_timeout_ms),
  connect_timeout_ms = number(C.fpga_assoc_config_set_connect_timeout_ms),
  max_attempts = number(C.fpga_assoc_config_set_max_attempts),
  ca_file = text(C.fpga_assoc_config_set_ca_file),
  ca_pem = bytes(C.fpga_assoc_config_set_ca_pem),
  client_certificate = bytes(C.fpga_assoc_config_set_client_certificate),
  proxy = text(C.fpga_assoc_config_set_proxy),
  user_agent = text(C.fpga_assoc_config_set_user_agent),
  allow_http = boolean(C.fpga_assoc_config_set_allow_http),
  confirm = boolean(C.fpga_assoc_config_set_confirm),
  idempotent = boolean(C.fpga_assoc_config_set_idempotent),
  token = text(C.fpga_assoc_config_set_token),
  access_key = set_access_key,
  environment_credentials = choice(C.fpga_assoc_config_set_environment_credentials),
  ecs_agency = choice(C.fpga_assoc_config_set_ecs_agency),
}

local CREDENTIALS = {
  "token",
  "access_key",
  "environment_credentials",
  "ecs_agency",
  "credentials_callback",
}

local function check_credentials(settings)
  local first
  for _, name in ipairs(CREDENTIALS) do
    -- false is none.
    if settings[name] then
      if first then
        error(("two kinds of credentials: %s and %s"):format(first, name), 0)
      end
      first = name
    end
  end
end

--- Settings that free themselves; nil, which is all defaults, for nil.
local function configured(settings, callback)
  if settings == nil then
    return nil
  end
  check_credentials(settings)
  local config = ffi.gc(C.fpga_assoc_config_new(), C.fpga_assoc_config_free)
  for name, value in pairs(settings) do
    local status
    if name == "credentials_callback" then
      status = C.fpga_assoc_config_set_credentials_callback(config, callback, nil)
    else
      local set = SETTERS[name] or error("no such setting: " .. tostring(name), 0)
      status = set(config, name, value)
    end
    if status ~= 0 then
      -- Setters have no error pointer; nothing else runs in between.
      error(failure(status, ffi.string(C.fpga_assoc_last_error())), 0)
    end
  end
  return config
end

local Client = {}
Client.__index = Client

local function free(client, callback)
  C.fpga_assoc_client_free(client)
  if callback then
    callback:free()
  end
end

local function opened(endpoint, settings, callback)
  local client = ffi.new("fpga_assoc_client *[1]")
  local err = ffi.new("fpga_assoc_error *[1]")
  C.fpga_assoc_client_new(endpoint, configured(settings, callback), client, err)
  raise(err)
  return client[0]
end

--- A client of one endpoint. Settings, which may be nil: the keys of SETTERS, and
-- credentials_callback.
function fpga_associate.client(endpoint, settings)
  check_texts({ endpoint = endpoint })
  local callback
  if settings ~= nil and settings.credentials_callback ~= nil then
    callback = for_c(settings.credentials_callback)
  end
  local is_done, client = pcall(opened, endpoint, settings, callback)
  if not is_done then
    if callback then
      callback:free()
    end
    error(client, 0)
  end
  -- For a client that nobody closes.
  local pointer = ffi.gc(client, function(unused)
    free(unused, callback)
  end)
  return setmetatable({ pointer = pointer, callback = callback }, Client)
end

--- The version of the library that is loaded.
function fpga_associate.version()
  return ffi.string(C.fpga_assoc_version())
end

function Client:associate(token, project_id, fpga_id, ecs_id)
  check_texts({ token = token, project_id = project_id, fpga_id = fpga_id, ecs_id = ecs_id })
  local err = ffi.new("fpga_assoc_error *[1]")
  C.fpga_assoc_client_associate(self.pointer, token, project_id, fpga_id, ecs_id, err)
  raise(err)
end

function Client:disassociate(token, project_id, fpga_id, ecs_id)
  check_texts({ token = token, project_id = project_id, fpga_id = fpga_id, ecs_id = ecs_id })
  local err = ffi.new("fpga_assoc_error *[1]")
  C.fpga_assoc_client_disassociate(self.pointer, token, project_id, fpga_id, ecs_id, err)
  raise(err)
end

--- An array of tables with the fields of fpga_assoc_entry. One of the two images may be nil.
function Client:associations(token, project_id, fpga_id, ecs_id)
  check_texts({ token = token, project_id = project_id, fpga_id = fpga_id, ecs_id = ecs_id })
  local list = ffi.new("fpga_assoc_list *[1]")
  local err = ffi.new("fpga_assoc_error *[1]")
  C.fpga_assoc_client_associations(self.pointer, token, project_id, fpga_id, ecs_id, list, err)
  raise(err)
  local pointer = ffi.gc(list[0], C.fpga_assoc_list_free)
  local associations = {}
  for index = 1, tonumber(C.fpga_assoc_list_len(pointer)) do
    local entry = C.fpga_assoc_list_get(pointer, index - 1)
    associations[index] = {
      ecs_id = ffi.string(entry.ecs_id),
      fpga_id = ffi.string(entry.fpga_id),
      name = ffi.string(entry.name),
      description = ffi.string(entry.description),
      status = ffi.string(entry.status),
      created_at = ffi.string(entry.created_at),
      message = ffi.string(entry.message),
      metadata = ffi.string(entry.metadata),
      log_directory = ffi.string(entry.log_directory),
      size_mb = tonumber(entry.size_mb),
      is_protected = entry.is_protected,
    }
  end
  C.fpga_assoc_list_free(ffi.gc(pointer, nil))
  return associations
end

--- Closes the connections that the client keeps.
function Client:close_idle()
  if self.pointer == nil then
    error(failure(fpga_associate.INVALID_ARGUMENT, "the client is closed"), 0)
  end
  C.fpga_assoc_client_close_idle(self.pointer)
end

--- Frees the client. Later calls are refused.
function Client:close()
  if self.pointer ~= nil then
    free(ffi.gc(self.pointer, nil), self.callback)
    self.pointer = nil
  end
end

-- They may call back into Lua, which compiled code must not.
jit.off(Client.associate)
jit.off(Client.disassociate)
jit.off(Client.associations)

return fpga_associate
