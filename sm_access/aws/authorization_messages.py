"""What AWS encoded in a denial, decoded by AWS, for who may see it."""

from __future__ import annotations

from sm_access.aws.session import Aws, told


def decode_authorization_message(aws: Aws, encoded: str) -> str:
    """JSON about who was denied what. Raises AccessDenied where `sts:DecodeAuthorizationMessage` is missing."""
    with told("decoding an authorization message"):
        answer = aws.client("sts").decode_authorization_message(EncodedMessage=encoded)
    return str(answer["DecodedMessage"])
