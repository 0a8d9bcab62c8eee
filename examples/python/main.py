"""Associates an FPGA image with an ECS image and lists what the ECS image has.

    main.py [--agency] ENDPOINT PROJECT_ID FPGA_IMAGE_ID ECS_IMAGE_ID

The environment variable FPGA_TOKEN holds a token. Without it --agency takes the keys of the agency
of the ECS server that this runs on; otherwise there is an access key where the vendor's tools look
for one: HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK. FPGA_ASSOCIATE_LIBRARY is the library's path.
The exit status is the fpga_assoc_status.
"""

import os
import sys
from typing import Any

from fpga_associate import CREDENTIALS_FAILED, INVALID_ARGUMENT, Client, Error


def main() -> int:
    arguments = sys.argv[1:]
    is_agency = arguments[:1] == ["--agency"]
    if is_agency:
        del arguments[0]
    if len(arguments) != 4:
        print(
            "usage: main.py [--agency] ENDPOINT PROJECT_ID FPGA_IMAGE_ID ECS_IMAGE_ID",
            file=sys.stderr,
        )
        return INVALID_ARGUMENT

    endpoint, project_id, fpga_id, ecs_id = arguments
    try:
        with Client(endpoint, **credentials(is_agency)) as client:
            client.associate(None, project_id, fpga_id, ecs_id)
            print(f"FPGA image {fpga_id} is associated with ECS image {ecs_id}")
            for pair in client.associations(None, project_id, ecs_id=ecs_id):
                protected = "protected" if pair.is_protected else "not protected"
                print(
                    f"{pair.ecs_id}  {pair.fpga_id}  {pair.status}  {pair.size_mb} MB"
                    f"  {protected}  {pair.name}"
                )
    except Error as error:
        report(error)
        return error.status
    return 0


def credentials(is_agency: bool) -> dict[str, Any]:
    """A client's setting."""
    token = os.environ.get("FPGA_TOKEN")
    if token is not None:
        return {"token": token}
    return {"ecs_agency": True} if is_agency else {"environment_credentials": True}


def report(error: Error) -> None:
    print(f"error: {error}", file=sys.stderr)
    print(f"  status:     {error.status_name} ({error.status})", file=sys.stderr)
    if error.code:
        print(f"  code:       {error.code}", file=sys.stderr)
    if error.request_id:
        print(f"  request id: {error.request_id}", file=sys.stderr)
    if error.outcome_unknown:
        print("  outcome:    unknown, the service may have acted", file=sys.stderr)
    if error.status == CREDENTIALS_FAILED:
        print(
            "  needed:     FPGA_TOKEN, or HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK,",
            "or, on an ECS server with an agency, --agency",
            file=sys.stderr,
        )
    print(f"  help:       {error.help}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
