"""Why a request to S3 failed, in words for operators that name no secret."""

import re
from collections.abc import Iterable
from typing import Final

from botocore.exceptions import (
    ClientError,
    CredentialRetrievalError,
    NoCredentialsError,
    PartialCredentialsError,
)

from db.object_io import os_reason

MISSING: Final = {"NoSuchKey", "404"}
"""The codes of an object that is not there. (A missing bucket is NoSuchBucket.)"""

_REASONS: Final = {
    "ExpiredToken": "the credentials have expired",
    "ExpiredTokenException": "the credentials have expired",
    "TokenRefreshRequired": "the credentials have expired",
    "InvalidAccessKeyId": "the service does not know the access key id",
    "SignatureDoesNotMatch": "the secret access key is not that of the access key id",
    "InvalidToken": "the session token is not valid",
    "AccessDenied": "the credentials do not allow it",
    "RequestTimeTooSkewed": "this machine's clock is off by more than the service allows",
    "NoSuchBucket": "there is no such bucket",
    "SlowDown": "the service is too busy",
    "ServiceUnavailable": "the service is too busy",
    "BadDigest": "what arrived is not what was sent",
}


def error_code(error: ClientError) -> str:
    """The service's name for what was wrong, or the status of an answer without one."""
    return str(error.response.get("Error", {}).get("Code", ""))


def plain_reason(error: Exception) -> str:
    """One line. The service's own code stands behind ours, to be looked up."""
    if isinstance(error, ClientError):
        code = error_code(error)
        said = error.response.get("Error", {}).get("Message") or "no reason given"
        return f"{_REASONS.get(code, said)} ({code})"
    if isinstance(error, NoCredentialsError | PartialCredentialsError | CredentialRetrievalError):
        return (
            "there are no credentials: set archive.access_key_id and archive.secret_access_key,"
            f" or give the machine a role ({_one_line(error)})"
        )
    if isinstance(error, OSError):
        return os_reason(error)
    return _one_line(error)


def without_secrets(text: str, secrets: Iterable[str]) -> str:
    """The text with each secret, and any user and password in a URL, blotted out."""
    for secret in secrets:
        text = text.replace(secret, "***") if secret else text
    return re.sub(r"//[^/@\s]+@", "//***@", text)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
