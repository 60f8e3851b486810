"""Session keys: the point, its names and its signatures, as WebCrypto has them."""

import hashlib
from base64 import urlsafe_b64decode

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from client import KeyCaps, SessionKey
from supervisor import SeededChance

# The key of RFC 6979, appendix A.2.5.
NUMBER = 0xC9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721
X = "60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"
Y = "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299"
KEY = SessionKey.from_number(NUMBER)


def verify(key: SessionKey, text: str, signature: str) -> None:
    r, s = int(signature[2:66], 16), int(signature[66:], 16)
    public = EllipticCurvePublicKey.from_encoded_point(SECP256R1(), key.point)
    public.verify(encode_dss_signature(r, s), text.encode(), ECDSA(SHA256()))


def test_the_point_of_a_known_key() -> None:
    assert KEY.point.hex() == f"04{X}{Y}"


def test_the_public_key_is_the_point_in_87_characters() -> None:
    assert len(KEY.public_key) == 87
    assert urlsafe_b64decode(KEY.public_key + "=") == KEY.point


def test_the_id_is_half_of_the_points_hash() -> None:
    assert KEY.key_id == hashlib.sha256(KEY.point).hexdigest()[:32]


def test_the_resource_names_point_and_caps() -> None:
    caps = KeyCaps(bet_max_micros=25_000_000, day_max_micros=500_000_000, until_s=1_770_186_400)
    assert KEY.resource(caps) == (
        f"urn:tapgrid:session-key:p256:{KEY.public_key}?bet=25000000&day=500000000&until=1770186400"
    )


def test_a_signature_is_r_and_s_and_holds_for_its_text_alone() -> None:
    signature = KEY.sign("Grüße")
    assert len(signature) == 2 + 128
    verify(KEY, "Grüße", signature)
    with pytest.raises(InvalidSignature):
        verify(KEY, "Gruesse", signature)


def test_new_keys_differ_and_come_from_chance_alone() -> None:
    assert SessionKey.new().key_id != SessionKey.new().key_id
    assert SessionKey.new(SeededChance(1)).key_id == SessionKey.new(SeededChance(1)).key_id


def test_shows_no_secret() -> None:
    assert "EllipticCurvePrivateKey" not in repr(KEY)


@pytest.mark.parametrize("number", [0, -1, 2**256])
def test_what_is_no_private_number_is_refused(number: int) -> None:
    with pytest.raises(ValueError, match=r"private_value|Invalid EC key"):
        SessionKey.from_number(number)
