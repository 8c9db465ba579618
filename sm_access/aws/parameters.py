"""What the account publishes for everybody in it: one parameter of AWS Systems Manager's Parameter Store."""

from __future__ import annotations

from botocore.exceptions import ClientError

from sm_access.aws.session import DENIED, Aws, error_code, told


def collect_parameter(aws: Aws, name: str) -> str | None:
    """Its value; None where there is none, or where this principal may not read it: then nothing is published for it.

    Raises NoCredentials, ExpiredCredentials, AwsUnreachable.
    """
    with told(f"reading the parameter {name}"):
        try:
            return str(aws.client("ssm").get_parameter(Name=name)["Parameter"]["Value"])
        except ClientError as error:
            if error_code(error) in {"ParameterNotFound", *DENIED}:
                return None
            raise
