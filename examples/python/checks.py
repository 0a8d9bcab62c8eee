"""Takes the wrapper to its edges and prints what it meets; the test compares.

    checks.py ENDPOINT PROJECT_ID FPGA_IMAGE_ID ECS_IMAGE_ID CA_FILE HOST_THAT_HANGS_UP
        HOST_THAT_THROTTLES OTHER_FPGA_IMAGE_ID OTHER_ECS_IMAGE_ID
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
    INCOMPLETE,
    OBSERVED_APART,
    OBSERVED_ASSOCIATED,
    OBSERVED_NOTHING,
    REASON_FIRST,
    RESULT_AS_WANTED,
    RESULT_CHANGED,
    RESULT_FAILED,
    RESULT_OPEN,
    RESULT_TO_CHANGE,
    AccessKey,
    Client,
    Error,
    Plan,
    PlannedPair,
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


RESULTS = {
    RESULT_OPEN: "open",
    RESULT_AS_WANTED: "as wanted",
    RESULT_TO_CHANGE: "to change",
    RESULT_CHANGED: "changed",
    RESULT_FAILED: "failed",
}
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
WRONG_PLAN_SETTINGS = {
    "parallel": [-1, 0, 101, 2**32 + 8, 5.0, True, "5", None],
    "timeout_ms": [-1, 0, 2**31, 2**32 + 5, 5.0, True, "5", None],
    "progress": [None, 5],
    "no_such_setting": [5],
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


def counts(plan: Plan) -> str:
    results = [pair.result for pair in plan]
    return ", ".join(f"{name} {results.count(result)}" for result, name in RESULTS.items())


def check_plans(
    endpoint: str, project_id: str, token: str, fpga_ids: list[str], ecs_ids: list[str]
) -> None:
    """Begins with nothing associated, and ends so."""
    call = (token, project_id)
    told = []
    with Client(endpoint) as client, Client(endpoint, token=token) as with_token, Plan(
        parallel=4, timeout_ms=60_000, progress=lambda *how_far: told.append(how_far)
    ) as plan:
        for ecs_id in ecs_ids:
            for fpga_id in fpga_ids:
                plan.add(fpga_id, ecs_id, (fpga_id, ecs_id) != (fpga_ids[1], ecs_ids[1]))
        client.compare(*call, plan)
        print("plan compared:", counts(plan))
        client.apply(*call, plan)
        print("plan applied:", counts(plan))
        last = PlannedPair(fpga_ids[1], ecs_ids[1], False, RESULT_AS_WANTED)
        assert list(plan)[-1] == last and len(plan) == 4
        with_token.apply(None, project_id, plan)
        print("plan applied again:", counts(plan))
        print("progress of the plan: {} of {}".format(*told[-1]))
        check_undone(client, call, plan)

        with Plan() as contradiction:
            contradiction.add(fpga_ids[0], ecs_ids[0], True)
            contradiction.add(fpga_ids[0], ecs_ids[0], False)
            error = failure(lambda: client.apply(*call, contradiction))
            print("contradiction:", error.status_name)

        accepted: list[Any] = [
            (name, value)
            for name, values in WRONG_PLAN_SETTINGS.items()
            for value in values
            if not refused(lambda: Plan(**{name: value}))
        ]
        values: list[Any] = [None, "", *NOT_A_TEXT]
        accepted += [
            value
            for value in values
            if not refused(lambda: plan.add(value, ecs_ids[0], True))
            or not refused(lambda: plan.add(fpga_ids[0], value, True))
            or not refused(lambda: client.compare(token, value, plan))
            or not refused(lambda: plan.add(fpga_ids[0], ecs_ids[0], value))
        ]
        closed = Plan()
        closed.close()
        closed.close()
        not_plans: list[Any] = [contradiction, closed, None, client]
        for what in not_plans:
            if not refused(lambda: client.apply(*call, what)):
                accepted.append(what)
        assert refused(lambda: list(closed)) and refused(lambda: closed.add("a", "b", True))
        assert len(plan) == 4
        print("wrong plans:", accepted or "refused")
        check_raising(client, call, plan)


def check_undone(client: Client, call: tuple[str, str], done: Plan) -> None:
    """Takes away what a plan has brought, beside a pair that can't be brought about."""
    refusals = []

    def add_more(_settled: int, _total: int) -> None:
        refusals.append(failure(lambda: undone.add(UNKNOWN, UNKNOWN, True)))
        assert len(undone) == 5 and [pair.error for pair in undone] == [None] * 5

    with Plan(progress=add_more) as undone:
        for pair in done:
            undone.add(pair.fpga_id, pair.ecs_id, False)
        undone.add(UNKNOWN, pair.ecs_id, True)
        error = failure(lambda: client.apply(*call, undone))
        print("plan with an unknown image:", error.status_name)
        print("then:", counts(undone))
        own = list(undone)[-1].error
        assert own is not None and error.status == INCOMPLETE
        print(f"its own error: {own.status_name} {own.code}")
    assert "being carried out" in str(refusals[0]), refusals


def check_raising(client: Client, call: tuple[str, str], plan: Plan) -> None:
    """What progress raises comes out of the call, which does all that it has to."""
    calls = []

    def raising(settled: int, _total: int) -> None:
        calls.append(settled)
        closing.close()
        raise LookupError("no room on the screen")

    closing = Plan(progress=raising)
    for pair in plan:
        closing.add(pair.fpga_id, pair.ecs_id, False)
    try:
        client.compare(*call, closing)
        raise AssertionError("nothing was raised")
    except LookupError as error:
        assert str(error) == "no room on the screen" and calls == [4]
    # It was closed meanwhile, and freed after the call.
    assert refused(lambda: client.compare(*call, closing))
    client.compare(*call, plan)


def one_call(client: Client, token: str, project_id: str, ecs_id: str, number: int) -> int:
    """1 where the call met what belongs to it, and not to another thread's call."""
    if number % 2 == 0:
        return len(client.associations(token, project_id, ecs_id=ecs_id))
    unknown = f"{number:032x}"
    error = failure(lambda: client.associate(token, project_id, unknown, ecs_id))
    return int(error.code == "Ecs.0031" and unknown in str(error))


def main() -> None:
    endpoint, project_id, fpga_id, ecs_id, ca_file, broken, busy, *others = sys.argv[1:]
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
    other_fpga_id, other_ecs_id = others
    check_plans(endpoint, project_id, token, [fpga_id, other_fpga_id], [ecs_id, other_ecs_id])
    print("calls at once:", right)
    print("interrupted:", interrupted())


if __name__ == "__main__":
    main()
