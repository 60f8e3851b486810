"""Sign-in as clients send it."""

from typing import Final

import attrs

from protocols.forms import Field, Form, Given, Text


@attrs.frozen(kw_only=True)
class LoginRequest:
    """A signed EIP-4361 text, as it came."""

    message: str = attrs.field(repr=False)
    signature: str = attrs.field(repr=False)


_MESSAGE: Final = Field("message", Text(most=4_096), "The whole EIP-4361 text that was signed.")
_SIGNATURE: Final = Field(
    "signature", Text(most=1_024), "Of the message, by EIP-191: `0x` and 130 hexadecimal digits."
)


def _login(given: Given) -> LoginRequest:
    return LoginRequest(message=given[_MESSAGE], signature=given[_SIGNATURE])


LOGIN: Final = Form((_MESSAGE, _SIGNATURE), _login)
