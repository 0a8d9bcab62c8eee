"""Takes the wrapper to its edges and prints what it meets; the test compares.

    checks.py ENDPOINT PROJECT_ID FPGA_IMAGE_ID ECS_IMAGE_ID CA_FILE HOST_THAT_HANGS_UP
        HOST_THAT_THROTTLES
"""

import os
import signal
import socket
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from typing import Any, Callable

from fpga_associate import (
    CREDENTIALS_FAILED,
    OBSERVED_APART,
    OBSERVED_ASSOCIATED,
    OBSERVED_NOTHING,
    REASON_FIRST,
    AccessKey,
    Client,
    Error,
    Token,
)

UNKNOWN = "0" * 32
OBSERVED = {OBSERVED_NOTHING: "nothing", OBSERVED_ASSOCIATED: "associated", OBSERVED_APART: "apart"}


def failure(call: Callable[[], Any]) -> Error:
    try:
        call()
    except Error as error:
        return error
    raise AssertionError("no error")


def refused(call: Callable[[], Any]) -> bool:
    try:
        call()
    except (Error, TypeError, UnicodeEncodeError):
        return True
    return False


NOT_A_TEXT = [5, b"text", ["text"], "zero\0byte", "surrogate\ud800"]
WRONG_SETTINGS = {
    "timeout_ms": [-1, 0, 2**31, 2**32, 2**32 + 5, 2**64, 5.0, float("nan"), True, "5", None],
    "max_attempts": [-1, 0, 2**32 + 1, 1.5, True, None],
    "ca_file": [None, 5, b"text"],
    "ca_pem": [None, 5, "zero\0byte"],
    "user_agent": [None, *NOT_A_TEXT],
    "confirm": [None, 0, 1, "false"],
    "token": [None, "", *NOT_A_TEXT],
    "access_key": [None, "key", AccessKey("key", ""), *(AccessKey("key", t) for t in NOT_A_TEXT)],
    "environment_credentials": [None, 1],
    "ecs_agency": [None, 1],
    "credentials_callback": [None, Token("token")],
    "no_such_setting": [5],
    "log": [5],
}


def interrupted() -> str:
    """How Ctrl-C ends a call that waits for an answer that never comes."""
    with socket.create_server(("127.0.0.1", 0)) as host:

        def interrupt() -> None:
            connection, _ = host.accept()
            with connection:
                connection.recv(1)
                os.kill(os.getpid(), signal.SIGINT)
                # Until the client is shut down.
                while connection.recv(65_536):
                    pass

        waiting = Client(f"http://127.0.0.1:{host.getsockname()[1]}", timeout_ms=120_000)
        # Python leaves the signal alone where it was ignored before.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        threading.Thread(target=interrupt).start()
        begin = time.monotonic()
        try:
            waiting.associations("token", "project", ecs_id="image")
        except KeyboardInterrupt:
            if time.monotonic() - begin > 60:
                return "too late"
            error = failure(lambda: waiting.associations("token", "project", ecs_id="image"))
            waiting.close()
            return f"in time, then {error.status_name}"
    return "not at all"


def own_calls(endpoint: str, project_id: str, ecs_id: str, count: int, **settings: Any) -> None:
    """Calls with the client's own credentials, at once."""
    with Client(endpoint, **settings) as client, ThreadPoolExecutor(count) as threads:
        calls = [
            threads.submit(client.associations, None, project_id, ecs_id=ecs_id)
            for _ in range(count)
        ]
        for call in calls:
            call.result()


def check_credentials(endpoint: str, project_id: str, ecs_id: str, token: str) -> None:
    key = AccessKey(os.environ["FPGA_ACCESS_KEY"], os.environ["FPGA_SECRET_KEY"])
    assert key.secret_key not in repr(key) and token not in repr(Token(token))
    call = (endpoint, project_id, ecs_id)

    own_calls(*call, 1, access_key=key, ecs_agency=False)
    print("access key: ok")
    wrong = AccessKey(key.access_key, key.secret_key[1:])
    error = failure(lambda: own_calls(*call, 1, access_key=wrong))
    told = ", which tells it" if wrong.secret_key in repr(error) + repr(vars(error)) else ""
    print(f"wrong secret key: {error.status_name}{told}")

    reasons = []

    def granted(reason: int) -> Token:
        reasons.append(reason)
        return Token(token, expires_at=datetime.now(timezone.utc) + timedelta(hours=1))

    own_calls(*call, 3, credentials_callback=granted)
    assert set(reasons) == {REASON_FIRST}
    print("credentials callback: asked", len(reasons), "time")

    naive = datetime.now()
    for useless in [None, token, Token(""), Token("\ud800"), Token(token, naive), Token(token, 5)]:
        error = failure(lambda: own_calls(*call, 1, credentials_callback=lambda _: useless))
        assert error.status == CREDENTIALS_FAILED and token not in str(error), error

    def refusing(_reason: int) -> Token:
        raise LookupError("the vault is shut")

    error = failure(lambda: own_calls(*call, 1, credentials_callback=refusing))
    assert "the vault is shut" in str(error), error
    print("refused callback:", error.status_name)
    print("no credentials:", failure(lambda: own_calls(*call, 1)).status_name)


def one_call(client: Client, token: str, project_id: str, ecs_id: str, number: int) -> int:
    """1 where the call met what belongs to it, and not to another thread's call."""
    if number % 2 == 0:
        return len(client.associations(token, project_id, ecs_id=ecs_id))
    unknown = f"{number:032x}"
    error = failure(lambda: client.associate(token, project_id, unknown, ecs_id))
    return int(error.code == "Ecs.0031" and unknown in str(error))


def main() -> None:
    endpoint, project_id, fpga_id, ecs_id, ca_file, broken, busy = sys.argv[1:]
    token = os.environ["FPGA_TOKEN"]

    with Client(endpoint) as client:
        pairs = client.associations(token, project_id, ecs_id=ecs_id)
        print("no settings, ECS image alone:", len(pairs))
    client = Client(endpoint, ca_file=ca_file, timeout_ms=20_000, user_agent="checks/1")
    kept = client.associations(token, project_id, fpga_id=fpga_id)
    print("FPGA image alone:", len(kept))
    client.close_idle()
    with open(ca_file, "rb") as pem, Client(endpoint, ca_pem=pem.read()) as client_of_pem:
        pairs = client_of_pem.associations(token, project_id, ecs_id=ecs_id)
        print("authority from memory:", len(pairs))

    for what, call in [
        ("no endpoint", lambda: Client(None)),
        ("no token", lambda: client.associate(None, project_id, fpga_id, ecs_id)),
        ("no ECS image", lambda: client.associate(token, project_id, fpga_id, None)),
        ("no image at all", lambda: client.associations(token, project_id)),
        ("zero byte", lambda: client.associate(token, project_id, fpga_id + "\0", ecs_id)),
        ("no such CA file", lambda: Client(endpoint, ca_file="/nonexistent/ca.pem")),
        ("no client certificate", lambda: Client(endpoint, client_certificate="none")),
    ]:
        print(f"{what}:", failure(call).status_name)

    accepted = [
        (name, value)
        for name, values in WRONG_SETTINGS.items()
        for value in values
        if not refused(lambda: Client(endpoint, **{name: value}))
    ]
    if not refused(lambda: Client(endpoint, token=token, environment_credentials=True)):
        accepted.append("two kinds of credentials")
    print("wrong settings:", accepted or "refused")
    accepted = [
        value
        for value in NOT_A_TEXT
        if not refused(lambda: Client(value))
        or not refused(lambda: client.associate(value, project_id, fpga_id, ecs_id))
        or not refused(lambda: client.associations(token, project_id, ecs_id=value))
    ]
    print("wrong texts:", accepted or "refused")

    error = failure(lambda: client.associate(token, project_id, UNKNOWN, ecs_id))
    with_id = "with" if error.request_id and error.request_id in str(error) else "without"
    outcome = "unknown" if error.outcome_unknown else "known"
    print(
        f"unknown image: {error.status_name} {error.http_status} {error.code}"
        f" {with_id} request id, outcome {outcome}"
    )
    with Client(broken, confirm=False) as other:
        error = failure(lambda: other.associate(token, project_id, fpga_id, ecs_id))
    outcome = "unknown" if error.outcome_unknown else "known"
    print(
        f"lost connection: {error.status_name} {error.http_status}, outcome {outcome},"
        f" observed {OBSERVED[error.observed]}"
    )
    with Client(busy) as other:
        error = failure(lambda: other.associate(token, project_id, fpga_id, ecs_id))
    print(
        f"throttled: {error.status_name} {error.http_status},"
        f" to wait {error.retry_after_ms} ms, attempts {error.attempts}"
    )

    with Client(endpoint, ca_file=ca_file) as crowd, ThreadPoolExecutor(8) as threads:
        met = threads.map(
            lambda number: one_call(crowd, token, project_id, ecs_id, number), range(200)
        )
        right = sum(met)

    with Client(endpoint, idempotent=True) as idempotent:
        error = failure(lambda: client.associate(token, project_id, fpga_id, ecs_id))
        print(f"associated already: {error.status_name}, observed {OBSERVED[error.observed]}")
        idempotent.associate(token, project_id, fpga_id, ecs_id)
        print("associated already, idempotent: allowed")
        client.disassociate(token, project_id, fpga_id, ecs_id)
        print("taken away, left:", len(client.associations(token, project_id, ecs_id=ecs_id)))
        error = failure(lambda: client.disassociate(token, project_id, fpga_id, ecs_id))
        print(f"taken away already: {error.status_name}, observed {OBSERVED[error.observed]}")
        idempotent.disassociate(token, project_id, fpga_id, ecs_id)
        print("taken away already, idempotent: allowed")
    client.close()
    client.close()
    failure(lambda: client.associate(token, project_id, fpga_id, ecs_id))
    failure(client.close_idle)
    print("closed: refused")
    print("kept after closing:", kept[0].status)
    check_credentials(endpoint, project_id, ecs_id, token)
    print("calls at once:", right)
    print("interrupted:", interrupted())


if __name__ == "__main__":
    main()
