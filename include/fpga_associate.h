/*
 * fpga_associate: associates FPGA images with ECS images of Huawei Cloud.
 *
 * Made from the Rust sources by cbindgen. To renew it: UPDATE_HEADER=1 cargo test --test header
 *
 * Threads: every function may be called from any thread at any time; there is nothing to initialise
 * and nothing to shut down. What is freed must be in use nowhere else. A call can't be broken off by
 * pthread_cancel: the cancellation takes effect after the call has returned.
 *
 * Not from: a signal handler (no function is async-signal-safe), or a child of vfork, which shares
 * its parent's memory. A child of fork, _Fork or clone gets connections of its own.
 *
 * Text is UTF-8 and ends in NUL. Text that is passed in is borrowed for the call; text that is
 * returned belongs to the library.
 *
 * Statuses: functions that can fail return an fpga_assoc_status as int32_t; all fit a process's exit
 * status too. errno may change, and says nothing.
 *
 * Callbacks run on the thread that makes the call; those for the log and for credentials also on the
 * threads that a plan has for as long as it is carried out. They may call any function of this library but
 * free what is in use, above all not the client whose call they serve. They must return: no exception, no
 * longjmp and no pthread_exit may leave them.
 *
 * The environment's proxies are read when a client is made, those of the one-line calls at the first of
 * them. SSL_CERT_FILE, SSL_CERT_DIR and the system's trusted certificates are read once a process, at
 * the first handshake that needs them. As for every reader of the environment, no other thread may
 * change it (setenv, putenv) meanwhile.
 *
 * Descriptors: a client has two from its first call on (that of the one-line calls none), and one for
 * each connection. A connection that no call uses serves for 55 seconds, and is closed by the next call, by
 * fpga_assoc_client_close_idle or with the client: no thread of this library runs between calls. At
 * most 100 are kept; where the process has no descriptor left they are given up for a new one.
 *
 * Memory that runs out is FPGA_ASSOC_OUT_OF_MEMORY. What that does not cover is the C library's own
 * need: it may refuse a thread for a name lookup, which is FPGA_ASSOC_RESOLVE_FAILED, and its resolver
 * and its loader may end the process. After a call no memory that the library owns or has freed holds
 * the token, a secret key, what was sent, or a proxy's password; a client masks its own credentials and
 * the password while it needs them, and wipes them when it is freed. (A signal that a thread takes on its
 * own stack during a call leaves there what the processor's registers hold at that moment.)
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

/** The version of this header as a number that grows with it: 1.2.3 is 1002003. */
#define FPGA_ASSOC_VERSION_NUMBER \
  (FPGA_ASSOC_VERSION_MAJOR * 1000000L + FPGA_ASSOC_VERSION_MINOR * 1000L + FPGA_ASSOC_VERSION_PATCH)

/**
 * Stands in front of every function. A program for Windows that links the static library defines
 * FPGA_ASSOC_STATIC first.
 */
#ifndef FPGA_ASSOC_API
#if defined(_WIN32) && !defined(FPGA_ASSOC_STATIC)
#define FPGA_ASSOC_API __declspec(dllimport)
#elif defined(__GNUC__) && !defined(_WIN32)
#define FPGA_ASSOC_API __attribute__((visibility("default")))
#else
#define FPGA_ASSOC_API
#endif
#endif

/**
 * Stands in front of functions whose status must be looked at: the compiler warns where it is not.
 * Define it as nothing to be spared that.
 */
#ifndef FPGA_ASSOC_MUST_CHECK
#if defined(__GNUC__)
#define FPGA_ASSOC_MUST_CHECK __attribute__((warn_unused_result))
#else
#define FPGA_ASSOC_MUST_CHECK
#endif
#endif


/**
 * How a call ended. Every function of this library that can fail returns one of these numbers as
 * `int32_t`.
 *
 * A number never changes its meaning and is never used again for another. All fit a process's exit
 * status. `fpga_assoc_status_name` and `fpga_assoc_status_help` explain each in words.
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
   * The host name has no address. Nothing was sent, or all that was sent before was refused.
   */
  FPGA_ASSOC_RESOLVE_FAILED = 2,
  /**
   * No TCP connection could be made. Nothing was sent, or all that was sent before was refused.
   */
  FPGA_ASSOC_CONNECT_FAILED = 3,
  /**
   * The proxy refused, failed, or asks for credentials (407). Nothing was sent to the service, or all that
   * was sent before was refused.
   */
  FPGA_ASSOC_PROXY_FAILED = 4,
  /**
   * The TLS handshake failed or the certificate is not trusted. Nothing of the request was sent, or all
   * that was sent before was refused.
   */
  FPGA_ASSOC_TLS_FAILED = 5,
  /**
   * The deadline passed. `fpga_assoc_error_outcome_unknown` tells whether the request had begun
   * to go out.
   */
  FPGA_ASSOC_TIMEOUT = 6,
  /**
   * The connection broke after the request began to go out: the service may have acted on it.
   */
  FPGA_ASSOC_CONNECTION_LOST = 7,
  /**
   * The answer is not HTTP, is over a size limit, or is not the documented JSON where JSON is
   * needed.
   */
  FPGA_ASSOC_BAD_RESPONSE = 8,
  /**
   * The client was shut down.
   */
  FPGA_ASSOC_CANCELLED = 9,
  /**
   * No usable credentials could be had: nothing was sent to the service, or all that was sent before
   * was refused, such as with HTTP 401 because of those that there were.
   */
  FPGA_ASSOC_CREDENTIALS_FAILED = 10,
  /**
   * Memory ran out, and the call was stopped. `fpga_assoc_error_outcome_unknown` tells whether the
   * request had begun to go out.
   */
  FPGA_ASSOC_OUT_OF_MEMORY = 11,
  /**
   * The service refused the request: HTTP 400, and any 4xx without a status of its own here.
   */
  FPGA_ASSOC_REJECTED = 20,
  /**
   * The token or the access key is missing, wrong or expired: HTTP 401.
   */
  FPGA_ASSOC_UNAUTHORIZED = 21,
  /**
   * The user may not do this: HTTP 403.
   */
  FPGA_ASSOC_FORBIDDEN = 22,
  /**
   * The service does not know what was named: HTTP 404.
   */
  FPGA_ASSOC_NOT_FOUND = 23,
  /**
   * Another change is under way: HTTP 409.
   */
  FPGA_ASSOC_CONFLICT = 24,
  /**
   * Too many requests: HTTP 429, or a flow-control code under any HTTP status.
   */
  FPGA_ASSOC_THROTTLED = 25,
  /**
   * The service failed: HTTP 5xx. It may have acted, or may yet act.
   */
  FPGA_ASSOC_SERVICE_FAILED = 26,
  /**
   * An answer that this call does not know: HTTP 1xx, 3xx (redirects are never followed), 600 and
   * over, and 2xx with something else than success has. The service may have acted.
   */
  FPGA_ASSOC_UNEXPECTED_STATUS = 27,
  /**
   * The service accepted the request (HTTP 202), and the list did not show it as done within the
   * call's time. It may be done later.
   */
  FPGA_ASSOC_PENDING = 28,
  /**
   * The two images were associated already, as the list shows, and not by this call.
   */
  FPGA_ASSOC_ALREADY_ASSOCIATED = 29,
  /**
   * The two images were not associated, as the list shows, and not because of this call.
   */
  FPGA_ASSOC_NOT_ASSOCIATED = 30,
  /**
   * The list shows ten or more other FPGA images at the ECS image.
   */
  FPGA_ASSOC_LIMIT_REACHED = 31,
  /**
   * A plan was carried out, or stopped, and not every pair is as wanted: each that failed has an error
   * of its own.
   */
  FPGA_ASSOC_INCOMPLETE = 32,
  /**
   * A defect in this library, contained.
   */
  FPGA_ASSOC_INTERNAL = 99,
} fpga_assoc_status;

/**
 * What the list showed of the two images when the call asked it last.
 */
typedef enum fpga_assoc_observed {
  /**
   * It was not asked, or it could not tell.
   */
  FPGA_ASSOC_OBSERVED_NOTHING = 0,
  /**
   * The two are associated.
   */
  FPGA_ASSOC_OBSERVED_ASSOCIATED = 1,
  /**
   * They are not.
   */
  FPGA_ASSOC_OBSERVED_APART = 2,
} fpga_assoc_observed;

/**
 * How much a line of the log matters.
 */
typedef enum fpga_assoc_log_level {
  /**
   * A call failed.
   */
  FPGA_ASSOC_LOG_ERROR = 1,
  /**
   * Something went wrong, and the call goes on.
   */
  FPGA_ASSOC_LOG_WARNING = 2,
  /**
   * A connection was made, the list was asked, a call succeeded.
   */
  FPGA_ASSOC_LOG_INFO = 3,
  /**
   * Each attempt.
   */
  FPGA_ASSOC_LOG_DEBUG = 4,
} fpga_assoc_log_level;

/**
 * Why the host is asked for credentials.
 */
typedef enum fpga_assoc_reason {
  /**
   * The client has none yet.
   */
  FPGA_ASSOC_REASON_FIRST = 1,
  /**
   * Those that it has expire soon, or have expired.
   */
  FPGA_ASSOC_REASON_EXPIRING = 2,
  /**
   * The service answered HTTP 401 to those that it has.
   */
  FPGA_ASSOC_REASON_REFUSED = 3,
} fpga_assoc_reason;

/**
 * What became of a pair of a plan.
 */
typedef enum fpga_assoc_result {
  /**
   * It was not looked at, or nothing was done for it: the plan was not carried out, or was stopped.
   */
  FPGA_ASSOC_RESULT_OPEN = 0,
  /**
   * Nothing was to be done for it: it was as wanted, or somebody else brought it about meanwhile.
   */
  FPGA_ASSOC_RESULT_AS_WANTED = 1,
  /**
   * It is not as wanted, as `fpga_assoc_client_compare` found.
   */
  FPGA_ASSOC_RESULT_TO_CHANGE = 2,
  /**
   * It was not as wanted, and is now.
   */
  FPGA_ASSOC_RESULT_CHANGED = 3,
  /**
   * It failed; `fpga_assoc_plan_error` says why, and whether it may have been changed all the same.
   */
  FPGA_ASSOC_RESULT_FAILED = 4,
} fpga_assoc_result;

/**
 * A client of one endpoint, with its settings and the connections that it keeps. Any number of
 * threads may use one at once.
 */
typedef struct fpga_assoc_client fpga_assoc_client;

/**
 * Settings for a client. Made with `fpga_assoc_config_new`, which gives each setting its default.
 */
typedef struct fpga_assoc_config fpga_assoc_config;

/**
 * Why a call failed. Only the library makes one; its fields are read with the functions whose
 * names begin with `fpga_assoc_error_`.
 *
 * Nothing in it changes once it was handed out, so any number of threads may read it at once while
 * it is valid.
 */
typedef struct fpga_assoc_error fpga_assoc_error;

/**
 * What a credentials callback grants with. It lives during the callback alone.
 */
typedef struct fpga_assoc_grant fpga_assoc_grant;

/**
 * Associations, as they were when they were listed. Nothing in it changes, so any number of
 * threads may read it at once.
 */
typedef struct fpga_assoc_list fpga_assoc_list;

/**
 * What is wanted of many pairs of an FPGA image and an ECS image: of each that the two are associated,
 * or that they are not.
 *
 * A plan belongs to no client and no project; it may be carried out again and again, and pairs may be
 * added between. Its functions may be called from any thread; while it is carried out, those that
 * change it and another `fpga_assoc_client_apply` are refused, and its results can be read. A child that was
 * forked while another thread was in a function of the plan, or carried it out, can't change it, and
 * where a function was changing or reading it finds no pairs in it; make a new one there.
 */
typedef struct fpga_assoc_plan fpga_assoc_plan;

/**
 * A function of the host that receives one line of text for each connection, attempt, retry and
 * outcome of a client.
 *
 * `context` is what was given to `fpga_assoc_config_set_log`. `level` is an `fpga_assoc_log_level`.
 * `line` is one line of UTF-8 without control
 * characters that ends in NUL, at most 1,023 bytes, never with the token; it is valid during the
 * call alone.
 *
 * It is called on the thread that makes the call, or on one of a plan's, from several at once where
 * several call, and may itself call any function of this library but free what is in use, such as its
 * own client. It must return: no exception, no longjmp and no pthread_exit may leave it. It may fork:
 * where the child returns too, the call ends there as `FPGA_ASSOC_CONNECTION_LOST`, because the connection
 * is the parent's. (In a plan it may not return: see `fpga_assoc_client_apply`.)
 */
typedef void (*fpga_assoc_log_fn)(void *context, int32_t level, const char *line);

/**
 * A function of the host that gives a client credentials.
 *
 * `context` is what was given to `fpga_assoc_config_set_credentials_callback`. `reason` is an
 * `fpga_assoc_reason`. `grant` is what to answer with, during the call alone: the function calls
 * `fpga_assoc_grant_token`, `fpga_assoc_grant_access_key` or `fpga_assoc_grant_refuse`; the last that
 * succeeds counts. Where it calls none, and the client has none that still do, the call is
 * `FPGA_ASSOC_CREDENTIALS_FAILED`.
 *
 * It is called on the thread of a call that needs credentials, by one thread at a time for each
 * client; calls that need them too wait until their own deadline or `fpga_assoc_client_shutdown`. No
 * deadline ends the function itself. It may call any function of this library but calls of the same
 * client: they are `FPGA_ASSOC_INVALID_ARGUMENT`. (Two clients whose functions call each other wait until
 * a deadline.) What it does to the thread's last error is undone. It must return: no exception, no
 * longjmp and no pthread_exit may leave it. It may fork: where the child returns too, the call ends there
 * as `FPGA_ASSOC_CONNECTION_LOST`, because the client's connections are the parent's. (In a plan it may not
 * return: see `fpga_assoc_client_apply`.)
 */
typedef void (*fpga_assoc_credentials_fn)(void *context,
                                          int32_t reason,
                                          struct fpga_assoc_grant *grant);

/**
 * One pair of a list: an FPGA image that is associated with an ECS image, as the service describes
 * it.
 *
 * Only the library allocates entries, and later versions add fields at the end alone: use pointers
 * to entries, never arrays of them or their size. No text is NULL: what the service did not give,
 * or gave in another type than documented, is "". A text that repeats the token is withheld: "the
 * answer repeats the token" stands in its place. All text belongs to the list and lives as long as
 * it.
 */
typedef struct fpga_assoc_entry {
  /**
   * The ECS image's id.
   */
  const char *ecs_id;
  /**
   * The FPGA image's id.
   */
  const char *fpga_id;
  /**
   * The FPGA image's name.
   */
  const char *name;
  /**
   * The FPGA image's description.
   */
  const char *description;
  /**
   * The FPGA image's status, such as "active".
   */
  const char *status;
  /**
   * When the FPGA image was made, in UTC, such as "2017-10-16 07:46:06".
   */
  const char *created_at;
  /**
   * What the service says about the FPGA image's making.
   */
  const char *message;
  /**
   * More about the FPGA image, as JSON.
   */
  const char *metadata;
  /**
   * Where the FPGA image's logs are.
   */
  const char *log_directory;
  /**
   * The FPGA image's size in MB; 0 where the service did not give it.
   */
  uint64_t size_mb;
  /**
   * Whether the FPGA image can't be deleted because it is associated.
   */
  bool is_protected;
} fpga_assoc_entry;

/**
 * A function of the host that is told how far a plan is: `settled` of its `total` pairs have their
 * result.
 *
 * `context` is what was given to `fpga_assoc_plan_set_progress`. It is called on the thread that
 * called `fpga_assoc_client_apply` or `fpga_assoc_client_compare`, never twice at once, at most five times
 * a second and at the end, where there was something new. It may call any function of this library but
 * free the plan or the client; `fpga_assoc_client_shutdown` stops the plan. It must return: no
 * exception, no longjmp and no pthread_exit may leave it. It may fork: where the child returns too, the
 * call ends there as `FPGA_ASSOC_INCOMPLETE`, with an outcome that is not known where it was to apply
 * the plan.
 */
typedef void (*fpga_assoc_progress_fn)(void *context, size_t settled, size_t total);

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * Associates an FPGA image with an ECS image, so that servers made from the ECS image can load the
 * FPGA image.
 *
 * Sends `POST /v1/{project_id}/cloudservers/fpga_image/{fpga_image_id}/association` with the body
 * `{"image":{"id":"<ecs_id>"}}`, as the document "Associating an FPGA Image with an ECS Image" of
 * the Elastic Cloud Server API reference says. The service asks that the ECS image is private and
 * has fewer than 10 FPGA images, and for the IAM action `ecs:cloudServerFpgaImages:relate`.
 *
 * All arguments are text that ends in NUL, borrowed for the call:
 *
 * - `endpoint`: where the service is: "host", "host:port" or "https://host[:port][/]", an IPv6
 *   address in brackets, such as "ecs.cn-north-1.myhuaweicloud.com". The port is 443 unless it is
 *   given. "http://" is accepted for this very machine alone (localhost, 127.0.0.0/8, [::1]). User
 *   information, a path, a query or a fragment is refused.
 * - `token`: an IAM token of project scope, 1 to 65,536 bytes of visible ASCII. It goes to the
 *   endpoint and nowhere else.
 * - `project_id`: the project that the token is for.
 * - `fpga_id`: the id of the FPGA image.
 * - `ecs_id`: the id of the ECS image (not of a server).
 *
 * The three ids have 1 to 128 of the characters A-Z a-z 0-9 - _ each. A UUID as `fpga_id` together
 * with 32 hex digits as `ecs_id` is refused as swapped.
 *
 * Returns `FPGA_ASSOC_OK`, or another `fpga_assoc_status`; then `fpga_assoc_last_error` and
 * `fpga_assoc_last_error_detail` of the same thread tell more. A NULL or unusable argument is
 * `FPGA_ASSOC_INVALID_ARGUMENT`, and nothing is sent.
 *
 * The call ends within 30 seconds, name lookup, connecting, TLS, sending, waiting and all attempts
 * included. The certificate and the host name are always verified, against the system's trusted
 * certificates (or those that the environment's SSL_CERT_FILE and SSL_CERT_DIR name). Redirects are
 * never followed.
 *
 * A returned status is what happened. `FPGA_ASSOC_OK` means that the service answered with success
 * (HTTP 200, 201 or 204 with no body, or with a JSON object that carries no error), or that the list
 * call shows the two images associated after a request of this call that was in doubt.
 *
 * - A refusal settles a request: HTTP 4xx, or one of the service's flow-control codes. Anything else
 *   that follows once a byte of the request may have gone out leaves it in doubt.
 * - Doubt stays, whatever later attempts are answered. Before a call in doubt fails the list call is
 *   asked for this very pair, within the same 30 seconds, and once more 500 ms later; so that there
 *   is time to ask, the service's own answer is waited for until a fifth of the time, at most 5
 *   seconds, is left. Where the list does not show the two associated either,
 *   `fpga_assoc_error_outcome_unknown` is true.
 * - HTTP 202 is in doubt: the list is asked until the time is over, then it is
 *   `FPGA_ASSOC_PENDING`.
 * - The service has one text for "associated already" and "the ECS image has its limit". The list
 *   tells which: `FPGA_ASSOC_ALREADY_ASSOCIATED` or `FPGA_ASSOC_LIMIT_REACHED`; where it can't,
 *   `FPGA_ASSOC_REJECTED`. After an earlier request of this call it may be the echo of the call's
 *   own success: with the two associated it is `FPGA_ASSOC_OK`.
 *
 * There are up to three attempts. The request is sent again only where it did not reach the service
 * (no connection, a TLS handshake or a proxy that broke off), where the service said that it did
 * nothing (HTTP 408, 425, 429, a flow-control code), where a connection kept from an earlier call
 * closed without a byte of an answer, or where the list has since shown that nothing was done. A
 * certificate that is not trusted and a proxy that refuses (407, other 4xx) are final.
 *
 * Proxies are those of the environment, as curl has them. For other settings make a client with
 * `fpga_assoc_client_new`.
 *
 * Thread-safe: any number of threads may call at once. Blocks the calling thread.
 */
FPGA_ASSOC_API
FPGA_ASSOC_MUST_CHECK
int32_t fpga_associate(const char *endpoint,
                       const char *token,
                       const char *project_id,
                       const char *fpga_id,
                       const char *ecs_id);

/**
 * Takes the association of an FPGA image with an ECS image away. Only the owner of the FPGA image
 * may.
 *
 * Sends `DELETE` to the same URI and with the same body as `fpga_associate`. The IAM action is
 * `ecs:cloudServerFpgaImages:unrelate`.
 *
 * Arguments, results, errors, time limits, attempts and questions to the list are those of
 * `fpga_associate`, the other way round: a call that was in doubt succeeds where the list does not
 * show the two associated any more. Where the service says that there is nothing to take away, and
 * the list shows that the two are not associated, it is `FPGA_ASSOC_NOT_ASSOCIATED`; where the list
 * can't tell, `FPGA_ASSOC_NOT_FOUND` or `FPGA_ASSOC_REJECTED`.
 *
 * Thread-safe: any number of threads may call at once. Blocks the calling thread.
 */
FPGA_ASSOC_API
FPGA_ASSOC_MUST_CHECK
int32_t fpga_disassociate(const char *endpoint,
                          const char *token,
                          const char *project_id,
                          const char *fpga_id,
                          const char *ecs_id);

/**
 * Lists associations: those of an FPGA image, of an ECS image, or that of both.
 *
 * Sends `GET /v1/{project_id}/cloudservers/fpga_image/associations`, page after page of 100 pairs
 * over one connection. The IAM action is `ecs:cloudServerFpgaImages:getRelations`.
 *
 * - `endpoint`, `token`, `project_id`: as for `fpga_associate`.
 * - `fpga_id`, `ecs_id`: the images; one of the two may be NULL.
 * - `list`: receives the list, to be freed with `fpga_assoc_list_free`; NULL where the call fails.
 *
 * Returns `FPGA_ASSOC_OK`, or another `fpga_assoc_status`; then `fpga_assoc_last_error` and
 * `fpga_assoc_last_error_detail` of the same thread tell more. An answer that is not the
 * documented JSON, or over 16 MiB a page, is `FPGA_ASSOC_BAD_RESPONSE`; an answer that carries an
 * error is an error, never an empty list.
 *
 * Time limits are those of `fpga_associate`. Each page is tried up to three times, after lost
 * connections and HTTP 5xx too, because a list changes nothing. By FPGA image, pages are read until
 * an empty one. Where a pair comes on two pages, what is listed moved between them: the list has it
 * once, and is read up to three times, until two readings are the same; else the call is
 * `FPGA_ASSOC_BAD_RESPONSE`.
 *
 * Thread-safe: any number of threads may call at once. Blocks the calling thread.
 */
FPGA_ASSOC_API
FPGA_ASSOC_MUST_CHECK
int32_t fpga_associations(const char *endpoint,
                          const char *token,
                          const char *project_id,
                          const char *fpga_id,
                          const char *ecs_id,
                          struct fpga_assoc_list **list);

/**
 * Closes the connections of the one-line calls that no call uses now, as
 * `fpga_assoc_client_close_idle` does for a client. Thread-safe.
 */
FPGA_ASSOC_API void fpga_assoc_close_idle(void);

/**
 * The calling thread's last error, as one line of text for people.
 *
 * It says which step failed, the host, the HTTP status, the service's code and message, and the
 * request id, as far as they are known: at most 1,023 bytes of UTF-8, no control characters, never
 * the token.
 *
 * Returns text that ends in NUL, never NULL; "" where the thread's last call succeeded or it made
 * none. The text belongs to the library and stays valid until the thread ends or makes its next call
 * that sets it: `fpga_associate`, `fpga_disassociate`, `fpga_associations`, a setter of a
 * configuration, a function that adds to a plan or sets how it is carried out, one that answers a
 * grant, or a function of a client that was given no error pointer. Copy what must live longer.
 *
 * Thread-safe: each thread has its own. In a runtime that moves work between threads, read it
 * before anything else can run.
 */
FPGA_ASSOC_API
const char *fpga_assoc_last_error(void);

/**
 * The calling thread's last error with all that is known about it, for the functions whose names
 * begin with `fpga_assoc_error_`.
 *
 * Returns NULL where the thread's last call succeeded or it made none. The error belongs to the
 * library (do not free it) and stays valid as long as the text of `fpga_assoc_last_error`.
 *
 * Thread-safe: each thread has its own.
 */
FPGA_ASSOC_API const struct fpga_assoc_error *fpga_assoc_last_error_detail(void);

/**
 * The status of the call, the same number that the call returned; `FPGA_ASSOC_OK` for NULL.
 *
 * Thread-safe.
 */
FPGA_ASSOC_API int32_t fpga_assoc_error_status(const struct fpga_assoc_error *error);

/**
 * The HTTP status of the answer; 0 where no answer came, and for NULL.
 *
 * Thread-safe.
 */
FPGA_ASSOC_API int32_t fpga_assoc_error_http_status(const struct fpga_assoc_error *error);

/**
 * One line of text for people, as `fpga_assoc_last_error` describes it; "" for NULL.
 *
 * Returns text that ends in NUL, never NULL; it belongs to the error and lives as long as it.
 * Thread-safe.
 */
FPGA_ASSOC_API const char *fpga_assoc_error_message(const struct fpga_assoc_error *error);

/**
 * The service's own code, such as "Ecs.0005"; "" where it gave none, and for NULL.
 *
 * Returns text that ends in NUL, never NULL; it belongs to the error and lives as long as it.
 * Thread-safe.
 */
FPGA_ASSOC_API const char *fpga_assoc_error_code(const struct fpga_assoc_error *error);

/**
 * The service's name for this request, which its support asks for; "" where none came, and for
 * NULL.
 *
 * Returns text that ends in NUL, never NULL; it belongs to the error and lives as long as it.
 * Thread-safe.
 */
FPGA_ASSOC_API const char *fpga_assoc_error_request_id(const struct fpga_assoc_error *error);

/**
 * How long the service asked to wait before the next call, in milliseconds, at most 86,400,000 (a
 * day); 0 where it did not ask, and for NULL. Of a plan whose time ended because the service was
 * too busy, how long it would have waited.
 *
 * Thread-safe.
 */
FPGA_ASSOC_API uint64_t fpga_assoc_error_retry_after_ms(const struct fpga_assoc_error *error);

/**
 * How many times the request was tried, for a list the page that failed; 0 where an argument was
 * refused before that, where memory ran out, and for NULL. That a kept connection was closed, and the
 * request sent once more on a new one at once, is not counted.
 *
 * Thread-safe.
 */
FPGA_ASSOC_API
uint32_t fpga_assoc_error_attempts(const struct fpga_assoc_error *error);

/**
 * Whether a request of the call may have had, or may yet have, an effect although the call failed;
 * false for NULL.
 *
 * False means that no request of the call had an effect, or will have one: nothing went out, or
 * each request was refused (HTTP 4xx, a flow-control code). It is true after anything else that
 * followed a byte of a request: a lost connection, the deadline, a shutdown, an answer that can't
 * be read, HTTP 202, 2xx of another form than success has, 1xx, 3xx, 5xx, 600 and over; and after a
 * refusal that may be the echo of an earlier request of the call, where the list can't tell. It stays
 * true whatever later requests of the call are answered, until one succeeds or the list shows the
 * two images as wanted; then the call succeeds. Where it is true, `fpga_assoc_error_observed` says
 * what the list showed; ask the list before the call is repeated. Never true for a list.
 *
 * Thread-safe.
 */
FPGA_ASSOC_API
bool fpga_assoc_error_outcome_unknown(const struct fpga_assoc_error *error);

/**
 * What the list showed of the two images when the call asked it last, an `fpga_assoc_observed`;
 * `FPGA_ASSOC_OBSERVED_NOTHING` for NULL.
 *
 * Where the outcome is unknown it is what was seen, not what will be: a gateway may hand a request
 * on later still, and a list may lag behind.
 *
 * Thread-safe.
 */
FPGA_ASSOC_API int32_t fpga_assoc_error_observed(const struct fpga_assoc_error *error);

/**
 * Frees an error that an error pointer received. NULL is ignored.
 *
 * Do not free what `fpga_assoc_last_error_detail` returned: that belongs to the library.
 *
 * Thread-safe, as long as nobody else uses the error any more.
 */
FPGA_ASSOC_API void fpga_assoc_error_free(struct fpga_assoc_error *error);

/**
 * The name of a status, as "FPGA_ASSOC_TIMEOUT"; "unknown status" for a number that is none.
 *
 * `status` may be any number. Returns constant text that ends in NUL and is valid for ever, never
 * NULL. Thread-safe.
 */
FPGA_ASSOC_API const char *fpga_assoc_status_name(int32_t status);

/**
 * The likely cause of a status and what to do about it, in a sentence or two for people.
 *
 * `status` may be any number. Returns constant text that ends in NUL and is valid for ever, never
 * NULL. Thread-safe.
 */
FPGA_ASSOC_API const char *fpga_assoc_status_help(int32_t status);

/**
 * The version of the library that is loaded, as "1.2.3"; `FPGA_ASSOC_VERSION` is that of the
 * header.
 *
 * Returns constant text that ends in NUL and is valid for ever, never NULL. Thread-safe.
 */
FPGA_ASSOC_API const char *fpga_assoc_version(void);

/**
 * New settings, each at its default.
 *
 * Returns the settings; free them with `fpga_assoc_config_free`. NULL where memory ran out: a setter
 * refuses it, and `fpga_assoc_client_new` takes it for the defaults. Thread-safe.
 */
FPGA_ASSOC_API
struct fpga_assoc_config *fpga_assoc_config_new(void);

/**
 * Frees settings. Clients that were made with them keep their own copy. NULL is ignored.
 *
 * Thread-safe, as long as nobody else uses the settings any more.
 */
FPGA_ASSOC_API void fpga_assoc_config_free(struct fpga_assoc_config *config);

/**
 * Sets the time for a whole call in milliseconds, 1 to 2,147,483,647: name lookup, connecting,
 * TLS, sending, waiting, reading, all attempts and the waits between them. The default is 30,000.
 *
 * Returns `FPGA_ASSOC_OK`, or `FPGA_ASSOC_INVALID_ARGUMENT` for another number, such as a negative
 * one from another language, and for a `config` that is NULL; sets the thread's last error.
 * Thread-safe.
 */
FPGA_ASSOC_API
FPGA_ASSOC_MUST_CHECK
int32_t fpga_assoc_config_set_timeout_ms(struct fpga_assoc_config *config,
                                         uint32_t ms);

/**
 * Sets the time for the connection of one attempt in milliseconds, 1 to 2,147,483,647: name
 * lookup, TCP, the proxy and TLS. The default is 10,000. The time for the whole call bounds it
 * too.
 *
 * Returns `FPGA_ASSOC_OK`, or `FPGA_ASSOC_INVALID_ARGUMENT` for another number, such as a negative
 * one from another language, and for a `config` that is NULL; sets the thread's last error.
 * Thread-safe.
 */
FPGA_ASSOC_API
FPGA_ASSOC_MUST_CHECK
int32_t fpga_assoc_config_set_connect_timeout_ms(struct fpga_assoc_config *config,
                                                 uint32_t ms);

/**
 * Sets how many times a request may be tried, 1 to 100. The default is 3; 1 is no second try.
 *
 * An associate or disassociate request is sent again, after a wait, only where the service
 * provably did nothing (no connection, a TLS handshake or a proxy that broke off, HTTP 408, 425 or
 * 429, a flow-control code) or a list call has shown since that it was not done. A list request, of
 * which each page has this many attempts, is also sent again after lost connections, time-outs and
 * HTTP 5xx; with 1, a list that moved while it was read is not read again. What the service asks to wait
 * is waited for where the time for the whole call allows.
 *
 * Returns `FPGA_ASSOC_OK`, or `FPGA_ASSOC_INVALID_ARGUMENT` for another number and for a `config`
 * that is NULL; sets the thread's last error. Thread-safe.
 */
FPGA_ASSOC_API
FPGA_ASSOC_MUST_CHECK
int32_t fpga_assoc_config_set_max_attempts(struct fpga_assoc_config *config,
                                           uint32_t attempts);

/**
 * Sets a file of certificates in PEM format to trust in place of the system's. The default is the
 * system's.
 *
 * Each certificate is trusted as an authority, and as a server's own: a self-signed one, or one
 * that is pinned. Host name and dates are verified all the same.
 *
 * `path` is text that ends in NUL, borrowed for the call: a regular file of at most 16 MiB, which
 * is read now. Text around the certificates is passed over; OpenSSL's "TRUSTED CERTIFICATE" is
 * read too.
 *
 * Returns `FPGA_ASSOC_OK`, or `FPGA_ASSOC_INVALID_ARGUMENT` for a file that can't be read, holds no
 * certificate, or holds a block that is none, and for NULL; sets the thread's last error.
 * Thread-safe.
 */
FPGA_ASSOC_API
FPGA_ASSOC_MUST_CHECK
int32_t fpga_assoc_config_set_ca_file(struct fpga_assoc_config *config,
                                      const char *path);

/**
 * Sets certificates in PEM format to trust in place of the system's, as
 * `fpga_assoc_config_set_ca_file` does, from memory.
 *
 * `pem` is `length` bytes, at most 16 MiB, borrowed for the call; it need not end in NUL.
 *
 * Returns `FPGA_ASSOC_OK`, or `FPGA_ASSOC_INVALID_ARGUMENT` for a text that holds no certificate or
 * a block that is none, and for NULL; sets the thread's last error. Thread-safe.
 */
FPGA_ASSOC_API
FPGA_ASSOC_MUST_CHECK
int32_t fpga_assoc_config_set_ca_pem(struct fpga_assoc_config *config,
                                     const char *pem,
                                     size_t length);

/**
 * Sets the certificate that the endpoint sees where it asks for one. The default is none. A proxy
 * never sees it.
 *
 * `pem` is `length` bytes, at most 16 MiB, borrowed for the call; it need not end in NUL. It holds,
 * in PEM format, the certificate, those between it and its authority, and the private key, which
 * must not be encrypted: RSA, ECDSA (P-256, P-384) or Ed25519.
 *
 * Returns `FPGA_ASSOC_OK`, or `FPGA_ASSOC_INVALID_ARGUMENT` for a text without a certificate or a
 * key, with a key of another certificate, and for NULL; sets the thread's last error. Thread-safe.
 */
FPGA_ASSOC_API
FPGA_ASSOC_MUST_CHECK
int32_t fpga_assoc_config_set_client_certificate(struct fpga_assoc_config *config,
                                                 const char *pem,
                                                 size_t length);

/**
 * Sets the proxy, as "[scheme://][user[:password]@]host[:port]" with the scheme http (the
 * default), https, socks5 (the host's address is looked up here) or socks5h (the proxy looks it
 * up), and the port 1080 (443 for https) unless it is given. User and password are
 * percent-encoded. "" is no proxy.
 *
 * The default is the environment's, as curl has it, read when the client is made: `https_proxy`,
 * `HTTPS_PROXY`, `all_proxy`, `ALL_PROXY`. In both cases the hosts that `no_proxy` or `NO_PROXY`
 * names are reached directly.
 *
 * `url` is text that ends in NUL, borrowed for the call.
 *
 * Returns `FPGA_ASSOC_OK`, or `FPGA_ASSOC_INVALID_ARGUMENT` for a URL that can't be used and for
 * NULL; sets the thread's last error. Thread-safe.
 */
FPGA_ASSOC_API
FPGA_ASSOC_MUST_CHECK
int32_t fpga_assoc_config_set_proxy(struct fpga_assoc_config *config,
                                    const char *url);

/**
 * Sets the caller's product, such as "deploy-tool/2.1", which the request's User-Agent names in
 * front of the library's own. The default is none.
 *
 * `product` is text that ends in NUL, borrowed for the call: 1 to 256 bytes of visible ASCII and
 * spaces.
 *
 * Returns `FPGA_ASSOC_OK`, or `FPGA_ASSOC_INVALID_ARGUMENT` for other text and for NULL; sets the
 * thread's last error. Thread-safe.
 */
FPGA_ASSOC_API
FPGA_ASSOC_MUST_CHECK
int32_t fpga_assoc_config_set_user_agent(struct fpga_assoc_config *config,
                                         const char *product);

/**
 * Sets whether an endpoint may be plain "http://" beyond this very machine, where everyone on the
 * way can read the token. The default is false.
 *
 * Returns `FPGA_ASSOC_OK`, or `FPGA_ASSOC_INVALID_ARGUMENT` for a `config` that is NULL; sets the
 * thread's last error. Thread-safe.
 */
FPGA_ASSOC_API
FPGA_ASSOC_MUST_CHECK
int32_t fpga_assoc_config_set_allow_http(struct fpga_assoc_config *config,
                                         bool allow);

/**
 * Sets whether the list call is asked where only that can tell: what became of a request whose
 * outcome is not known, and which of its two causes a refusal has. The default is true. It needs the
 * IAM action `ecs:cloudServerFpgaImages:getRelations`.
 *
 * Where it is false nothing is asked: what would have been asked about ends with
 * `fpga_assoc_error_outcome_unknown` true, HTTP 202 as `FPGA_ASSOC_PENDING`, and a refusal with two
 * causes as `FPGA_ASSOC_REJECTED` or `FPGA_ASSOC_NOT_FOUND`.
 *
 * Returns `FPGA_ASSOC_OK`, or `FPGA_ASSOC_INVALID_ARGUMENT` for a `config` that is NULL; sets the
 * thread's last error. Thread-safe.
 */
FPGA_ASSOC_API
FPGA_ASSOC_MUST_CHECK
int32_t fpga_assoc_config_set_confirm(struct fpga_assoc_config *config,
                                      bool confirm);

/**
 * Sets whether a change that finds nothing to do is a success: `FPGA_ASSOC_OK` in place of
 * `FPGA_ASSOC_ALREADY_ASSOCIATED` and `FPGA_ASSOC_NOT_ASSOCIATED`, for tools that are run again. The
 * default is false. It needs the list call (`fpga_assoc_config_set_confirm`).
 *
 * Returns `FPGA_ASSOC_OK`, or `FPGA_ASSOC_INVALID_ARGUMENT` for a `config` that is NULL; sets the
 * thread's last error. Thread-safe.
 */
FPGA_ASSOC_API
FPGA_ASSOC_MUST_CHECK
int32_t fpga_assoc_config_set_idempotent(struct fpga_assoc_config *config,
                                         bool idempotent);

/**
 * Sets a function that receives lines of text about what the client does. The default, and NULL,
 * is none.
 *
 * `context` is handed to the function as it is; it may be NULL. Both must stay usable until every
 * client that was made with these settings is freed.
 *
 * Returns `FPGA_ASSOC_OK`, or `FPGA_ASSOC_INVALID_ARGUMENT` for a `config` that is NULL; sets the
 * thread's last error. Thread-safe.
 */
FPGA_ASSOC_API
FPGA_ASSOC_MUST_CHECK
int32_t fpga_assoc_config_set_log(struct fpga_assoc_config *config,
                                  fpga_assoc_log_fn log,
                                  void *context);

/**
 * Sets the IAM token of calls that bring none. It lives 24 hours, so that it is for short programs;
 * `fpga_assoc_config_set_credentials_callback` is for long ones.
 *
 * A client has one kind of credentials, the last that was set: this, an access key, the
 * environment's, the ECS agency's, or a callback's.
 *
 * `token` is text that ends in NUL, borrowed for the call: 1 to 65,536 bytes of visible ASCII. It is
 * copied and kept masked; the copies are wiped when the settings and their clients are freed.
 *
 * Returns `FPGA_ASSOC_OK`, or `FPGA_ASSOC_INVALID_ARGUMENT` for other text and for NULL; sets the
 * thread's last error. Thread-safe.
 */
FPGA_ASSOC_API
FPGA_ASSOC_MUST_CHECK
int32_t fpga_assoc_config_set_token(struct fpga_assoc_config *config,
                                    const char *token);

/**
 * Sets the access key (AK/SK) with which calls that bring no token are signed, as the "API Request
 * Signing Guide" has it (`SDK-HMAC-SHA256`). The secret key is sent nowhere.
 *
 * Each attempt is signed anew. The service refuses signatures that are more than 15 minutes old, so
 * that this machine's clock must be right; and it locks an access key for five minutes after five
 * failures in a row, for every program that uses it. So a call that is refused with HTTP 401 is not
 * repeated, and after an answer that says that the key is locked the client's calls are
 * `FPGA_ASSOC_CREDENTIALS_FAILED` for 60 seconds, without a request.
 *
 * A signed request goes over TLS, or to this very machine: `fpga_assoc_config_set_allow_http` does
 * not change that.
 *
 * All are text that ends in NUL, borrowed for the call, copied and kept masked; the copies are wiped
 * when the settings and their clients are freed:
 *
 * - `access_key`: 1 to 128 bytes of visible ASCII without a comma.
 * - `secret_key`: 1 to 256 bytes of visible ASCII.
 * - `security_token`: that of a temporary key, 1 to 65,536 bytes of visible ASCII; NULL for a permanent
 *   key.
 *
 * Returns `FPGA_ASSOC_OK`, or `FPGA_ASSOC_INVALID_ARGUMENT` for other text, such as white space at an
 * end, and for NULL; sets the thread's last error. Thread-safe.
 */
FPGA_ASSOC_API
FPGA_ASSOC_MUST_CHECK
int32_t fpga_assoc_config_set_access_key(struct fpga_assoc_config *config,
                                         const char *access_key,
                                         const char *secret_key,
                                         const char *security_token);

/**
 * Sets the access key that the vendor's tools would find in the environment, as
 * `fpga_assoc_config_set_access_key` does. The first of these that is there:
 *
 * 1. the variables `HUAWEICLOUD_SDK_AK`, `HUAWEICLOUD_SDK_SK` and, for a temporary key,
 *    `HUAWEICLOUD_SDK_SECURITY_TOKEN`;
 * 2. the variables `HW_ACCESS_KEY`, `HW_SECRET_KEY` and `HW_SECURITY_TOKEN`;
 * 3. `ak`, `sk` and `security_token` in the section `[basic]` of the file that
 *    `HUAWEICLOUD_SDK_CREDENTIALS_FILE` names, or else of `~/.huaweicloud/credentials` (`HOME`;
 *    `USERPROFILE` on Windows). It is a regular file of at most 64 KiB; where everyone may read it,
 *    the log gets a warning when a client is made.
 *
 * A variable that is empty counts as unset. Variables and file are read now and not again, and the
 * network is never asked. Where a place has a part of a key alone, that is an error: the next place is
 * not asked for another.
 *
 * Returns `FPGA_ASSOC_OK`; `FPGA_ASSOC_CREDENTIALS_FAILED` where there is no key or none that can be
 * used, and then the settings are as before; `FPGA_ASSOC_INVALID_ARGUMENT` for a `config` that is NULL;
 * sets the thread's last error. Thread-safe, as long as no other thread changes the environment.
 */
FPGA_ASSOC_API
FPGA_ASSOC_MUST_CHECK
int32_t fpga_assoc_config_set_environment_credentials(struct fpga_assoc_config *config);

/**
 * Has calls that bring no token signed with the temporary keys of the agency that is bound to the ECS
 * server on which this runs (trusted: the service ECS).
 *
 * The server's metadata service is asked for them at the client's first call, and again before they
 * expire or when the service refuses them: at `http://169.254.169.254`, never through a proxy, and never
 * anywhere else. A question to it takes 3 seconds at most.
 *
 * Other keys are asked for when a quarter of the life of those that are there is left, or 10 minutes,
 * whichever is less: one thread does so, and where it fails those that are there are used on; it is
 * tried again after 30 seconds. When a minute is left, others are needed: one thread asks, and calls
 * wait for it until their own deadline or `fpga_assoc_client_shutdown`. Where there are none, the call
 * is `FPGA_ASSOC_CREDENTIALS_FAILED`. Where the service answers HTTP 401, others are asked for, and where
 * they are others, the request is sent once more.
 *
 * Returns `FPGA_ASSOC_OK`, or `FPGA_ASSOC_INVALID_ARGUMENT` for a `config` that is NULL; sets the
 * thread's last error. Thread-safe.
 */
FPGA_ASSOC_API
FPGA_ASSOC_MUST_CHECK
int32_t fpga_assoc_config_set_ecs_agency(struct fpga_assoc_config *config);

/**
 * Sets a function of the host that gives credentials to calls that bring no token: from a vault, from
 * IAM, or from wherever the host has them.
 *
 * It is called at the client's first call, before credentials expire (by the rule of
 * `fpga_assoc_config_set_ecs_agency`), and when the service answers HTTP 401: then the request is sent
 * once more where what is granted is not the same. NULL takes the client's credentials away.
 *
 * `context` is handed to the function as it is; it may be NULL. Both must stay usable until every
 * client that was made with these settings is freed.
 *
 * Returns `FPGA_ASSOC_OK`, or `FPGA_ASSOC_INVALID_ARGUMENT` for a `config` that is NULL; sets the
 * thread's last error. Thread-safe.
 */
FPGA_ASSOC_API
FPGA_ASSOC_MUST_CHECK
int32_t fpga_assoc_config_set_credentials_callback(struct fpga_assoc_config *config,
                                                   fpga_assoc_credentials_fn credentials,
                                                   void *context);

/**
 * Grants an IAM token, which is copied.
 *
 * - `grant`: what the callback was given.
 * - `token`: text that ends in NUL, borrowed for the call: 1 to 65,536 bytes of visible ASCII.
 * - `expires_at`: when it expires, in seconds since 1970; 0 where that is not known, and then it is used
 *   until the service refuses it.
 *
 * Returns `FPGA_ASSOC_OK`, or `FPGA_ASSOC_INVALID_ARGUMENT` for other text, a negative time, and for
 * NULL; sets the thread's last error. Thread-safe.
 */
FPGA_ASSOC_API
FPGA_ASSOC_MUST_CHECK
int32_t fpga_assoc_grant_token(struct fpga_assoc_grant *grant,
                               const char *token,
                               int64_t expires_at);

/**
 * Grants an access key, which is copied.
 *
 * - `grant`: what the callback was given.
 * - `access_key`, `secret_key`, `security_token`: as for `fpga_assoc_config_set_access_key`.
 * - `expires_at`: as for `fpga_assoc_grant_token`.
 *
 * Returns `FPGA_ASSOC_OK`, or `FPGA_ASSOC_INVALID_ARGUMENT` for other text, a negative time, and for
 * NULL; sets the thread's last error. Thread-safe.
 */
FPGA_ASSOC_API
FPGA_ASSOC_MUST_CHECK
int32_t fpga_assoc_grant_access_key(struct fpga_assoc_grant *grant,
                                    const char *access_key,
                                    const char *secret_key,
                                    const char *security_token,
                                    int64_t expires_at);

/**
 * Refuses to grant anything: where the client has no credentials that still do, the call is
 * `FPGA_ASSOC_CREDENTIALS_FAILED` with this message in its own; withheld where it repeats the client's
 * credentials.
 *
 * - `grant`: what the callback was given.
 * - `message`: text that ends in NUL, borrowed for the call; NULL is none.
 *
 * Returns `FPGA_ASSOC_OK`, or `FPGA_ASSOC_INVALID_ARGUMENT` for text that is not UTF-8 and for a `grant`
 * that is NULL; sets the thread's last error. Thread-safe.
 */
FPGA_ASSOC_API
int32_t fpga_assoc_grant_refuse(struct fpga_assoc_grant *grant,
                                const char *message);

/**
 * Makes a client. It connects when it is first used.
 *
 * - `endpoint`: as for `fpga_associate`; "http://" to any host where the settings allow it.
 *   Borrowed for the call.
 * - `config`: the settings, which are copied; NULL for the defaults.
 * - `client`: receives the client, to be freed with `fpga_assoc_client_free`; NULL where the call
 *   fails.
 * - `error`: NULL, or receives the error, to be freed with `fpga_assoc_error_free`; NULL where the
 *   call succeeds. Where it is NULL the thread's last error is set instead.
 *
 * Returns `FPGA_ASSOC_OK`, or another `fpga_assoc_status`: `FPGA_ASSOC_INVALID_ARGUMENT` for an
 * endpoint that can't be used, such as plain "http://" beyond this very machine where requests are
 * signed, and for an `endpoint` or a `client` that is NULL. The proxies of the
 * environment are read now. Thread-safe.
 */
FPGA_ASSOC_API
FPGA_ASSOC_MUST_CHECK
int32_t fpga_assoc_client_new(const char *endpoint,
                              const struct fpga_assoc_config *config,
                              struct fpga_assoc_client **client,
                              struct fpga_assoc_error **error);

/**
 * Associates an FPGA image with an ECS image, as `fpga_associate` does, with the client's
 * settings.
 *
 * The arguments are those of `fpga_associate`. `token` may be NULL where the client has credentials
 * of its own (`fpga_assoc_config_set_token` and those below it); a token that is given is used in their
 * place, for this call. `error` is NULL, or receives the error, to be freed
 * with `fpga_assoc_error_free`; NULL where the call succeeds. Where it is NULL the thread's last
 * error is set instead: runtimes that move work between threads (Go, Java, async) must give one.
 *
 * Returns `FPGA_ASSOC_OK`, or another `fpga_assoc_status`; `FPGA_ASSOC_INVALID_ARGUMENT` for a
 * `client` that is NULL.
 *
 * Thread-safe: any number of threads may call at once, each on a connection of its own. Blocks the
 * calling thread, until the time for the whole call has passed at the latest.
 */
FPGA_ASSOC_API
FPGA_ASSOC_MUST_CHECK
int32_t fpga_assoc_client_associate(struct fpga_assoc_client *client,
                                    const char *token,
                                    const char *project_id,
                                    const char *fpga_id,
                                    const char *ecs_id,
                                    struct fpga_assoc_error **error);

/**
 * Takes an association away, as `fpga_disassociate` does, with the client's settings.
 *
 * Arguments, results and errors are those of `fpga_assoc_client_associate`.
 *
 * Thread-safe: any number of threads may call at once, each on a connection of its own. Blocks the
 * calling thread, until the time for the whole call has passed at the latest.
 */
FPGA_ASSOC_API
FPGA_ASSOC_MUST_CHECK
int32_t fpga_assoc_client_disassociate(struct fpga_assoc_client *client,
                                       const char *token,
                                       const char *project_id,
                                       const char *fpga_id,
                                       const char *ecs_id,
                                       struct fpga_assoc_error **error);

/**
 * Lists associations, as `fpga_associations` does, with the client's settings.
 *
 * The arguments are those of `fpga_associations`; `token` may be NULL as for
 * `fpga_assoc_client_associate`, and one of `fpga_id` and `ecs_id` may be NULL.
 * `list` receives the list, to be freed with `fpga_assoc_list_free`; NULL where the call fails.
 * `error` is as for `fpga_assoc_client_associate`.
 *
 * Returns `FPGA_ASSOC_OK`, or another `fpga_assoc_status`; `FPGA_ASSOC_INVALID_ARGUMENT` for a
 * `client` or a `list` that is NULL.
 *
 * Thread-safe: any number of threads may call at once, each on a connection of its own. Blocks the
 * calling thread, until the time for the whole call, all pages included, has passed at the latest.
 */
FPGA_ASSOC_API
FPGA_ASSOC_MUST_CHECK
int32_t fpga_assoc_client_associations(struct fpga_assoc_client *client,
                                       const char *token,
                                       const char *project_id,
                                       const char *fpga_id,
                                       const char *ecs_id,
                                       struct fpga_assoc_list **list,
                                       struct fpga_assoc_error **error);

/**
 * Ends the client's calls: those under way in other threads return `FPGA_ASSOC_CANCELLED` at once,
 * and so do all later ones.
 *
 * NULL is ignored. The client must still be freed, after the calls have returned; the thread whose
 * call this ended may do so at once, while this function is still returning in another. In a child
 * of fork it ends the child's calls alone. Thread-safe: meant to be called from another thread.
 */
FPGA_ASSOC_API void fpga_assoc_client_shutdown(struct fpga_assoc_client *client);

/**
 * Closes the connections that no call of the client uses now; those that a call uses are kept
 * after it as before.
 *
 * A client keeps at most 100 connections, each for at most 55 seconds without use. NULL is ignored.
 * In a child of fork it closes the child's alone. Thread-safe.
 */
FPGA_ASSOC_API void fpga_assoc_client_close_idle(struct fpga_assoc_client *client);

/**
 * Frees a client, wipes its credentials and closes its connections. (A child of fork leaves alone, as
 * they are, those that its parent was granted or asked the agency for.) NULL is ignored.
 *
 * Thread-safe, as long as nobody else uses the client any more; a call of
 * `fpga_assoc_client_shutdown` that has begun is not use.
 */
FPGA_ASSOC_API
void fpga_assoc_client_free(struct fpga_assoc_client *client);

/**
 * How many pairs a list has; 0 for NULL.
 *
 * Thread-safe.
 */
FPGA_ASSOC_API size_t fpga_assoc_list_len(const struct fpga_assoc_list *list);

/**
 * One pair of a list, counted from 0; NULL past the end, and for NULL.
 *
 * Returns an entry that belongs to the list and lives as long as it. Thread-safe.
 */
FPGA_ASSOC_API
const struct fpga_assoc_entry *fpga_assoc_list_get(const struct fpga_assoc_list *list,
                                                   size_t index);

/**
 * The list as one JSON document of the service's form, all pages put together; "" for NULL.
 *
 * Fields that this library does not know, and numbers of any size, are as they came; a field of the
 * document or of an ECS image that several pages have is that of the first. A value that repeats the
 * token is withheld.
 *
 * Returns text that ends in NUL, never NULL; it belongs to the list and lives as long as it.
 * Thread-safe.
 */
FPGA_ASSOC_API
const char *fpga_assoc_list_json(const struct fpga_assoc_list *list);

/**
 * Frees a list, and with it its entries and texts. NULL is ignored.
 *
 * Thread-safe, as long as nobody else uses the list any more.
 */
FPGA_ASSOC_API void fpga_assoc_list_free(struct fpga_assoc_list *list);

/**
 * A plan without pairs.
 *
 * Returns the plan; free it with `fpga_assoc_plan_free`. NULL where memory ran out: what would
 * fill it or carry it out refuses that. Thread-safe.
 */
FPGA_ASSOC_API struct fpga_assoc_plan *fpga_assoc_plan_new(void);

/**
 * Frees a plan, its results and their errors. NULL is ignored.
 *
 * Thread-safe, as long as nobody else uses the plan any more.
 */
FPGA_ASSOC_API void fpga_assoc_plan_free(struct fpga_assoc_plan *plan);

/**
 * Adds a pair to a plan, and says what is wanted of it.
 *
 * - `plan`: the plan.
 * - `fpga_id`, `ecs_id`: as for `fpga_associate`; borrowed for the call.
 * - `associated`: true where the two are to be associated, false where not.
 *
 * The pair's index is the number of pairs that were added before. The same pair may be added twice, if
 * the same is wanted of it. A plan has at most 10,000,000 pairs; it takes about 60 bytes for each beside
 * its ids while it is carried out, and some hundred for the error of each that failed.
 *
 * Returns `FPGA_ASSOC_OK`, or `FPGA_ASSOC_INVALID_ARGUMENT` for ids that `fpga_associate` would refuse,
 * for a plan that is just being carried out, and for NULL; sets the thread's last error. Where it fails
 * nothing was added. Thread-safe.
 */
FPGA_ASSOC_API
FPGA_ASSOC_MUST_CHECK
int32_t fpga_assoc_plan_add(struct fpga_assoc_plan *plan,
                            const char *fpga_id,
                            const char *ecs_id,
                            bool associated);

/**
 * Sets how many requests of a plan may be under way at once, 1 to 100. The default is 8.
 *
 * Each has a connection and a thread of the library's own, with no more than a megabyte of stack; all of
 * these have ended when the call returns. Where the system gives fewer, there are fewer. With 1
 * there is none: everything but the lookup of a host name, callbacks too, happens on the thread that
 * calls.
 *
 * Returns `FPGA_ASSOC_OK`, or `FPGA_ASSOC_INVALID_ARGUMENT` for another number, for a plan that is
 * just being carried out, and for a `plan` that is NULL; sets the thread's last error. Thread-safe.
 */
FPGA_ASSOC_API
FPGA_ASSOC_MUST_CHECK
int32_t fpga_assoc_plan_set_parallel(struct fpga_assoc_plan *plan,
                                     uint32_t requests);

/**
 * Sets the time for a whole plan in milliseconds, 1 to 2,147,483,647. The default is none: a plan
 * takes as long as it takes. The time for a whole call that the client has
 * (`fpga_assoc_config_set_timeout_ms`) bounds each call of the plan, not the plan.
 *
 * When it has passed no more is sent, and what is under way ends with it: a change that had begun may
 * then fail with an outcome that is not known.
 *
 * Returns `FPGA_ASSOC_OK`, or `FPGA_ASSOC_INVALID_ARGUMENT` for another number, for a plan that is
 * just being carried out, and for a `plan` that is NULL; sets the thread's last error. Thread-safe.
 */
FPGA_ASSOC_API
FPGA_ASSOC_MUST_CHECK
int32_t fpga_assoc_plan_set_timeout_ms(struct fpga_assoc_plan *plan,
                                       uint32_t ms);

/**
 * Sets a function that is told how far a plan is. The default, and NULL, is none.
 *
 * `context` is handed to the function as it is; it may be NULL. Both must stay usable while the plan
 * is carried out.
 *
 * Returns `FPGA_ASSOC_OK`, or `FPGA_ASSOC_INVALID_ARGUMENT` for a plan that is just being carried out,
 * and for a `plan` that is NULL; sets the thread's last error. Thread-safe.
 */
FPGA_ASSOC_API
FPGA_ASSOC_MUST_CHECK
int32_t fpga_assoc_plan_set_progress(struct fpga_assoc_plan *plan,
                                     fpga_assoc_progress_fn progress,
                                     void *context);

/**
 * Compares a plan with what there is, and changes nothing.
 *
 * - `client`: makes the calls, with its settings.
 * - `token`: as for `fpga_assoc_client_associate`; it may be NULL where the client has credentials of its
 *   own.
 * - `project_id`: as for `fpga_associate`.
 * - `plan`: receives a result for each pair: `FPGA_ASSOC_RESULT_AS_WANTED`,
 *   `FPGA_ASSOC_RESULT_TO_CHANGE`, or `FPGA_ASSOC_RESULT_FAILED` where what there is could not be read.
 *   Results and errors of an earlier call are gone when this one begins.
 * - `error`: as for `fpga_assoc_client_associate`.
 *
 * The texts are borrowed for the call. It asks for the list of each ECS image of the plan, or of each FPGA
 * image where that takes fewer requests, and needs the IAM action
 * `ecs:cloudServerFpgaImages:getRelations`.
 *
 * Returns `FPGA_ASSOC_OK` where every pair was compared, whether it is as wanted or not;
 * `FPGA_ASSOC_INCOMPLETE` where not, as for `fpga_assoc_client_apply`; or `FPGA_ASSOC_INVALID_ARGUMENT`
 * as there.
 *
 * Thread-safe. Blocks the calling thread until the plan has come to its end.
 */
FPGA_ASSOC_API
FPGA_ASSOC_MUST_CHECK
int32_t fpga_assoc_client_compare(struct fpga_assoc_client *client,
                                  const char *token,
                                  const char *project_id,
                                  struct fpga_assoc_plan *plan,
                                  struct fpga_assoc_error **error);

/**
 * Brings the pairs of a plan to what is wanted of them.
 *
 * The arguments are those of `fpga_assoc_client_compare`. The results are
 * `FPGA_ASSOC_RESULT_AS_WANTED` where nothing was to be done, `FPGA_ASSOC_RESULT_CHANGED`,
 * `FPGA_ASSOC_RESULT_FAILED` with an error, for which all is true that is said of
 * `fpga_assoc_client_associate` and its error, and `FPGA_ASSOC_RESULT_OPEN` where the plan was stopped
 * before anything was done for the pair.
 *
 * What there is is read first, and the differences alone are sent: a plan that is carried out once more
 * sends no change, and one that was stopped, or whose process was killed, goes on where it ended. At one
 * ECS image one pair is changed after the other, and what is to be taken away goes first, so that there is
 * room for the rest. A pair that somebody else brings to what is wanted meanwhile is as wanted;
 * or changed, where the service had refused the plan's own request for it before (HTTP 409, 429), so
 * that whose it is can't be told.
 *
 * So many requests as `fpga_assoc_plan_set_parallel` says are under way at once, on threads of the
 * library's own that have ended when the call returns; the functions for the log and for credentials are
 * called there. (A child that one of them forks may not return: its process would end with that
 * thread.) Where the service is too busy (HTTP 429, flow control) all of them slow down, wait as long as
 * it asks, and grow faster again with the time; the pair is sent again.
 *
 * A plan stops, and leaves the rest of its pairs open, when its time is over
 * (`fpga_assoc_plan_set_timeout_ms`), the client is shut down, memory runs out, who asks is refused
 * (HTTP 401, no credentials), or the service is dead: for ten seconds none of the calls brought anything
 * of use (it could not be reached, or answered what can't be used, HTTP 5xx or HTTP 403), or for five
 * minutes it was too busy for all of them without asking for a pause. A pair that fails for such a
 * reason does not stop the others. One at which another change is under way (HTTP 409) is tried up to
 * six times; one whose change is in doubt and could not be asked about, as when the service starts anew, is
 * looked at once more when the others have come to their end.
 *
 * Returns `FPGA_ASSOC_OK` where every pair is as wanted, and for a plan without pairs;
 * `FPGA_ASSOC_INCOMPLETE` where not, also where the plan was stopped (`FPGA_ASSOC_OUT_OF_MEMORY` where
 * memory ran out), with an error that counts the pairs and says why it was stopped: its HTTP status, code,
 * request id and time to wait are then those of that reason, and its outcome is unknown where that of a
 * pair is. `FPGA_ASSOC_INVALID_ARGUMENT` means that nothing was sent: for an argument that
 * `fpga_assoc_client_associate` would refuse, a `plan` that is NULL or is just being carried out, one that
 * wants a pair both ways, and one that wants more than ten FPGA images at one ECS image; the message
 * names the pair. `FPGA_ASSOC_CANCELLED` means that the client was shut down before.
 *
 * Thread-safe: one client may carry out several plans at once, beside other calls. Blocks the calling
 * thread until the plan has come to its end. (In a child of `_Fork` or `clone`, not of `fork`, the C library
 * can't begin threads where another thread of the parent was beginning one.)
 */
FPGA_ASSOC_API
FPGA_ASSOC_MUST_CHECK
int32_t fpga_assoc_client_apply(struct fpga_assoc_client *client,
                                const char *token,
                                const char *project_id,
                                struct fpga_assoc_plan *plan,
                                struct fpga_assoc_error **error);

/**
 * How many pairs a plan has; 0 for NULL.
 *
 * Thread-safe.
 */
FPGA_ASSOC_API size_t fpga_assoc_plan_len(const struct fpga_assoc_plan *plan);

/**
 * What became of the pair with this index, an `fpga_assoc_result`; `FPGA_ASSOC_RESULT_OPEN` for an
 * index past the end, and for NULL. While the plan is carried out it is what is known so far.
 *
 * Thread-safe.
 */
FPGA_ASSOC_API int32_t fpga_assoc_plan_result(const struct fpga_assoc_plan *plan, size_t index);

/**
 * Why the pair with this index failed.
 *
 * Returns the error; NULL unless the pair's result is `FPGA_ASSOC_RESULT_FAILED`, for an index past
 * the end, and for NULL. It belongs to the plan (do not free it) and lives until the plan is
 * carried out or compared again, or freed. Thread-safe.
 */
FPGA_ASSOC_API
const struct fpga_assoc_error *fpga_assoc_plan_error(const struct fpga_assoc_plan *plan,
                                                     size_t index);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* FPGA_ASSOCIATE_H */
