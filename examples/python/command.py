"""Associates FPGA images with ECS images of Huawei Cloud, from the command line.

    command.py associate [--idempotent] [--agency] ENDPOINT PROJECT_ID FPGA_IMAGE_ID ECS_IMAGE_ID
    command.py disassociate [--idempotent] [--agency] ENDPOINT PROJECT_ID FPGA_IMAGE_ID ECS_IMAGE_ID
    command.py list [--fpga ID] [--ecs ID] [--json] [--agency] ENDPOINT PROJECT_ID
    command.py plan [--dry-run] [--agency] ENDPOINT PROJECT_ID FILE

A wheel installs it as fpga-associate. Token and keys come from the environment, because other
users of the machine can read a command line. The exit status is the fpga_assoc_status, 0 for success.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
from typing import Iterator, NoReturn, Optional

from fpga_associate import (
    CREDENTIALS_FAILED,
    INCOMPLETE,
    INVALID_ARGUMENT,
    OBSERVED_APART,
    OBSERVED_ASSOCIATED,
    RESULT_AS_WANTED,
    RESULT_CHANGED,
    RESULT_FAILED,
    RESULT_OPEN,
    RESULT_TO_CHANGE,
    Client,
    ClientSettings,
    Error,
    Plan,
    version,
)

CREDENTIALS = """\
Calls are made with the first of these that is there:
  1. FPGA_TOKEN, an environment variable: an IAM token of project scope
  2. the agency, with --agency
  3. the access key in HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK (if it is temporary, with
     HUAWEICLOUD_SDK_SECURITY_TOKEN), in HW_ACCESS_KEY and HW_SECRET_KEY, or in the file
     ~/.huaweicloud/credentials

The exit status is the fpga_assoc_status, 0 for success.
"""
LINES = """\
Lines of FILE:
  + FPGA_IMAGE_ID ECS_IMAGE_ID   the two are to be associated
  - FPGA_IMAGE_ID ECS_IMAGE_ID   they are not
  # a comment, which may also stand behind a pair

"""

# So many pairs that are as wanted are shown.
MOST_AS_WANTED = 20
# As a shell has it of a program that Ctrl-C ended.
INTERRUPTED = 130


class Unusable(Exception):
    """Why the file of a plan can't be used, with its name and the line."""


class Parser(argparse.ArgumentParser):
    """Ends with the library's status for wrong arguments."""

    def error(self, message: str) -> NoReturn:
        """One line, where argparse has several."""
        self.exit(INVALID_ARGUMENT, f"error: {message}; see {self.prog} --help\n")


def main() -> int:
    """Does what the command line says; returns the exit status."""
    for stream in (sys.stdout, sys.stderr):
        # A console that lacks a letter of an image's name shows its number.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    arguments = parser().parse_args()
    status = 0
    try:
        arguments.run(arguments)
        sys.stdout.flush()
    except Error as error:
        print(line_of(error), file=sys.stderr)
        status = error.status
    except Unusable as reason:
        print(reason, file=sys.stderr)
        status = INVALID_ARGUMENT
    except KeyboardInterrupt:
        print("error: interrupted; a request under way may have been done", file=sys.stderr)
        status = INTERRUPTED
    except BrokenPipeError:
        # Who reads has enough. What is left, the interpreter writes at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return status


def parser() -> Parser:
    """The command line."""
    whole = Parser(
        prog="fpga-associate",
        description="Associates FPGA images with ECS images of Huawei Cloud.",
        epilog=CREDENTIALS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    whole.add_argument("--version", action="version", version=f"%(prog)s {version()}")
    commands = whole.add_subparsers(metavar="COMMAND", required=True)

    def command(name: str, words: str, epilog: str = CREDENTIALS) -> argparse.ArgumentParser:
        return commands.add_parser(
            name,
            help=words,
            description=f"{words}.",
            epilog=epilog,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )

    change = command("associate", "Associates an FPGA image with an ECS image")
    undo = command("disassociate", "Takes such an association away")
    listing = command("list", "Lists the associations of an FPGA image or of an ECS image")
    plan = command("plan", "Brings many pairs to what a file wants of them", LINES + CREDENTIALS)
    for one in (change, undo, listing, plan):
        flag(one, "--agency", "signs with the keys of the agency of this ECS server")
        positional(one, "ENDPOINT", "such as ecs.cn-north-1.myhuaweicloud.com")
        positional(one, "PROJECT_ID", "the images' project, which a token must be for")
    for one in (change, undo):
        one.set_defaults(run=change_pair, undo=one is undo)
        flag(one, "--idempotent", "what is already as wanted is a success")
        positional(one, "FPGA_IMAGE_ID", "the FPGA image")
        positional(one, "ECS_IMAGE_ID", "the private ECS image")
    listing.set_defaults(run=show_list)
    listing.add_argument("--fpga", metavar="ID", help="those of this FPGA image")
    listing.add_argument("--ecs", metavar="ID", help="those of this ECS image")
    flag(listing, "--json", "the service's document instead of a table")
    plan.set_defaults(run=carry_out)
    flag(plan, "--dry-run", "shows what would change, and changes nothing")
    positional(plan, "FILE", "what is wanted; - is the standard input")
    return whole


def flag(command: argparse.ArgumentParser, name: str, words: str) -> None:
    """An option without a value."""
    command.add_argument(name, action="store_true", help=words)


def positional(command: argparse.ArgumentParser, name: str, words: str) -> None:
    """An argument that must be there."""
    command.add_argument(name.lower(), metavar=name, help=words)


def client_for(given: argparse.Namespace) -> Client:
    """With the credentials that there are."""
    settings: ClientSettings = {"idempotent": getattr(given, "idempotent", False)}
    token = os.environ.get("FPGA_TOKEN")
    if token is not None:
        settings["token"] = token
    elif given.agency:
        settings["ecs_agency"] = True
    else:
        settings["environment_credentials"] = True
    return Client(given.endpoint, **settings)


def change_pair(given: argparse.Namespace) -> None:
    """The commands associate and disassociate."""
    images = (given.fpga_image_id, given.ecs_image_id)
    with client_for(given) as client:
        call = client.disassociate if given.undo else client.associate
        call(None, given.project_id, *images)
    word = "not associated" if given.undo else "associated"
    print(f"FPGA image {images[0]} is {word} with ECS image {images[1]}")


def show_list(given: argparse.Namespace) -> None:
    """The command list."""
    with client_for(given) as client:
        call = (None, given.project_id)
        if given.json:
            print(client.associations_json(*call, fpga_id=given.fpga, ecs_id=given.ecs))
            return
        pairs = client.associations(*call, fpga_id=given.fpga, ecs_id=given.ecs)
    print(f"{'ECS IMAGE':36}  {'FPGA IMAGE':32}  {'STATUS':10}  {'SIZE':>8}  NAME")
    for pair in pairs:
        images = f"{pair.ecs_id:36}  {pair.fpga_id:32}"
        print(f"{images}  {pair.status:10}  {pair.size_mb:5} MB  {pair.name}")


def carry_out(given: argparse.Namespace) -> None:
    """The command plan: shows the differences, and brings them about."""
    progress = Progress()
    with Plan(progress=progress.show) as plan:
        add_file(plan, given.file)
        with client_for(given) as client:
            incomplete: Optional[Error] = None
            try:
                with progress.begun("Comparing", len(plan)):
                    client.compare(None, given.project_id, plan)
            except Error as error:
                if error.status != INCOMPLETE:
                    raise
                incomplete = error
            show_comparison(plan)
            # Pairs are open where comparing was stopped: then there is no use in going on.
            goes_on = count(plan, RESULT_OPEN) == 0 and count(plan, RESULT_TO_CHANGE) > 0
            if goes_on and not given.dry_run:
                try:
                    with progress.begun("Applying", len(plan)):
                        client.apply(None, given.project_id, plan)
                finally:
                    show_end(plan)
            elif incomplete is not None:
                raise incomplete


def add_file(plan: Plan, path: str) -> None:
    """Adds the pairs of a file; in bytes, because a name may be anything."""
    name = "<stdin>" if path == "-" else path
    number = 0
    try:
        with open(sys.stdin.fileno() if path == "-" else path, "rb") as file:
            for number, line in enumerate(file, 1):
                add_line(plan, line)
    except OSError as error:
        raise Unusable(f"{name}: {error.strerror}") from None
    except (Error, ValueError) as error:
        raise Unusable(f"{name}:{number}: {error}") from None


def add_line(plan: Plan, line: bytes) -> None:
    """Adds the pair of a line, if it has one."""
    words = line.partition(b"#")[0].split()
    if b"\0" in line or (words and (len(words) != 3 or words[0] not in (b"+", b"-"))):
        pair = "FPGA_IMAGE_ID ECS_IMAGE_ID"
        raise ValueError(f'neither "+ {pair}" nor "- {pair}"')
    if words:
        plan.add(os.fsdecode(words[1]), os.fsdecode(words[2]), words[0] == b"+")


class Progress:
    """A bar on a terminal, and up to ten lines elsewhere, on the standard error."""

    def __init__(self) -> None:
        self._what = ""
        self._tenths = 0
        self._is_terminal = sys.stderr.isatty()

    def begun(self, what: str, total: int) -> Progress:
        """For a call of the plan, in a with statement."""
        self._what, self._tenths = what, 0
        self.show(0, total)
        return self

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        if self._is_terminal:
            print(file=sys.stderr)

    def show(self, settled: int, total: int) -> None:
        """The plan calls it."""
        tenths = 10 * settled // total if total > 0 else 0
        if self._is_terminal:
            bar = "#" * (2 * tenths) + "-" * (20 - 2 * tenths)
            print(f"\r{self._what} [{bar}] {settled}/{total}", end="", file=sys.stderr, flush=True)
        elif tenths > self._tenths:
            print(f"{self._what} {settled}/{total}", file=sys.stderr)
        self._tenths = tenths


def count(plan: Plan, result: int, associated: Optional[bool] = None) -> int:
    """How many pairs have this result, of those that are to be associated, or not, or of all."""
    wanted = (associated,) if associated is not None else (True, False)
    return sum(pair.result == result and pair.associated in wanted for pair in plan)


def lines_of(plan: Plan, result: int) -> Iterator[str]:
    """The pairs with this result."""
    for pair in plan:
        if pair.result != result:
            continue
        sign = "+" if pair.associated else "-"
        why = ""
        if pair.error is not None:
            sign = "!"
            why = f": {pair.error}"
            if pair.error.outcome_unknown:
                why += " (it may have been done all the same)"
        elif result == RESULT_AS_WANTED:
            sign = "="
        yield f"  {sign} {pair.fpga_id} {pair.ecs_id}{why}"


def show_comparison(plan: Plan) -> None:
    """What comparing has found."""
    as_wanted = list(lines_of(plan, RESULT_AS_WANTED))
    failed, still_open = count(plan, RESULT_FAILED), count(plan, RESULT_OPEN)
    for line in (*lines_of(plan, RESULT_TO_CHANGE), *as_wanted[:MOST_AS_WANTED]):
        print(line)
    if len(as_wanted) > MOST_AS_WANTED:
        print(f"  = and {len(as_wanted) - MOST_AS_WANTED} more")
    for line in lines_of(plan, RESULT_FAILED):
        print(line)
    print(
        f"Plan: {count(plan, RESULT_TO_CHANGE, True)} to associate,",
        f"{count(plan, RESULT_TO_CHANGE, False)} to disassociate, {len(as_wanted)} as wanted"
        + (f", {failed} failed, {still_open} open." if failed + still_open > 0 else "."),
        flush=True,  # before what stderr has to say
    )


def show_end(plan: Plan) -> None:
    """What applying has brought."""
    for line in lines_of(plan, RESULT_FAILED):
        print(line, file=sys.stderr)
    print(
        f"Done: {count(plan, RESULT_CHANGED, True)} associated,",
        f"{count(plan, RESULT_CHANGED, False)} disassociated,",
        f"{count(plan, RESULT_AS_WANTED)} as wanted, {count(plan, RESULT_FAILED)} failed,",
        f"{count(plan, RESULT_OPEN)} open.",
        flush=True,
    )


def line_of(error: Error) -> str:
    """What failed, in one line, with what to do about it."""
    line = f"error: {error} ({error.status_name}, {error.status})"
    if error.outcome_unknown:
        line += "; the outcome is unknown, the service may have acted"
    if error.outcome_unknown and error.observed == OBSERVED_ASSOCIATED:
        line += ", the list last showed the two associated"
    if error.outcome_unknown and error.observed == OBSERVED_APART:
        line += ", the list last showed the two apart"
    if error.status == CREDENTIALS_FAILED:
        line += "; needed: FPGA_TOKEN, or HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK, or, on an ECS"
        line += " server with an agency, --agency"
    return f"{line}. {error.help}"


if __name__ == "__main__":
    sys.exit(main())
