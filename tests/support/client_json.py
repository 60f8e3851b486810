"""What clients send, for the tests of the forms that read it."""

from typing import Any

from hypothesis import strategies as st

from domain.refusals import Code, Refusal

WALLET = "0x7e5f4552091a69125d5dfcb7b8c2659029395bdf"
CHECKSUMMED = "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf"
NONCE = "6f1c0f4e-2a7b-4c1d-9e8f-0123456789ab"
BET: dict[str, Any] = {
    "wallet": WALLET,
    "cell_id": "1770100010_4200000_4201000",
    "amount": "1000000",
    "nonce": NONCE,
    "timestamp": 1_770_100_003,
    "chain_id": 31_337,
    "version": "1",
    "signature": "0x" + "ab" * 65,
}
BET_2 = BET | {"version": "2", "rate": 18_500, "quote": 812}


def field_of(result: object) -> object:
    """The field that a refusal names."""
    assert isinstance(result, Refusal), result
    assert result.code is Code.BAD_REQUEST
    return result.details["field"]


JSON_VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
