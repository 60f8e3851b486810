"""What is said about requests to S3 that failed."""

import pytest
from botocore.exceptions import ClientError, NoCredentialsError, ReadTimeoutError

from db.s3_reasons import plain_reason, without_secrets


def refused(code: str, message: str = "") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "PutObject")


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (refused("ExpiredToken", "x"), "the credentials have expired (ExpiredToken)"),
        (refused("Unheard", "It is full."), "It is full. (Unheard)"),
        (refused("500"), "no reason given (500)"),
        (ClientError({}, "PutObject"), "no reason given ()"),
        (
            NoCredentialsError(),
            "there are no credentials: set archive.access_key_id and archive.secret_access_key,"
            " or give the machine a role (Unable to locate credentials)",
        ),
        (ReadTimeoutError(endpoint_url="http://x"), 'Read timeout on endpoint URL: "http://x"'),
        (FileNotFoundError(2, "No such file", "/a"), "No such file: /a"),
        (OSError(28, "No space left on device"), "No space left on device"),
        (OSError("two\nlines"), "two lines"),
        (OSError(), "OSError"),
    ],
)
def test_a_reason_is_one_line(error: Exception, reason: str) -> None:
    assert plain_reason(error) == reason


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("the key AKIA is bad, AKIA!", "the key *** is bad, ***!"),
        ("at https://me:word@host/x", "at https://***@host/x"),
        ("at https://host/a@b", "at https://host/a@b"),
    ],
)
def test_secrets_are_blotted_out(text: str, safe: str) -> None:
    assert without_secrets(text, ["AKIA", "", "secret"]) == safe
