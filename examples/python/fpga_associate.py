"""Associates FPGA images with ECS images of Huawei Cloud: libfpga_associate through ctypes.

The environment variable FPGA_ASSOCIATE_LIBRARY names the library, such as
/usr/lib/libfpga_associate.so.0; without it the one beside this file is taken, as a wheel has it, or
else the system's loader looks for it. Python 3.9 or newer.

    with Client("ecs.cn-north-1.myhuaweicloud.com", timeout_ms=10_000) as client:
        client.associate(token, project_id, fpga_id, ecs_id)
        for pair in client.associations(token, project_id, ecs_id=ecs_id):
            print(pair.fpga_id, pair.status)

A token of None is the client's own credentials. A client has one kind of them, among its settings:
token, access_key=AccessKey(...), environment_credentials=True, ecs_agency=True, or a
credentials_callback, which returns a Token or an AccessKey and raises to refuse:

    def credentials(reason: int) -> Token:
        return Token(vault.read("token"), expires_at=vault.expiry())

    with Client("ecs.cn-north-1.myhuaweicloud.com", credentials_callback=credentials) as client:
        client.associate(None, project_id, fpga_id, ecs_id)

Many pairs at once are a Plan, of which the differences alone are sent. Where not every pair is as
wanted an Error says so, INCOMPLETE, and the plan says what became of each:

    with Plan(parallel=16, progress=lambda settled, total: print(settled, "of", total)) as plan:
        for fpga_id, ecs_id in wanted:
            plan.add(fpga_id, ecs_id, True)
        try:
            client.apply(token, project_id, plan)
        except Error as error:
            print(error)
        for pair in plan:
            if pair.result == RESULT_FAILED:
                print(pair.fpga_id, pair.ecs_id, pair.error)

ctypes releases the GIL for each call, so that threads wait for the service side by side.

Ctrl-C, and whatever else a signal's handler raises in the main thread, ends the call that waits
there. It shuts the client down: its calls in other threads, and all later ones, end as CANCELLED.
What became of the request is not known then. A plan is stopped, and has the results of what was
done.
"""

from __future__ import annotations

import ctypes
import math
import os
import sys
import threading
import weakref
from concurrent.futures import Future
from contextlib import contextmanager
from ctypes import (
    POINTER,
    c_bool,
    c_char_p,
    c_int32,
    c_int64,
    c_size_t,
    c_uint32,
    c_uint64,
    c_void_p,
)
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Callable, Iterator, Optional, TypedDict, TypeVar, Union

if TYPE_CHECKING:
    from typing_extensions import Unpack

T = TypeVar("T")

INVALID_ARGUMENT = 1
CREDENTIALS_FAILED = 10
INCOMPLETE = 32

# What the list showed last: Error.observed.
OBSERVED_NOTHING = 0
OBSERVED_ASSOCIATED = 1
OBSERVED_APART = 2

# Why a credentials callback is asked: there are none yet, those that are there expire soon, or the
# service answered HTTP 401 to them.
REASON_FIRST = 1
REASON_EXPIRING = 2
REASON_REFUSED = 3

# What became of a pair of a plan: PlannedPair.result. Nothing was done for it, it was as wanted, it
# is not as wanted (as compare found), it was not and is now, or it failed.
RESULT_OPEN = 0
RESULT_AS_WANTED = 1
RESULT_TO_CHANGE = 2
RESULT_CHANGED = 3
RESULT_FAILED = 4


class _Entry(ctypes.Structure):
    _fields_ = [
        ("ecs_id", c_char_p),
        ("fpga_id", c_char_p),
        ("name", c_char_p),
        ("description", c_char_p),
        ("status", c_char_p),
        ("created_at", c_char_p),
        ("message", c_char_p),
        ("metadata", c_char_p),
        ("log_directory", c_char_p),
        ("size_mb", c_uint64),
        ("is_protected", c_bool),
    ]


# fpga_assoc_credentials_fn
_CredentialsFunction = ctypes.CFUNCTYPE(None, c_void_p, c_int32, c_void_p)
# fpga_assoc_progress_fn
_ProgressFunction = ctypes.CFUNCTYPE(None, c_void_p, c_size_t, c_size_t)


def _path_of_library() -> str:
    """What the environment names, else the library beside this file, else a name for the loader."""
    named = os.environ.get("FPGA_ASSOCIATE_LIBRARY")
    if named is not None:
        return named
    name = "fpga_associate.dll" if sys.platform == "win32" else "libfpga_associate.so.0"
    packaged = os.path.join(os.path.dirname(os.path.abspath(__file__)), name)
    return packaged if os.path.exists(packaged) else name


def _load() -> ctypes.CDLL:
    library = ctypes.CDLL(_path_of_library())
    call = [c_void_p, c_char_p, c_char_p, c_char_p, c_char_p]
    error = POINTER(c_void_p)
    plan_call = [c_void_p, c_char_p, c_char_p, c_void_p, error]
    for name, result, arguments in [
        ("fpga_assoc_config_new", c_void_p, []),
        ("fpga_assoc_config_free", None, [c_void_p]),
        ("fpga_assoc_config_set_timeout_ms", c_int32, [c_void_p, c_uint32]),
        ("fpga_assoc_config_set_connect_timeout_ms", c_int32, [c_void_p, c_uint32]),
        ("fpga_assoc_config_set_max_attempts", c_int32, [c_void_p, c_uint32]),
        ("fpga_assoc_config_set_ca_file", c_int32, [c_void_p, c_char_p]),
        ("fpga_assoc_config_set_ca_pem", c_int32, [c_void_p, c_char_p, c_size_t]),
        ("fpga_assoc_config_set_client_certificate", c_int32, [c_void_p, c_char_p, c_size_t]),
        ("fpga_assoc_config_set_proxy", c_int32, [c_void_p, c_char_p]),
        ("fpga_assoc_config_set_user_agent", c_int32, [c_void_p, c_char_p]),
        ("fpga_assoc_config_set_allow_http", c_int32, [c_void_p, c_bool]),
        ("fpga_assoc_config_set_confirm", c_int32, [c_void_p, c_bool]),
        ("fpga_assoc_config_set_idempotent", c_int32, [c_void_p, c_bool]),
        ("fpga_assoc_config_set_token", c_int32, [c_void_p, c_char_p]),
        ("fpga_assoc_config_set_access_key", c_int32, [c_void_p, c_char_p, c_char_p, c_char_p]),
        ("fpga_assoc_config_set_environment_credentials", c_int32, [c_void_p]),
        ("fpga_assoc_config_set_ecs_agency", c_int32, [c_void_p]),
        (
            "fpga_assoc_config_set_credentials_callback",
            c_int32,
            [c_void_p, _CredentialsFunction, c_void_p],
        ),
        ("fpga_assoc_grant_token", c_int32, [c_void_p, c_char_p, c_int64]),
        ("fpga_assoc_grant_access_key", c_int32, [c_void_p, c_char_p, c_char_p, c_char_p, c_int64]),
        ("fpga_assoc_grant_refuse", c_int32, [c_void_p, c_char_p]),
        ("fpga_assoc_client_new", c_int32, [c_char_p, c_void_p, POINTER(c_void_p), error]),
        ("fpga_assoc_client_associate", c_int32, [*call, error]),
        ("fpga_assoc_client_disassociate", c_int32, [*call, error]),
        ("fpga_assoc_client_associations", c_int32, [*call, POINTER(c_void_p), error]),
        ("fpga_assoc_client_compare", c_int32, plan_call),
        ("fpga_assoc_client_apply", c_int32, plan_call),
        ("fpga_assoc_client_shutdown", None, [c_void_p]),
        ("fpga_assoc_client_close_idle", None, [c_void_p]),
        ("fpga_assoc_client_free", None, [c_void_p]),
        ("fpga_assoc_list_len", c_size_t, [c_void_p]),
        ("fpga_assoc_list_get", POINTER(_Entry), [c_void_p, c_size_t]),
        ("fpga_assoc_list_json", c_char_p, [c_void_p]),
        ("fpga_assoc_list_free", None, [c_void_p]),
        ("fpga_assoc_plan_new", c_void_p, []),
        ("fpga_assoc_plan_free", None, [c_void_p]),
        ("fpga_assoc_plan_add", c_int32, [c_void_p, c_char_p, c_char_p, c_bool]),
        ("fpga_assoc_plan_set_parallel", c_int32, [c_void_p, c_uint32]),
        ("fpga_assoc_plan_set_timeout_ms", c_int32, [c_void_p, c_uint32]),
        ("fpga_assoc_plan_set_progress", c_int32, [c_void_p, _ProgressFunction, c_void_p]),
        ("fpga_assoc_plan_len", c_size_t, [c_void_p]),
        ("fpga_assoc_plan_result", c_int32, [c_void_p, c_size_t]),
        ("fpga_assoc_plan_error", c_void_p, [c_void_p, c_size_t]),
        ("fpga_assoc_error_status", c_int32, [c_void_p]),
        ("fpga_assoc_error_http_status", c_int32, [c_void_p]),
        ("fpga_assoc_error_message", c_char_p, [c_void_p]),
        ("fpga_assoc_error_code", c_char_p, [c_void_p]),
        ("fpga_assoc_error_request_id", c_char_p, [c_void_p]),
        ("fpga_assoc_error_retry_after_ms", c_uint64, [c_void_p]),
        ("fpga_assoc_error_attempts", c_uint32, [c_void_p]),
        ("fpga_assoc_error_outcome_unknown", c_bool, [c_void_p]),
        ("fpga_assoc_error_observed", c_int32, [c_void_p]),
        ("fpga_assoc_error_free", None, [c_void_p]),
        ("fpga_assoc_last_error", c_char_p, []),
        ("fpga_assoc_status_name", c_char_p, [c_int32]),
        ("fpga_assoc_status_help", c_char_p, [c_int32]),
        ("fpga_assoc_version", c_char_p, []),
    ]:
        function = getattr(library, name)
        function.restype = result
        function.argtypes = arguments
    return library


_library = _load()


class Error(Exception):
    """Why a call failed; str() is one line for people.

    status is the fpga_assoc_status; http_status is 0 where no answer came; code and request_id are
    the service's, or ""; retry_after_ms is what it asked to wait, or 0. outcome_unknown says that it
    may have acted on the request; observed is what the list showed last, an OBSERVED_.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.http_status = 0
        self.code = ""
        self.request_id = ""
        self.retry_after_ms = 0
        self.attempts = 0
        self.outcome_unknown = False
        self.observed = OBSERVED_NOTHING

    @property
    def status_name(self) -> str:
        """Such as "FPGA_ASSOC_TIMEOUT"."""
        return _string(_library.fpga_assoc_status_name(self.status))

    @property
    def help(self) -> str:
        """The likely cause and what to do about it."""
        return _string(_library.fpga_assoc_status_help(self.status))


@dataclass(frozen=True)
class Association:
    """An FPGA image that is associated with an ECS image; "" is what the service did not give."""

    ecs_id: str
    fpga_id: str
    name: str
    description: str
    status: str
    created_at: str
    message: str
    metadata: str
    log_directory: str
    size_mb: int
    is_protected: bool


@dataclass(frozen=True)
class Token:
    """An IAM token that a credentials callback grants.

    expires_at has a time zone; None is not known: it serves until the service refuses it.
    """

    token: str = field(repr=False)
    expires_at: Optional[datetime] = None


@dataclass(frozen=True)
class AccessKey:
    """An access key, as a setting or granted by a callback; a temporary one has a security token.

    expires_at is as in Token, and for a callback alone.
    """

    access_key: str
    secret_key: str = field(repr=False)
    security_token: Optional[str] = field(default=None, repr=False)
    expires_at: Optional[datetime] = None


@dataclass(frozen=True)
class PlannedPair:
    """A pair of a plan: what is wanted of it, and what became of it, a RESULT_.

    error says why it failed; it is there when the call has returned.
    """

    fpga_id: str
    ecs_id: str
    associated: bool
    result: int
    error: Optional[Error] = None


# Called with a REASON_; raises, or returns None, to refuse.
CredentialsCallback = Callable[[int], Union[Token, AccessKey, None]]

# Called with how many pairs of a plan have their result, and with how many there are.
Progress = Callable[[int, int], object]


class ClientSettings(TypedDict, total=False):
    """What a Client takes; the header says of each what it does."""

    timeout_ms: int
    connect_timeout_ms: int
    max_attempts: int
    ca_file: Union[str, os.PathLike[str]]
    ca_pem: Union[str, bytes]
    client_certificate: Union[str, bytes]
    proxy: str
    user_agent: str
    allow_http: bool
    confirm: bool
    idempotent: bool
    token: str
    access_key: AccessKey
    environment_credentials: bool
    ecs_agency: bool
    credentials_callback: CredentialsCallback


class PlanSettings(TypedDict, total=False):
    """What a Plan takes."""

    parallel: int
    timeout_ms: int
    progress: Progress


def version() -> str:
    """The version of the library that is loaded."""
    return _string(_library.fpga_assoc_version())


class Client:
    """Calls one endpoint, from any number of threads at once.

    The settings are those of the header: ClientSettings. One of a wrong type raises a TypeError, as
    two kinds of credentials do, one of a wrong value an Error.

    A credentials_callback runs in the thread of the call that needs credentials, or in one of a
    plan's; calls of the main thread have another for that. It may neither close this client nor use
    its credentials.
    """

    def __init__(self, endpoint: Optional[str], **settings: Unpack[ClientSettings]) -> None:
        self._changed = threading.Condition()
        self._calls = 0
        values: dict[str, Any] = {**settings}
        if "credentials_callback" in values:
            # C calls it as long as the client lives.
            self._callback = _callback(values["credentials_callback"])
            values["credentials_callback"] = self._callback
        client = c_void_p()
        config = _config(values)
        try:
            with _raised() as error:
                _library.fpga_assoc_client_new(
                    _optional("endpoint", endpoint), config, ctypes.byref(client), error
                )
        finally:
            _library.fpga_assoc_config_free(config)
        self._client: Optional[int] = client.value
        # For a client that nobody closes.
        self._free = weakref.finalize(self, _library.fpga_assoc_client_free, client.value)
        self._free.atexit = False

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def associate(
        self,
        token: Optional[str],
        project_id: Optional[str],
        fpga_id: Optional[str],
        ecs_id: Optional[str],
    ) -> None:
        """Associates the two images. An Error says whether that may have happened all the same."""
        arguments = _arguments(token, project_id, fpga_id, ecs_id)
        self._change(_library.fpga_assoc_client_associate, arguments)

    def disassociate(
        self,
        token: Optional[str],
        project_id: Optional[str],
        fpga_id: Optional[str],
        ecs_id: Optional[str],
    ) -> None:
        """Undoes that, in the same way."""
        arguments = _arguments(token, project_id, fpga_id, ecs_id)
        self._change(_library.fpga_assoc_client_disassociate, arguments)

    def associations(
        self,
        token: Optional[str],
        project_id: Optional[str],
        *,
        fpga_id: Optional[str] = None,
        ecs_id: Optional[str] = None,
    ) -> list[Association]:
        """Those of an FPGA image, of an ECS image, or of both; one of the two must be given."""

        def read(pairs: c_void_p) -> list[Association]:
            return [
                _association(_library.fpga_assoc_list_get(pairs, index).contents)
                for index in range(_library.fpga_assoc_list_len(pairs))
            ]

        return self._list(_arguments(token, project_id, fpga_id, ecs_id), read)

    def associations_json(
        self,
        token: Optional[str],
        project_id: Optional[str],
        *,
        fpga_id: Optional[str] = None,
        ecs_id: Optional[str] = None,
    ) -> str:
        """The same as the service's own document, with what Association has no place for."""
        return self._list(
            _arguments(token, project_id, fpga_id, ecs_id),
            lambda pairs: _string(_library.fpga_assoc_list_json(pairs)),
        )

    def compare(self, token: Optional[str], project_id: Optional[str], plan: Plan) -> None:
        """Finds out which pairs are as wanted, and changes nothing.

        Raises an Error, INCOMPLETE, where not every pair could be compared.
        """
        self._carry_out(_library.fpga_assoc_client_compare, token, project_id, plan)

    def apply(self, token: Optional[str], project_id: Optional[str], plan: Plan) -> None:
        """Brings the pairs of a plan to what is wanted.

        Raises an Error, INCOMPLETE, where not every pair is; the plan has the results all the same.
        """
        self._carry_out(_library.fpga_assoc_client_apply, token, project_id, plan)

    def close_idle(self) -> None:
        """Closes the connections that no call uses now."""
        with self._borrowed() as client:
            _library.fpga_assoc_client_close_idle(client)

    def close(self) -> None:
        """Ends the calls of other threads as CANCELLED, waits for them, and frees the client."""
        self._shutdown()
        with self._changed:
            self._client = None
            self._changed.wait_for(lambda: self._calls == 0)
        self._free()

    def _change(self, function: Any, arguments: tuple[Optional[bytes], ...]) -> None:
        def call() -> None:
            with self._borrowed() as client, _raised() as error:
                function(client, *arguments, error)

        self._interruptible(call)

    def _list(self, arguments: tuple[Optional[bytes], ...], read: Callable[[c_void_p], T]) -> T:
        """What is read of a list while it lives."""

        def call() -> T:
            pairs = c_void_p()
            try:
                with self._borrowed() as client, _raised() as error:
                    _library.fpga_assoc_client_associations(
                        client, *arguments, ctypes.byref(pairs), error
                    )
                return read(pairs)
            finally:
                _library.fpga_assoc_list_free(pairs)

        return self._interruptible(call)

    def _carry_out(
        self, function: Any, token: Optional[str], project_id: Optional[str], plan: Plan
    ) -> None:
        if not isinstance(plan, Plan):
            raise TypeError("plan: not a Plan")
        arguments = _arguments(token, project_id, None, None)[:2]

        def call() -> None:
            with self._borrowed() as client, plan._borrowed() as pointer:
                status = INVALID_ARGUMENT
                try:
                    with _raised() as error:
                        status = function(client, *arguments, pointer, error)
                finally:
                    # A call that was refused leaves what another's raised to that.
                    if status != INVALID_ARGUMENT:
                        plan._raise()

        self._interruptible(call)

    def _interruptible(self, call: Callable[[], T]) -> T:
        """Signals reach the main thread alone, and never inside of C: it waits for another."""
        if threading.current_thread() is not threading.main_thread():
            return call()
        result: Future[T] = Future()
        try:
            try:
                threading.Thread(target=_settle, args=(result, call)).start()
            except RuntimeError:  # There is no thread to be had, as at the interpreter's exit.
                _settle(result, call)
            return result.result()
        except BaseException:
            if not result.done():
                self._shutdown()
            raise

    def _shutdown(self) -> None:
        with self._changed:
            _library.fpga_assoc_client_shutdown(self._client)

    @contextmanager
    def _borrowed(self) -> Iterator[int]:
        """The client, which is not freed meanwhile."""
        with self._changed:
            if self._client is None:
                raise Error(INVALID_ARGUMENT, "the client is closed")
            client = self._client
            self._calls += 1
        try:
            yield client
        finally:
            with self._changed:
                self._calls -= 1
                self._changed.notify_all()


class Plan:
    """What is wanted of many pairs, for Client.compare and Client.apply; iterating gives them.

    The settings are those of the header: PlanSettings. progress is a function of how many pairs
    have their result and how many there are. Wrong ones raise as those of a Client do. A plan
    may be carried out again, pairs added in between. While it is carried out any thread can read
    what is known so far, without the errors, and what would change it is refused.

    progress runs in the thread of the call; calls of the main thread have another for that. It may
    not close the client. What it raises, the call raises when the plan has come to its end, with
    the Error of an incomplete plan as its context; progress is not called again until then.
    """

    def __init__(self, **settings: Unpack[PlanSettings]) -> None:
        # Held whenever C is asked about the plan, but while it is carried out.
        self._lock = threading.RLock()
        self._calls = 0
        self._pairs: list[tuple[str, str, bool]] = []
        self._thrown: Optional[BaseException] = None
        values: dict[str, Any] = {**settings}
        if "progress" in values:
            # C calls it as long as the plan lives.
            self._progress = values["progress"] = self._progress_function(values["progress"])
        self._plan: Optional[int] = _library.fpga_assoc_plan_new()
        # For a plan that nobody closes.
        self._free = weakref.finalize(self, _library.fpga_assoc_plan_free, self._plan)
        self._free.atexit = False
        _set("fpga_assoc_plan", self._plan, _PLAN_SETTINGS, values)

    def __enter__(self) -> Plan:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def add(self, fpga_id: Optional[str], ecs_id: Optional[str], associated: bool) -> None:
        """Adds a pair, which is to be associated or not. Where that raises nothing was added."""
        ids = (_optional("fpga_id", fpga_id), _optional("ecs_id", ecs_id))
        (associated,) = _truth("associated", associated)
        with self._lock:
            plan = self._opened()
            # First, for Ctrl-C: what C does not have is dropped by the next that is added.
            del self._pairs[_library.fpga_assoc_plan_len(plan) :]
            self._pairs.append((fpga_id or "", ecs_id or "", associated))
            _check(_library.fpga_assoc_plan_add(plan, *ids, associated))

    def __len__(self) -> int:
        """How many pairs there are."""
        with self._lock:
            return int(_library.fpga_assoc_plan_len(self._opened()))

    def __iter__(self) -> Iterator[PlannedPair]:
        """The pairs in the order in which they were added."""
        for index in range(len(self)):
            yield self._pair(index)

    def close(self) -> None:
        """Frees the plan; while it is carried out, that comes after the call."""
        with self._lock:
            self._plan = None
            if self._calls == 0:
                self._free()

    def _pair(self, index: int) -> PlannedPair:
        with self._lock:
            plan = self._opened()
            result = _library.fpga_assoc_plan_result(plan, index)
            # A call that begins frees the errors of the one before.
            error = None if self._calls > 0 else _library.fpga_assoc_plan_error(plan, index)
            return PlannedPair(
                *self._pairs[index], result, None if error is None else _error(c_void_p(error))
            )

    def _progress_function(self, progress: Progress) -> Any:
        """A function for C, to be kept as long as C may call it."""
        if not callable(progress):
            raise TypeError("progress: not callable")

        def tell(_context: Optional[int], settled: int, total: int) -> None:
            plan = reference()
            if plan is None or plan._thrown is not None:
                return
            try:
                progress(settled, total)
            except BaseException as error:  # Nothing may be raised through C.
                plan._thrown = error

        # No circle, so that a plan that nobody closes is freed at once.
        reference = weakref.ref(self)
        return _ProgressFunction(tell)

    def _raise(self) -> None:
        """What progress has raised."""
        thrown, self._thrown = self._thrown, None
        if thrown is not None:
            raise thrown

    def _opened(self) -> int:
        if self._plan is None:
            raise Error(INVALID_ARGUMENT, "the plan is closed")
        return self._plan

    @contextmanager
    def _borrowed(self) -> Iterator[int]:
        """The plan, to be carried out; it is not freed meanwhile."""
        with self._lock:
            plan = self._opened()
            self._calls += 1
        try:
            yield plan
        finally:
            with self._lock:
                self._calls -= 1
                if self._calls == 0 and self._plan is None:
                    self._free()


def _settle(result: Future[T], call: Callable[[], T]) -> None:
    try:
        result.set_result(call())
    except BaseException as error:
        result.set_exception(error)


def _text(name: str, value: Any, errors: str = "surrogateescape") -> bytes:
    if not isinstance(value, str):
        raise TypeError(f"{name}: not a str")
    if "\0" in value:  # C would take it for a shorter one.
        raise Error(INVALID_ARGUMENT, f"{name}: holds a zero byte")
    return value.encode("utf-8", errors)


def _secret(name: str, value: Any) -> bytes:
    """Never a UnicodeEncodeError, which has the whole text in its repr: the library refuses it."""
    return _text(name, value, "surrogatepass")


def _path(name: str, value: Any) -> tuple[bytes]:
    return (_text(name, os.fsdecode(value) if isinstance(value, os.PathLike) else value),)


def _pem(name: str, value: Any) -> tuple[bytes, int]:
    pem = value if isinstance(value, bytes) else _text(name, value)
    return (pem, len(pem))


def _number(name: str, value: Any) -> tuple[int]:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{name}: not an int")
    # ctypes would take 2**32 + 5 for 5; the library refuses 0.
    return (value if 0 <= value < 2**32 else 0,)


def _truth(name: str, value: Any) -> tuple[bool]:
    if not isinstance(value, bool):
        raise TypeError(f"{name}: not a bool")
    return (value,)


def _chosen(name: str, value: Any) -> Optional[tuple[()]]:
    """The function has no argument, and is called for True alone."""
    return () if _truth(name, value) == (True,) else None


def _key(name: str, value: Any) -> tuple[Optional[bytes], ...]:
    if not isinstance(value, AccessKey):
        raise TypeError(f"{name}: not an AccessKey")
    return (
        _secret("access_key", value.access_key),
        _secret("secret_key", value.secret_key),
        None if value.security_token is None else _secret("security_token", value.security_token),
    )


# Settings in C's form: the arguments, or None where the function is not called.
_Settings = dict[str, Callable[[str, Any], Optional[tuple[Any, ...]]]]
_SETTINGS: _Settings = {
    "timeout_ms": _number,
    "connect_timeout_ms": _number,
    "max_attempts": _number,
    "ca_file": _path,
    "ca_pem": _pem,
    "client_certificate": _pem,
    "proxy": lambda name, value: (_text(name, value),),
    "user_agent": lambda name, value: (_text(name, value),),
    "allow_http": _truth,
    "confirm": _truth,
    "idempotent": _truth,
    "token": lambda name, value: (_secret(name, value),),
    "access_key": _key,
    "environment_credentials": _chosen,
    "ecs_agency": _chosen,
    "credentials_callback": lambda name, value: (value, None),
}
_CREDENTIALS = {
    "token",
    "access_key",
    "environment_credentials",
    "ecs_agency",
    "credentials_callback",
}


_PLAN_SETTINGS: _Settings = {
    "parallel": _number,
    "timeout_ms": _number,
    "progress": lambda name, value: (value, None),
}


def _config(settings: dict[str, Any]) -> Optional[int]:
    """NULL, which is all defaults, or settings to be freed."""
    if not settings:
        return None
    kinds = [name for name in settings if name in _CREDENTIALS and settings[name] is not False]
    if len(kinds) > 1:
        raise TypeError(f"two kinds of credentials: {', '.join(kinds)}")
    config: Optional[int] = _library.fpga_assoc_config_new()
    try:
        _set("fpga_assoc_config", config, _SETTINGS, settings)
    except BaseException:
        _library.fpga_assoc_config_free(config)
        raise
    return config


def _set(kind: str, pointer: Optional[int], known: _Settings, settings: dict[str, Any]) -> None:
    for name, value in settings.items():
        if name not in known:
            raise TypeError(f"no such setting: {name}")
        arguments = known[name](name, value)
        if arguments is not None:
            _check(getattr(_library, f"{kind}_set_{name}")(pointer, *arguments))


def _check(status: int) -> None:
    """Setters have no error pointer; nothing else runs on this thread in between."""
    if status != 0:
        raise Error(status, _string(_library.fpga_assoc_last_error()))


def _callback(callback: CredentialsCallback) -> Any:
    """A function for C, to be kept as long as C may call it."""
    if not callable(callback):
        raise TypeError("credentials_callback: not callable")

    def answer(_context: Optional[int], reason: int, grant: int) -> None:
        try:
            _grant(grant, callback(reason))
        except BaseException as error:  # Nothing may be raised through C.
            message = str(error) or type(error).__name__
            _library.fpga_assoc_grant_refuse(grant, message.encode(errors="replace"))

    return _CredentialsFunction(answer)


def _grant(grant: int, granted: Union[Token, AccessKey, None]) -> None:
    """The library keeps the reason of what it can't use, and refuses where nothing is granted."""
    if isinstance(granted, Token):
        token = _secret("token", granted.token)
        _library.fpga_assoc_grant_token(grant, token, _seconds(granted.expires_at))
    elif isinstance(granted, AccessKey):
        key = _key("access_key", granted)
        _library.fpga_assoc_grant_access_key(grant, *key, _seconds(granted.expires_at))
    elif granted is not None:
        raise TypeError(f"neither a Token nor an AccessKey: a {type(granted).__name__}")


def _seconds(expires_at: Optional[datetime]) -> int:
    """Since 1970; 0 is not known."""
    if expires_at is None:
        return 0
    if not isinstance(expires_at, datetime):
        raise TypeError("expires_at: not a datetime")
    if expires_at.utcoffset() is None:
        raise ValueError("expires_at: has no time zone")
    return math.floor(expires_at.timestamp())


@contextmanager
def _raised() -> Iterator[Any]:
    """An error pointer; what it received is raised."""
    pointer = c_void_p()
    try:
        yield ctypes.byref(pointer)
        if pointer:
            raise _error(pointer)
    finally:
        _library.fpga_assoc_error_free(pointer)


def _error(pointer: c_void_p) -> Error:
    error = Error(
        _library.fpga_assoc_error_status(pointer),
        _string(_library.fpga_assoc_error_message(pointer)),
    )
    error.http_status = _library.fpga_assoc_error_http_status(pointer)
    error.code = _string(_library.fpga_assoc_error_code(pointer))
    error.request_id = _string(_library.fpga_assoc_error_request_id(pointer))
    error.retry_after_ms = _library.fpga_assoc_error_retry_after_ms(pointer)
    error.attempts = _library.fpga_assoc_error_attempts(pointer)
    error.outcome_unknown = _library.fpga_assoc_error_outcome_unknown(pointer)
    error.observed = _library.fpga_assoc_error_observed(pointer)
    return error


def _arguments(
    token: Optional[str],
    project_id: Optional[str],
    fpga_id: Optional[str],
    ecs_id: Optional[str],
) -> tuple[Optional[bytes], ...]:
    return (
        None if token is None else _secret("token", token),
        _optional("project_id", project_id),
        _optional("fpga_id", fpga_id),
        _optional("ecs_id", ecs_id),
    )


def _optional(name: str, value: Optional[str]) -> Optional[bytes]:
    """None is NULL, for the library to judge."""
    return None if value is None else _text(name, value)


def _association(entry: _Entry) -> Association:
    return Association(
        ecs_id=_string(entry.ecs_id),
        fpga_id=_string(entry.fpga_id),
        name=_string(entry.name),
        description=_string(entry.description),
        status=_string(entry.status),
        created_at=_string(entry.created_at),
        message=_string(entry.message),
        metadata=_string(entry.metadata),
        log_directory=_string(entry.log_directory),
        size_mb=entry.size_mb,
        is_protected=entry.is_protected,
    )


def _string(text: bytes) -> str:
    """A text of the library, which is never NULL."""
    return text.decode()
