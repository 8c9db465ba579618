"""A denial, what people take for one, and what is passed over in silence: by code, status and words."""

from __future__ import annotations

import pytest

from sm_access.access.call import Call
from sm_access.access.trouble import Trouble, trouble_of

ARN = "arn:aws:iam::111122223333:user/ada"
SENTENCE = f"User: {ARN} is not authorized to perform: s3:GetObject because no identity-based policy allows the action"


def call(code: str = "", status: int | None = None, message: str = "", operation: str = "GetObject") -> Call:
    return Call("s3", operation, {"Bucket": "b", "Key": "k"}, status=status, code=code, message=message)


@pytest.mark.parametrize(
    ("made", "trouble"),
    [
        (call("AccessDenied", 403), Trouble.DENIED),
        (call("AccessDeniedException", 400), Trouble.DENIED),
        (call("UnauthorizedOperation", 403), Trouble.DENIED),
        (call("403", 403, "Forbidden", "HeadObject"), Trouble.DENIED),
        (call("", 403), Trouble.DENIED),
        (call("ValidationException", 400, SENTENCE), Trouble.DENIED),
        (call("", None, SENTENCE), Trouble.DENIED),
        (call("", None, "The ciphertext refers to a customer master key that does not exist, or"), Trouble.DENIED),
        (call("ExpiredToken", 400), Trouble.EXPIRED),
        (call("NoCredentialsError"), Trouble.NO_CREDENTIALS),
        (call("InvalidAccessKeyId", 403), Trouble.UNKNOWN_CREDENTIALS),
        (call("SignatureDoesNotMatch", 403, "The request signature we calculated does not match"), Trouble.SIGNATURE),
        (call("SignatureDoesNotMatch", 403, "Signature expired: 20261124T1 is now earlier than"), Trouble.CLOCK),
        (call("RequestTimeTooSkewed", 403), Trouble.CLOCK),
        (call("PermanentRedirect", 301), Trouble.WRONG_REGION),
        (call("301", 301, "Moved Permanently", "HeadObject"), Trouble.WRONG_REGION),
        (call("NoSuchBucket", 404), Trouble.NO_BUCKET),
        (call("404", 404, "Not Found", "HeadBucket"), Trouble.NO_BUCKET),
        (call("KMS.DisabledException", 400), Trouble.KEY_STATE),
        (call("OptInRequired", 403), Trouble.ACCOUNT),
        (call("EndpointConnectionError"), Trouble.UNREACHABLE),
        (call("400", 400, "Bad Request", "HeadObject"), Trouble.BAD_REQUEST),
        (call("", 200), None),
        (call("404", 404, "Not Found", "HeadObject"), None),
        (call("NoSuchKey", 404), None),
        (call("InvalidObjectState", 403, "The operation is not valid for the object's storage class"), None),
        (call("SlowDown", 503), None),
        (call("ThrottlingException", 400, "Rate exceeded"), None),
        (call("400", 400, "Bad Request"), None),
        (call("InvalidRange", 416), None),
    ],
)  # fmt: skip
def test_each_answer_of_aws_is_its_own_trouble_or_none(made: Call, trouble: Trouble | None) -> None:
    assert trouble_of(made) is trouble
