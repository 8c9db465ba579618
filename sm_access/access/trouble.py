"""What kind of trouble an answer of AWS is, by its code and status alone: a denial, something near, or none of ours.

Pure. Near are the troubles that people take for a denial or that hide one: expired credentials, the wrong Region, a
bucket that is not there. Not ours, and passed over in silence: a missing key, throttling, an archived object.

Sources: Amazon S3 API Reference, "Error responses"; IAM API Reference, "Common errors"; AWS KMS API Reference.
"""

from __future__ import annotations

import re
from enum import Enum

from sm_access.access.call import Call
from sm_access.access.denial_message import parse_denial


class Trouble(str, Enum):
    """DENIED covers every refusal of a permission, whatever decided it."""

    DENIED = "denied"
    EXPIRED = "expired-credentials"
    NO_CREDENTIALS = "no-credentials"
    UNKNOWN_CREDENTIALS = "unknown-credentials"
    SIGNATURE = "wrong-signature"
    CLOCK = "clock-skew"
    WRONG_REGION = "wrong-region"
    NO_BUCKET = "no-such-bucket"
    KEY_STATE = "kms-key-unusable"
    ACCOUNT = "account-not-enabled"
    UNREACHABLE = "endpoint-unreachable"
    BAD_REQUEST = "bad-request-without-reason"


_DENIED = (
    "accessdenied accessdeniedexception unauthorizedoperation client.unauthorizedoperation unauthorizedexception "
    "authorizationerror authorizationerrorexception notauthorized notauthorizedexception forbidden "
    "forbiddenexception accessdeniedfault access_denied insufficientprivilegesexception 403"
)
_CODES: dict[str, Trouble] = {
    **dict.fromkeys(_DENIED.split(), Trouble.DENIED),
    **dict.fromkeys(
        ("expiredtoken", "expiredtokenexception", "requestexpired", "tokenrefreshrequired"), Trouble.EXPIRED
    ),
    **dict.fromkeys(
        ("nocredentialserror", "nocredentials", "partialcredentialserror", "missingauthenticationtoken",
         "missingauthenticationtokenexception"),
        Trouble.NO_CREDENTIALS,
    ),
    **dict.fromkeys(
        ("invalidaccesskeyid", "invalidclienttokenid", "unrecognizedclientexception", "invalidtoken", "authfailure"),
        Trouble.UNKNOWN_CREDENTIALS,
    ),
    **dict.fromkeys(
        ("signaturedoesnotmatch", "invalidsignatureexception", "incompletesignature", "incompletesignatureexception"),
        Trouble.SIGNATURE,
    ),
    **dict.fromkeys(("requesttimetooskewed", "requestinthefuture", "invalidtimestamp"), Trouble.CLOCK),
    **dict.fromkeys(
        ("permanentredirect", "temporaryredirect", "authorizationheadermalformed", "illegallocationconstraintexception",
         "301", "307"),
        Trouble.WRONG_REGION,
    ),
    "nosuchbucket": Trouble.NO_BUCKET,
    **dict.fromkeys(
        ("kms.disabledexception", "kms.notfoundexception", "kms.kmsinvalidstateexception",
         "kms.invalidstateexception", "disabledexception", "kmsinvalidstateexception",
         "kms.kmsinvalidkeyusageexception"),
        Trouble.KEY_STATE,
    ),
    **dict.fromkeys(
        ("optinrequired", "notsignedup", "subscriptionrequiredexception", "allaccessdisabled", "accountproblem",
         "invalidpayer"),
        Trouble.ACCOUNT,
    ),
    **dict.fromkeys(
        ("endpointconnectionerror", "connecttimeouterror", "connecttimeout", "connectionclosederror"),
        Trouble.UNREACHABLE,
    ),
}  # fmt: skip
_HEADS = frozenset({"HeadObject", "HeadBucket"})
_SIGNED_AT_ANOTHER_TIME = re.compile(r"Signature (?:expired|not yet current)", re.IGNORECASE)


def trouble_of(call: Call) -> Trouble | None:
    """The kind of trouble; None where the answer is none of ours."""
    code = call.code.lower()
    found = _CODES.get(code)
    if found is Trouble.SIGNATURE and _SIGNED_AT_ANOTHER_TIME.search(call.message[:2000]):
        return Trouble.CLOCK
    if found is not None:
        return found
    if call.operation in _HEADS and code in {"", "400", "badrequest"} and call.status == 400:
        return Trouble.BAD_REQUEST
    if call.operation == "HeadBucket" and code in {"", "404", "notfound"} and call.status == 404:
        return Trouble.NO_BUCKET
    if code in {"", "unknown"} and call.status == 403:
        return Trouble.DENIED
    # Some services wrap a denial in an error of their own; the sentence is AWS's all the same.
    said = parse_denial(call.message) if call.message else None
    return Trouble.DENIED if said is not None and (said.action or said.decider) else None
