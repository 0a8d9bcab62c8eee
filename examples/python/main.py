"""Associates an FPGA image with an ECS image and lists what the ECS image has.

    main.py ENDPOINT PROJECT_ID FPGA_IMAGE_ID ECS_IMAGE_ID

The token comes from the environment variable FPGA_TOKEN, the library's path from
FPGA_ASSOCIATE_LIBRARY. The exit status is the fpga_assoc_status.
"""

import os
import sys

from fpga_associate import INVALID_ARGUMENT, Client, Error


def main() -> int:
    if len(sys.argv) != 5:
        print("usage: main.py ENDPOINT PROJECT_ID FPGA_IMAGE_ID ECS_IMAGE_ID", file=sys.stderr)
        return INVALID_ARGUMENT
    token = os.environ.get("FPGA_TOKEN")
    if token is None:
        print("error: the environment variable FPGA_TOKEN is not set", file=sys.stderr)
        return INVALID_ARGUMENT

    endpoint, project_id, fpga_id, ecs_id = sys.argv[1:]
    try:
        with Client(endpoint) as client:
            client.associate(token, project_id, fpga_id, ecs_id)
            print(f"FPGA image {fpga_id} is associated with ECS image {ecs_id}")
            for pair in client.associations(token, project_id, ecs_id=ecs_id):
                protected = "protected" if pair.is_protected else "not protected"
                print(
                    f"{pair.ecs_id}  {pair.fpga_id}  {pair.status}  {pair.size_mb} MB"
                    f"  {protected}  {pair.name}"
                )
    except Error as error:
        report(error)
        return error.status
    return 0


def report(error: Error) -> None:
    print(f"error: {error}", file=sys.stderr)
    print(f"  status:     {error.status_name} ({error.status})", file=sys.stderr)
    if error.code:
        print(f"  code:       {error.code}", file=sys.stderr)
    if error.request_id:
        print(f"  request id: {error.request_id}", file=sys.stderr)
    if error.outcome_unknown:
        print("  outcome:    unknown, the service may have acted", file=sys.stderr)
    print(f"  help:       {error.help}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
