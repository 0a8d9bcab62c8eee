/*
 * fpga_associate: associates FPGA images with ECS images of Huawei Cloud.
 *
 * Made from the Rust sources by cbindgen. To renew it: UPDATE_HEADER=1 cargo test --test header
 *
 * Every function may be called from any thread at any time; there is nothing to initialise and nothing to shut down. Text is UTF-8
 * and ends in NUL. Text that is passed in is borrowed for the call; text that is returned belongs to the library.
 */

#ifndef FPGA_ASSOCIATE_H
#define FPGA_ASSOCIATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** The version of this header, as text. */
#define FPGA_ASSOC_VERSION "0.1.0"
#define FPGA_ASSOC_VERSION_MAJOR 0
#define FPGA_ASSOC_VERSION_MINOR 1
#define FPGA_ASSOC_VERSION_PATCH 0


/**
 * How a call ended. Every function of this library that can fail returns one of these numbers as `int32_t`.
 *
 * A number never changes its meaning and is never used again for another. All fit a process's exit status.
 * `fpga_assoc_status_name` and `fpga_assoc_status_help` explain each in words.
 */
typedef enum fpga_assoc_status {
  /**
   * The service did what was asked.
   */
  FPGA_ASSOC_OK = 0,
  /**
   * The caller's mistake: an argument is missing or unusable. Nothing was sent.
   */
  FPGA_ASSOC_INVALID_ARGUMENT = 1,
  /**
   * The host name has no address. Nothing was sent.
   */
  FPGA_ASSOC_RESOLVE_FAILED = 2,
  /**
   * No TCP connection could be made. Nothing was sent.
   */
  FPGA_ASSOC_CONNECT_FAILED = 3,
  /**
   * The proxy refused, failed, or asks for credentials (407). Nothing was sent to the service.
   */
  FPGA_ASSOC_PROXY_FAILED = 4,
  /**
   * The TLS handshake failed or the certificate is not trusted. Nothing of the request was sent.
   */
  FPGA_ASSOC_TLS_FAILED = 5,
  /**
   * The deadline passed. `fpga_assoc_error_outcome_unknown` tells whether the request had begun to go out.
   */
  FPGA_ASSOC_TIMEOUT = 6,
  /**
   * The connection broke after the request began to go out: the service may have acted on it.
   */
  FPGA_ASSOC_CONNECTION_LOST = 7,
  /**
   * The answer is not HTTP, is over a size limit, or is not the documented JSON where JSON is needed.
   */
  FPGA_ASSOC_BAD_RESPONSE = 8,
  /**
   * The client was shut down.
   */
  FPGA_ASSOC_CANCELLED = 9,
  /**
   * The service refused the request: HTTP 400, and any 4xx without a status of its own here.
   */
  FPGA_ASSOC_REJECTED = 20,
  /**
   * The token is missing, wrong or expired: HTTP 401.
   */
  FPGA_ASSOC_UNAUTHORIZED = 21,
  /**
   * The token's user may not do this: HTTP 403.
   */
  FPGA_ASSOC_FORBIDDEN = 22,
  /**
   * The service does not know what was named: HTTP 404.
   */
  FPGA_ASSOC_NOT_FOUND = 23,
  /**
   * HTTP 409, or the two images are known to be associated already.
   */
  FPGA_ASSOC_CONFLICT = 24,
  /**
   * Too many requests: HTTP 429, or a flow-control code under any HTTP status.
   */
  FPGA_ASSOC_THROTTLED = 25,
  /**
   * The service failed: HTTP 5xx. `fpga_assoc_error_outcome_unknown` tells whether it may have acted.
   */
  FPGA_ASSOC_SERVICE_FAILED = 26,
  /**
   * An HTTP status that this call does not know, redirects (never followed) among them.
   */
  FPGA_ASSOC_UNEXPECTED_STATUS = 27,
  /**
   * A defect in this library, contained.
   */
  FPGA_ASSOC_INTERNAL = 99,
} fpga_assoc_status;

/**
 * Why a call failed. Only the library makes one; its fields are read with the functions whose names begin with `fpga_assoc_error_`.
 *
 * Nothing in it changes once it was handed out, so any number of threads may read it at once while it is valid.
 */
typedef struct fpga_assoc_error fpga_assoc_error;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * Associates an FPGA image with an ECS image, so that servers made from the ECS image can load the FPGA image.
 *
 * Sends `POST /v1/{project_id}/cloudservers/fpga_image/{fpga_image_id}/association` with the body `{"image":{"id":"<ecs_id>"}}`,
 * as the document "Associating an FPGA Image with an ECS Image" of the Elastic Cloud Server API reference says. The service asks
 * that the ECS image is private and has fewer than 10 FPGA images, and for the IAM action `ecs:cloudServerFpgaImages:relate`.
 *
 * All arguments are text that ends in NUL, borrowed for the call:
 *
 * - `endpoint`: where the service is: "host", "host:port" or "https://host[:port][/]", an IPv6 address in brackets, such as
 *   "ecs.cn-north-1.myhuaweicloud.com". The port is 443 unless it is given. "http://" is accepted for this very machine alone
 *   (localhost, 127.0.0.0/8, [::1]). User information, a path, a query or a fragment is refused.
 * - `token`: an IAM token of project scope, 1 to 65,536 bytes of visible ASCII. It goes to the endpoint and nowhere else.
 * - `project_id`: the project that the token is for.
 * - `fpga_id`: the id of the FPGA image.
 * - `ecs_id`: the id of the ECS image (not of a server).
 *
 * The three ids have 1 to 128 of the characters A-Z a-z 0-9 - _ each. A UUID as `fpga_id` together with 32 hex digits as `ecs_id`
 * is refused as swapped.
 *
 * Returns `FPGA_ASSOC_OK`, or another `fpga_assoc_status`; then `fpga_assoc_last_error` and `fpga_assoc_last_error_detail` of the
 * same thread tell more. A NULL or unusable argument is `FPGA_ASSOC_INVALID_ARGUMENT`, and nothing is sent.
 *
 * The call ends within 30 seconds, name lookup, connecting, TLS, sending and waiting included. The request is sent once; only
 * when a connection kept from an earlier call closes without a byte of an answer is it sent again, on a new one. The certificate
 * and the host name are always verified, against the system's trusted certificates (or those that the environment's SSL_CERT_FILE
 * and SSL_CERT_DIR name). Redirects are never followed.
 *
 * Thread-safe: any number of threads may call at once. Blocks the calling thread.
 */
int32_t fpga_associate(const char *endpoint,
                       const char *token,
                       const char *project_id,
                       const char *fpga_id,
                       const char *ecs_id);

/**
 * The status of the call, the same number that the call returned; `FPGA_ASSOC_OK` for NULL.
 *
 * Thread-safe.
 */
int32_t fpga_assoc_error_status(const struct fpga_assoc_error *error);

/**
 * The HTTP status of the answer; 0 where no answer came, and for NULL.
 *
 * Thread-safe.
 */
int32_t fpga_assoc_error_http_status(const struct fpga_assoc_error *error);

/**
 * One line of text for people, as `fpga_assoc_last_error` describes it; "" for NULL.
 *
 * Returns text that ends in NUL, never NULL; it belongs to the error and lives as long as it. Thread-safe.
 */
const char *fpga_assoc_error_message(const struct fpga_assoc_error *error);

/**
 * The service's own code, such as "Ecs.0005"; "" where it gave none, and for NULL.
 *
 * Returns text that ends in NUL, never NULL; it belongs to the error and lives as long as it. Thread-safe.
 */
const char *fpga_assoc_error_code(const struct fpga_assoc_error *error);

/**
 * The service's name for this request, which its support asks for; "" where none came, and for NULL.
 *
 * Returns text that ends in NUL, never NULL; it belongs to the error and lives as long as it. Thread-safe.
 */
const char *fpga_assoc_error_request_id(const struct fpga_assoc_error *error);

/**
 * How long the service asked to wait before the next call, in milliseconds; 0 where it did not ask, and for NULL.
 *
 * Thread-safe.
 */
uint64_t fpga_assoc_error_retry_after_ms(const struct fpga_assoc_error *error);

/**
 * How many times the request was tried; 0 where an argument was refused before that, and for NULL.
 *
 * Thread-safe.
 */
uint32_t fpga_assoc_error_attempts(const struct fpga_assoc_error *error);

/**
 * Whether the service may have acted on the request although the call failed; false for NULL.
 *
 * True after a deadline that passed, a connection that broke or an answer that can't be read once the request had begun to go
 * out, and after HTTP 5xx other than 501 and 503. Find out what the service did before the call is repeated.
 *
 * Thread-safe.
 */
bool fpga_assoc_error_outcome_unknown(const struct fpga_assoc_error *error);

/**
 * The calling thread's last error, as one line of text for people.
 *
 * It says which step failed, the host, the HTTP status, the service's code and message, and the request id, as far as they are
 * known: at most 1,023 bytes of UTF-8, no control characters, never the token.
 *
 * Returns text that ends in NUL, never NULL; "" where the thread's last call succeeded or it made none. The text belongs to the
 * library and stays valid until the same thread's next call of `fpga_associate`. Copy what must live longer.
 *
 * Thread-safe: each thread has its own. In a runtime that moves work between threads, read it before anything else can run.
 */
const char *fpga_assoc_last_error(void);

/**
 * The calling thread's last error with all that is known about it, for the functions whose names begin with `fpga_assoc_error_`.
 *
 * Returns NULL where the thread's last call succeeded or it made none. The error belongs to the library (do not free it) and stays
 * valid until the same thread's next call of `fpga_associate`.
 *
 * Thread-safe: each thread has its own.
 */
const struct fpga_assoc_error *fpga_assoc_last_error_detail(void);

/**
 * The name of a status, as "FPGA_ASSOC_TIMEOUT"; "unknown status" for a number that is none.
 *
 * `status` may be any number. Returns constant text that ends in NUL and is valid for ever, never NULL. Thread-safe.
 */
const char *fpga_assoc_status_name(int32_t status);

/**
 * The likely cause of a status and what to do about it, in a sentence or two for people.
 *
 * `status` may be any number. Returns constant text that ends in NUL and is valid for ever, never NULL. Thread-safe.
 */
const char *fpga_assoc_status_help(int32_t status);

/**
 * The version of the library that is loaded, as "1.2.3"; `FPGA_ASSOC_VERSION` is that of the header.
 *
 * Returns constant text that ends in NUL and is valid for ever, never NULL. Thread-safe.
 */
const char *fpga_assoc_version(void);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* FPGA_ASSOCIATE_H */
