/**
 * Associates FPGA images with ECS images of Huawei Cloud: libfpga_associate through koffi.
 *
 * The environment variable FPGA_ASSOCIATE_LIBRARY names the library, such as
 * /usr/lib/libfpga_associate.so.0; without it the one in lib/ beside this file is taken, as an npm
 * package has it, or else the system's loader looks for it. Node.js 18 or newer; `npm install` brings
 * koffi. fpga_associate.d.ts has the types.
 *
 *     const client = new Client('ecs.cn-north-1.myhuaweicloud.com', { timeoutMs: 10_000 });
 *     try {
 *       await client.associate(token, projectId, fpgaId, ecsId);
 *       for (const pair of await client.associations(token, projectId, { ecsId }))
 *         console.log(pair.fpgaId, pair.status);
 *     } finally {
 *       await client.close();
 *     }
 *
 * A call whose token is null or undefined is made with the credentials of the client's settings.
 *
 * Calls wait on threads of the pool while JavaScript goes on. UV_THREADPOOL_SIZE says how many go on
 * at once; it is 4 unless the environment says otherwise. koffi lets 256 wait at a time.
 */

import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import koffi from 'koffi';

export const INVALID_ARGUMENT = 1;
export const CREDENTIALS_FAILED = 10;

/** What the list showed last: `observed` of an error. */
export const OBSERVED_NOTHING = 0;
export const OBSERVED_ASSOCIATED = 1;
export const OBSERVED_APART = 2;

/** What the environment names, else the library of this package, else a name for the loader. */
function libraryPath() {
  const named = process.env.FPGA_ASSOCIATE_LIBRARY;
  if (named !== undefined) return named;
  const name = process.platform === 'win32' ? 'fpga_associate.dll' : 'libfpga_associate.so.0';
  const packaged = fileURLToPath(new URL(`lib/${platform()}/${name}`, import.meta.url));
  return existsSync(packaged) ? packaged : name;
}

/** As release archives are called, such as "x86_64-linux-gnu". */
function platform() {
  const processor = { x64: 'x86_64', arm64: 'aarch64' }[process.arch] ?? process.arch;
  if (process.platform === 'win32') return `${processor}-windows`;
  return `${processor}-${process.platform}-${isMusl() ? 'musl' : 'gnu'}`;
}

/** Whether this process runs on musl: its C library is its loader, or libc.so, without a number. */
function isMusl() {
  try {
    return /\/(ld-musl-|libc\.so$)/m.test(readFileSync('/proc/self/maps', 'latin1'));
  } catch {
    return false;
  }
}

const library = koffi.load(libraryPath());

for (const name of ['config', 'client', 'error', 'list']) koffi.opaque(`fpga_assoc_${name}`);
const Entry = koffi.struct('fpga_assoc_entry', {
  ecs_id: 'str',
  fpga_id: 'str',
  name: 'str',
  description: 'str',
  status: 'str',
  created_at: 'str',
  message: 'str',
  metadata: 'str',
  log_directory: 'str',
  size_mb: 'uint64_t',
  is_protected: 'bool',
});

const images = 'const char *token, const char *project_id, const char *fpga_id, const char *ecs_id';
const error = '_Out_ fpga_assoc_error **error';
const C = Object.fromEntries(
  [
    'fpga_assoc_config *fpga_assoc_config_new()',
    'void fpga_assoc_config_free(fpga_assoc_config *config)',
    'int32_t fpga_assoc_config_set_timeout_ms(fpga_assoc_config *config, uint32_t ms)',
    'int32_t fpga_assoc_config_set_connect_timeout_ms(fpga_assoc_config *config, uint32_t ms)',
    'int32_t fpga_assoc_config_set_max_attempts(fpga_assoc_config *config, uint32_t attempts)',
    'int32_t fpga_assoc_config_set_ca_file(fpga_assoc_config *config, const char *path)',
    'int32_t fpga_assoc_config_set_ca_pem(fpga_assoc_config *config, const uint8_t *pem, size_t length)',
    'int32_t fpga_assoc_config_set_client_certificate(fpga_assoc_config *config, const uint8_t *pem, size_t length)',
    'int32_t fpga_assoc_config_set_proxy(fpga_assoc_config *config, const char *url)',
    'int32_t fpga_assoc_config_set_user_agent(fpga_assoc_config *config, const char *product)',
    'int32_t fpga_assoc_config_set_allow_http(fpga_assoc_config *config, bool allow)',
    'int32_t fpga_assoc_config_set_confirm(fpga_assoc_config *config, bool confirm)',
    'int32_t fpga_assoc_config_set_idempotent(fpga_assoc_config *config, bool idempotent)',
    'int32_t fpga_assoc_config_set_token(fpga_assoc_config *config, const char *token)',
    'int32_t fpga_assoc_config_set_access_key(fpga_assoc_config *config, const char *access_key, const char *secret_key, const char *security_token)',
    'int32_t fpga_assoc_config_set_environment_credentials(fpga_assoc_config *config)',
    'int32_t fpga_assoc_config_set_ecs_agency(fpga_assoc_config *config)',
    `int32_t fpga_assoc_client_new(const char *endpoint, const fpga_assoc_config *config, _Out_ fpga_assoc_client **client, ${error})`,
    `int32_t fpga_assoc_client_associate(fpga_assoc_client *client, ${images}, ${error})`,
    `int32_t fpga_assoc_client_disassociate(fpga_assoc_client *client, ${images}, ${error})`,
    `int32_t fpga_assoc_client_associations(fpga_assoc_client *client, ${images}, _Out_ fpga_assoc_list **list, ${error})`,
    'void fpga_assoc_client_shutdown(fpga_assoc_client *client)',
    'void fpga_assoc_client_close_idle(fpga_assoc_client *client)',
    'void fpga_assoc_client_free(fpga_assoc_client *client)',
    'size_t fpga_assoc_list_len(const fpga_assoc_list *list)',
    'const fpga_assoc_entry *fpga_assoc_list_get(const fpga_assoc_list *list, size_t index)',
    'void fpga_assoc_list_free(fpga_assoc_list *list)',
    'int32_t fpga_assoc_error_status(const fpga_assoc_error *error)',
    'int32_t fpga_assoc_error_http_status(const fpga_assoc_error *error)',
    'const char *fpga_assoc_error_message(const fpga_assoc_error *error)',
    'const char *fpga_assoc_error_code(const fpga_assoc_error *error)',
    'const char *fpga_assoc_error_request_id(const fpga_assoc_error *error)',
    'uint64_t fpga_assoc_error_retry_after_ms(const fpga_assoc_error *error)',
    'uint32_t fpga_assoc_error_attempts(const fpga_assoc_error *error)',
    'bool fpga_assoc_error_outcome_unknown(const fpga_assoc_error *error)',
    'int32_t fpga_assoc_error_observed(const fpga_assoc_error *error)',
    'void fpga_assoc_error_free(fpga_assoc_error *error)',
    'const char *fpga_assoc_last_error()',
    'const char *fpga_assoc_status_name(int32_t status)',
    'const char *fpga_assoc_status_help(int32_t status)',
    'const char *fpga_assoc_version()',
  ].map((prototype) => [/(\w+)\(/.exec(prototype)[1], library.func(prototype)]),
);

// koffi itself refuses what is not a boolean. For the rest it takes another value, or crashes.
const number = (setter) => (config, value, name) => {
  if (typeof value !== 'number') throw new TypeError(`${name}: not a number`);
  // 2 ** 32 + 5 would be 5; the library refuses 0.
  return setter(config, value >>> 0 === value ? value : 0);
};
const string = (setter) => (config, value, name) => setter(config, text(name, value));
const bytes = (setter) => (config, value, name) => {
  const pem = typeof value === 'string' ? Buffer.from(text(name, value)) : value;
  if (!(pem instanceof Uint8Array)) throw new TypeError(`${name}: neither a string nor bytes`);
  return setter(config, pem, pem.length);
};
const boolean = (setter) => (config, value) => setter(config, value);
const chosen = (setter) => (config, value, name) => {
  if (typeof value !== 'boolean') throw new TypeError(`${name}: not a boolean`);
  return value ? setter(config) : 0;
};
/** At most one of these is given: the credentials of calls that bring no token. */
const CREDENTIALS = {
  token: string(C.fpga_assoc_config_set_token),
  accessKey: (config, value) => C.fpga_assoc_config_set_access_key(config, ...keyTexts(value)),
  environmentCredentials: chosen(C.fpga_assoc_config_set_environment_credentials),
  ecsAgency: chosen(C.fpga_assoc_config_set_ecs_agency),
};
const SETTERS = {
  ...CREDENTIALS,
  timeoutMs: number(C.fpga_assoc_config_set_timeout_ms),
  connectTimeoutMs: number(C.fpga_assoc_config_set_connect_timeout_ms),
  maxAttempts: number(C.fpga_assoc_config_set_max_attempts),
  caFile: string(C.fpga_assoc_config_set_ca_file),
  caPem: bytes(C.fpga_assoc_config_set_ca_pem),
  clientCertificate: bytes(C.fpga_assoc_config_set_client_certificate),
  proxy: string(C.fpga_assoc_config_set_proxy),
  userAgent: string(C.fpga_assoc_config_set_user_agent),
  allowHttp: boolean(C.fpga_assoc_config_set_allow_http),
  confirm: boolean(C.fpga_assoc_config_set_confirm),
  idempotent: boolean(C.fpga_assoc_config_set_idempotent),
};

/**
 * Why a call failed. The message is one line for people; fpga_associate.d.ts says what the rest is.
 */
export class FpgaAssociateError extends Error {
  name = 'FpgaAssociateError';
  httpStatus = 0;
  code = '';
  requestId = '';
  retryAfterMs = 0;
  attempts = 0;
  outcomeUnknown = false;
  observed = OBSERVED_NOTHING;

  constructor(status, message) {
    super(message);
    this.status = status;
  }

  /** Such as "FPGA_ASSOC_TIMEOUT". */
  get statusName() {
    return C.fpga_assoc_status_name(this.status);
  }

  /** The likely cause and what to do about it. */
  get help() {
    return C.fpga_assoc_status_help(this.status);
  }
}

/** The version of the library that is loaded. */
export function version() {
  return C.fpga_assoc_version();
}

/** Calls one endpoint, any number of times at once. It must be closed. */
export class Client {
  #client;
  #calls = new Set();

  /**
   * Settings: the keys of SETTERS. What is not given keeps the library's default; one of a wrong
   * type throws a TypeError, one of a wrong value an FpgaAssociateError.
   *
   * Credentials of calls that bring no token are one of these:
   *
   * - `token`: a string.
   * - `accessKey`: `{ accessKey, secretKey, securityToken }`, the last for a temporary key alone.
   * - `environmentCredentials: true`: an access key from where the vendor's tools look, now.
   * - `ecsAgency: true`: the keys of the agency of the ECS server that this runs on.
   *
   * There is no credentials callback. A thread of the pool would wait for JavaScript to run it, and
   * forever where the process ends meanwhile, which then does not end. What has to be awaited is
   * awaited before a call, as its token.
   */
  constructor(endpoint, settings = {}) {
    const name = optional('endpoint', endpoint);
    const config = configured(settings);
    const client = [null];
    const error = [null];
    C.fpga_assoc_client_new(name, config, client, error);
    C.fpga_assoc_config_free(config);
    raise(error);
    this.#client = client[0];
  }

  /** Associates the two images. The error says whether that may have happened all the same. */
  async associate(token, projectId, fpgaId, ecsId) {
    const error = [null];
    await this.#call(C.fpga_assoc_client_associate, [token, projectId, fpgaId, ecsId], error);
    raise(error);
  }

  /** Undoes that, in the same way. */
  async disassociate(token, projectId, fpgaId, ecsId) {
    const error = [null];
    await this.#call(C.fpga_assoc_client_disassociate, [token, projectId, fpgaId, ecsId], error);
    raise(error);
  }

  /** Lists associations; one of the two images must be given. */
  async associations(token, projectId, { fpgaId, ecsId } = {}) {
    const list = [null];
    const error = [null];
    const images = [token, projectId, fpgaId, ecsId];
    await this.#call(C.fpga_assoc_client_associations, images, list, error);
    raise(error);
    try {
      return Array.from({ length: Number(C.fpga_assoc_list_len(list[0])) }, (_, index) =>
        association(koffi.decode(C.fpga_assoc_list_get(list[0], index), Entry)),
      );
    } finally {
      C.fpga_assoc_list_free(list[0]);
    }
  }

  /** Closes the connections that no call uses now. */
  closeIdle() {
    C.fpga_assoc_client_close_idle(this.#open());
  }

  /** Ends the calls under way as CANCELLED, waits for them, and frees the client. */
  async close() {
    const client = this.#client;
    this.#client = null;
    C.fpga_assoc_client_shutdown(client);
    await Promise.allSettled(this.#calls);
    C.fpga_assoc_client_free(client);
  }

  #open() {
    if (this.#client === null)
      throw new FpgaAssociateError(INVALID_ARGUMENT, 'the client is closed');
    return this.#client;
  }

  async #call(method, images, ...outputs) {
    const client = this.#open();
    const names = ['token', 'projectId', 'fpgaId', 'ecsId'];
    const texts = images.map((image, index) => optional(names[index], image));
    const call = new Promise((resolve, reject) => {
      method.async(client, ...texts, ...outputs, (failure) =>
        failure ? reject(failure) : resolve(),
      );
    });
    this.#calls.add(call);
    try {
      await call;
    } finally {
      this.#calls.delete(call);
    }
  }
}

/** NULL, which is all defaults, or settings to be freed. */
function configured(settings) {
  const given = Object.entries(settings).filter(([, value]) => value !== undefined);
  if (given.length === 0) return null;
  const kinds = given.filter(([name, value]) => Object.hasOwn(CREDENTIALS, name) && value !== false);
  if (kinds.length > 1) throw new TypeError('settings: credentials of more than one kind');
  const config = C.fpga_assoc_config_new();
  try {
    for (const [name, value] of given) {
      if (!Object.hasOwn(SETTERS, name)) throw new TypeError(`no such setting: ${name}`);
      const status = SETTERS[name](config, value, name);
      // Setters have no error pointer; nothing else runs on this thread in between.
      if (status !== 0) throw new FpgaAssociateError(status, C.fpga_assoc_last_error());
    }
  } catch (error) {
    C.fpga_assoc_config_free(config);
    throw error;
  }
  return config;
}

function keyTexts({ accessKey, secretKey, securityToken }) {
  return [
    text('accessKey', accessKey),
    text('secretKey', secretKey),
    securityToken === undefined ? null : text('securityToken', securityToken),
  ];
}

/** Throws what an error pointer received, if anything. */
function raise([pointer]) {
  if (pointer === null) return;
  const error = new FpgaAssociateError(
    C.fpga_assoc_error_status(pointer),
    C.fpga_assoc_error_message(pointer),
  );
  error.httpStatus = C.fpga_assoc_error_http_status(pointer);
  error.code = C.fpga_assoc_error_code(pointer);
  error.requestId = C.fpga_assoc_error_request_id(pointer);
  error.retryAfterMs = Number(C.fpga_assoc_error_retry_after_ms(pointer));
  error.attempts = C.fpga_assoc_error_attempts(pointer);
  error.outcomeUnknown = C.fpga_assoc_error_outcome_unknown(pointer);
  error.observed = C.fpga_assoc_error_observed(pointer);
  C.fpga_assoc_error_free(pointer);
  throw error;
}

function association(entry) {
  return {
    ecsId: entry.ecs_id,
    fpgaId: entry.fpga_id,
    name: entry.name,
    description: entry.description,
    status: entry.status,
    createdAt: entry.created_at,
    message: entry.message,
    metadata: entry.metadata,
    logDirectory: entry.log_directory,
    sizeMb: Number(entry.size_mb),
    isProtected: entry.is_protected,
  };
}

/** null and undefined are NULL, for the library to judge. */
function optional(name, value) {
  return value === null || value === undefined ? null : text(name, value);
}

function text(name, value) {
  if (typeof value !== 'string') throw new TypeError(`${name}: not a string`);
  // C would take one with a zero byte for a shorter one, and half a surrogate pair has no UTF-8.
  if (/\0|\p{Surrogate}/u.test(value))
    throw new FpgaAssociateError(
      INVALID_ARGUMENT,
      `${name}: holds a zero byte or half a surrogate pair`,
    );
  return value;
}
