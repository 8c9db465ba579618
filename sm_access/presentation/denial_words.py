"""The words for each cause of a denial: what it is, and who can do what about it."""

from __future__ import annotations

from collections.abc import Mapping

from sm_access.access.denial_message import Decider
from sm_access.access.diagnosis import Cause

DECIDERS: Mapping[Decider, str] = {
    Decider.IDENTITY: "identity-based policy",
    Decider.PERMISSIONS_BOUNDARY: "permissions boundary",
    Decider.SESSION: "session policy",
    Decider.RESOURCE: "resource-based policy",
    Decider.TRUST: "role trust policy",
    Decider.SERVICE_CONTROL: "service control policy",
    Decider.RESOURCE_CONTROL: "resource control policy",
    Decider.VPC_ENDPOINT: "VPC endpoint policy",
}
#: AWS's words where they name no policy.
SETTINGS: Mapping[Decider, str] = {
    Decider.BLOCKED_ENCRYPTION: "this bucket takes no uploads with a key of the customer's own (SSE-C)",
    Decider.OBJECT_LOCK: "the object is protected by Object Lock",
    Decider.UNSEEN_KEY: "the KMS key does not exist, not in this Region, or you may not use it",
}
#: Troubles that are no denial have a headline of their own.
NEAR: Mapping[Cause, str] = {
    Cause.EXPIRED: "Your credentials have expired",
    Cause.NO_CREDENTIALS: "No AWS credentials were found",
    Cause.UNKNOWN_CREDENTIALS: "AWS does not know these credentials",
    Cause.SIGNATURE: "The signature of the request is wrong",
    Cause.CLOCK: "The clock of this machine is wrong",
    Cause.WRONG_REGION: "The request went to the wrong Region",
    Cause.NO_BUCKET: "There is no such bucket",
    Cause.KEY_STATE: "The KMS key cannot be used",
    Cause.ACCOUNT: "The account is not enabled for this",
    Cause.UNREACHABLE: "AWS did not answer",
    Cause.BAD_REQUEST: "S3 refused without saying why",
    Cause.MAY_BE_MISSING: "It may not exist",
    Cause.OWNER_MISMATCH: "The bucket has another owner",
    Cause.ENCRYPTION_HEADER: "The upload lacks an encryption header",
    Cause.BLOCKED_ENCRYPTION: "The upload is encrypted in a way that the bucket refuses",
    Cause.NETWORK: "The request came through the wrong network",
}
#: No answer of AWS is behind these.
NEVER_ASKED = frozenset({Cause.UNREACHABLE, Cause.NO_CREDENTIALS})
#: What the engine found, or what is guessed, where AWS gave no reason.
FOUND: Mapping[Cause, str] = {
    Cause.NOT_GRANTED: "No identity policy of the role covers this.",
    Cause.IDENTITY_DENY: "A policy of the role itself denies it.",
    Cause.BOUNDARY: "The role's policies allow it, its permissions boundary does not.",
    Cause.SESSION_POLICY: "The session policy stands against it.",
    Cause.SERVICE_CONTROL: "A service control policy of the organization stands against it.",
    Cause.RESOURCE_CONTROL: "A resource control policy of the organization stands against it.",
    Cause.ENDPOINT_POLICY: "The policy of the VPC endpoint stands against it.",
    Cause.RESOURCE_DENY: "The bucket's own policy denies it.",
    Cause.RESOURCE_SILENT: "The role's policies allow it, the resource's own policy does not.",
    Cause.OTHER_ACCOUNT: "The role's policies allow it, but the bucket is another account's, which must allow it too.",
    Cause.KMS_KEY: "S3 allows it, but the KMS key that encrypts the bucket is not open to this role.",
    Cause.ENCRYPTION_HEADER: "The bucket's policy takes uploads only if they say how they are to be encrypted.",
    Cause.NETWORK: "The bucket's policy denies whatever does not come through certain VPC endpoints or networks.",
    Cause.OWNER_MISMATCH: "It does not belong to the account in ExpectedBucketOwner. Nobody's permissions were asked.",
    Cause.MAY_BE_MISSING: (
        "The role may read there, but not list the bucket: to who may not list, S3 answers 403 for a missing key."
    ),
    Cause.DISAGREEMENT: "Every policy that could be read allows this, and AWS denied it all the same.",
    Cause.NO_BUCKET: "S3 knows no bucket of this name.",
}
#: Beside AWS's words, what they do not say and the engine does.
BESIDE: Mapping[Cause, str] = {
    Cause.MAY_BE_MISSING: (
        "S3 asks for the listing once the read itself is allowed and the key is missing. Most likely it does not exist."
    ),
    Cause.ENCRYPTION_HEADER: "By our engine, an upload passes if it says how it is to be encrypted.",
    Cause.NETWORK: "By our engine, the policy denies whatever does not come through certain VPC endpoints or networks.",
}
#: What would help, and who can do it.
REMEDIES: Mapping[Cause, str] = {
    Cause.NOT_GRANTED: "Whoever administers the role can allow it.",
    Cause.IDENTITY_DENY: "A request cannot undo a deny: whoever administers the role can change that policy.",
    Cause.BOUNDARY: "A request cannot help: whoever administers the role can change its permissions boundary.",
    Cause.SESSION_POLICY: "A request cannot help: whoever starts the session chooses its policy.",
    Cause.SERVICE_CONTROL: "A request cannot help: only the organization's administrators can change it.",
    Cause.RESOURCE_CONTROL: "A request cannot help: only the organization's administrators can change it.",
    Cause.ENDPOINT_POLICY: "A request cannot help: whoever runs the network can change the endpoint's policy.",
    Cause.RESOURCE_DENY: "A request cannot undo a deny: whoever owns the resource can change its policy.",
    Cause.RESOURCE_SILENT: "A request cannot help: whoever owns the resource can change its policy.",
    Cause.OTHER_ACCOUNT: "A request cannot help: the other account's owner has to open it for this role.",
    Cause.TRUST: "A request cannot help: whoever administers that role can change whom it trusts.",
    Cause.KMS_KEY: "A request cannot help: whoever administers the key can open it to this role, in the key's policy.",
    Cause.PUBLIC_ACCESS: "A request cannot help: whoever owns the bucket or the account has closed it to the public.",
    Cause.OBJECT_LOCK: "A request cannot help: it stays until its retention or legal hold ends.",
    Cause.BLOCKED_ENCRYPTION: "No access is missing: upload without a key of your own.",
    Cause.MAY_BE_MISSING: "Check the spelling of the key, or ask somebody who may list the bucket.",
    Cause.ENCRYPTION_HEADER: "No access is missing: say with the upload how it is to be encrypted.",
    Cause.NETWORK: "A request cannot help: work where the bucket's owner expects it, or ask the owner.",
    Cause.OWNER_MISMATCH: "Check the account and the name of the bucket: it may not be the bucket you mean.",
    Cause.DISAGREEMENT: (
        "What could explain it: policies that changed just now, a session or endpoint policy, an organization's "
        "policy, an object of another account, a bucket whose requester pays, or a client with other credentials than "
        "this process has."
    ),
    Cause.UNEXPLAINED: "Ask whoever owns it, and show them this.",
    Cause.EXPIRED: (
        "No access is missing. Restart the kernel, or sign in again (aws sso login): SageMaker then hands out new ones."
    ),
    Cause.NO_CREDENTIALS: (
        "In SageMaker, check that the notebook has an execution role; elsewhere, sign in with aws sso login or set "
        "AWS_PROFILE."
    ),
    Cause.UNKNOWN_CREDENTIALS: (
        "Remove stale AWS_ACCESS_KEY_ID and AWS_SESSION_TOKEN variables and entries in ~/.aws/credentials, then "
        "restart the kernel. A Region that your account has not enabled answers the same."
    ),
    Cause.SIGNATURE: (
        "No access is missing. The secret key does not belong to the key id, or something between here and AWS changed "
        "the request."
    ),
    Cause.CLOCK: (
        "No access is missing. AWS takes requests within 15 minutes of its own time: correct the clock, and try again."
    ),
    Cause.WRONG_REGION: "No access is missing: make the client for the Region of the bucket.",
    Cause.NO_BUCKET: "Check the spelling; sm-access permissions lists the buckets of this account.",
    Cause.KEY_STATE: "A request cannot help: whoever administers the key can enable it, or cancel its deletion.",
    Cause.ACCOUNT: "A request cannot help: whoever owns the AWS account can enable it, or settle what is open.",
    Cause.UNREACHABLE: (
        "Nothing was denied. Check the network, the VPC endpoints and AWS_ENDPOINT_URL*: a notebook without internet "
        "access needs an endpoint for each service."
    ),
    Cause.BAD_REQUEST: (
        "The usual causes: credentials that have expired, or a bucket in another Region. sm-access whoami shows "
        "whether the credentials still work."
    ),
}
#: What would still refuse after a grant.
THEN: Mapping[Cause, str] = {
    Cause.IDENTITY_DENY: "a policy of the role itself",
    Cause.BOUNDARY: "the role's permissions boundary",
    Cause.SESSION_POLICY: "the session policy",
    Cause.SERVICE_CONTROL: "a service control policy",
    Cause.RESOURCE_CONTROL: "a resource control policy",
    Cause.RESOURCE_DENY: "the bucket's own policy",
    Cause.RESOURCE_SILENT: "the bucket's own policy",
    Cause.OTHER_ACCOUNT: "the account that owns the bucket",
    Cause.KMS_KEY: "the policy of the bucket's KMS key",
}
MISSING = "It may also just not exist: to who may not list the bucket, S3 answers 403 for a missing key too."
DISAGREES_WITH_AWS = (
    "The policies that our engine read allow this: they changed just now, or something decided that could not be "
    "read, or another principal made the call. AWS's word counts."
)
