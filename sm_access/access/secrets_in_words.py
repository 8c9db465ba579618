"""Words of AWS, of a library or of a person, without the secrets that they may hold.

Pure. A denial is told by names - actions, ARNs, policies - and needs none of what is taken away: the signature of a
presigned URL, the id of an access key, a key or token that is named as one, and a value that a service calls invalid,
which can be a password. What AWS encoded for `DecodeAuthorizationMessage` stays: that is AWS's to hide.

Sources: AWS Signature Version 4, "Authenticating Requests: Using Query Parameters"; IAM User Guide, "IAM identifiers".
"""

from __future__ import annotations

import re

GONE = "***"

# Every repetition is bounded or over one class alone: no text takes long.
_QUERY = re.compile(
    r"\b(X-Amz-(?:Security-Token|Signature|Credential)|AWSAccessKeyId|Signature|Credential|sig)"
    r"(%3D|=)[^\s&\"'<>,;)\]}]+",
    re.IGNORECASE,
)
_KEY_ID = re.compile(r"(?<![A-Za-z0-9])(AKIA|ASIA)[A-Z0-9]{12,124}(?![A-Za-z0-9])")
_NAMED = re.compile(
    # Not behind a letter or slash: `sts:GetSessionToken` is an action, `year=1/password=x/` a folder.
    r"((?<![A-Za-z/])(?:(?:aws_?)?secret_?access_?key|(?:aws_?)?(?:session|security)_?token|client_?secret|password)"
    r"[\"']?[ ]{0,3}[:=][ ]{0,3}[\"']?)[^\s\"'&,;<>{}\[\]]{4,}",
    re.IGNORECASE,
)
_HEADER = re.compile(
    r"\b(x-amz-security-token|authorization)([\"']?[ ]{0,3}:[ ]{0,3})[^\r\n]{8,}", re.IGNORECASE
)
_INVALID = re.compile(r"\bValue (?:'[^\r\n]{0,4000}?'|\"[^\r\n]{0,4000}?\") at '")


def without_secrets(text: str) -> str:
    """The text with each secret replaced by a mark; of what is without, the text itself."""
    text = _INVALID.sub(f"Value '{GONE}' at '", text)
    text = _HEADER.sub(rf"\1\2{GONE}", text)
    text = _QUERY.sub(rf"\1\2{GONE}", text)
    text = _NAMED.sub(rf"\1{GONE}", text)
    return _KEY_ID.sub(rf"\1{GONE}", text)
