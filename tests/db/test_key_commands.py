"""Session keys in the ledger: authorised once and for ever, revoked for good."""

import attrs
import pytest

from domain.refusals import Code, Refusal
from domain.self_limits import DAY_MS
from protocols.account_commands import KeysRevoked, RevokeKeys
from protocols.accounts import SessionKey
from protocols.money import AccountOpened, BetConfirmed, CommandFailed, MoneyOutcome, OpenAccount
from tests.support.ledgers import ALICE, AT_MS, BOB, STAKE, Venue, grant, order

KEY = grant(1)


def authorise(
    venue: Venue, number: int = 1, wallet: str = ALICE, session: str = "session-1"
) -> str:
    """The id of a key that may sign bets of the wallet."""
    key = grant(number, session_id=session)
    assert isinstance(venue.one(OpenAccount(wallet=wallet, key=key)), AccountOpened)
    return key.key_id


def revoke(venue: Venue, session: str = "session-1", at_ms: int = AT_MS) -> MoneyOutcome:
    return venue.one(RevokeKeys(wallet=ALICE, session_id=session), at_ms=at_ms)


# --- authorised -------------------------------------------------------------------------------


def test_a_key_is_authorised_with_the_account_that_it_opens(empty: Venue) -> None:
    opened = empty.one(OpenAccount(wallet=BOB, key=KEY))
    assert isinstance(opened, AccountOpened)
    assert (opened.created, opened.balance_micros) == (True, 0)
    assert empty.reader.session_key(KEY.key_id) == SessionKey(
        key_id=KEY.key_id,
        wallet=BOB,
        session_id="session-1",
        public_key=KEY.public_key,
        bet_max_micros=5 * STAKE,
        day_max_micros=20 * STAKE,
        created_at_ms=AT_MS,
        expires_at_ms=AT_MS + DAY_MS,
    )


def test_an_account_that_is_there_gets_the_key_and_no_event(venue: Venue) -> None:
    before = venue.reader.account(ALICE)
    opened = venue.one(OpenAccount(wallet=ALICE, key=KEY))
    assert isinstance(opened, AccountOpened)
    assert not opened.created
    assert venue.reader.session_key(KEY.key_id) is not None
    assert venue.reader.account(ALICE) == before


@pytest.mark.parametrize("wallet", [ALICE, BOB])
@pytest.mark.parametrize("revoked", [True, False])
def test_a_key_that_was_ever_used_is_refused_and_nothing_is_written(
    venue: Venue, wallet: str, revoked: bool
) -> None:
    authorise(venue)
    if revoked:
        revoke(venue)
    first = venue.reader.session_key(KEY.key_id)
    again = attrs.evolve(KEY, session_id="session-2", expires_at_ms=AT_MS + 9 * DAY_MS)
    outcome = venue.one(OpenAccount(wallet=wallet, key=again), at_ms=AT_MS + 2 * DAY_MS)
    assert isinstance(outcome, Refusal)
    assert (outcome.code, outcome.details) == (Code.BAD_REQUEST, {"field": "resources"})
    assert venue.reader.session_key(KEY.key_id) == first
    assert venue.reader.account(BOB) is None


def test_the_same_command_once_more_is_answered_and_writes_nothing(empty: Venue) -> None:
    """As by a life of the Batcher whose predecessor has committed it, and said nothing."""
    command = OpenAccount(wallet=BOB, key=KEY)
    first, again = empty.apply(command, command)
    assert isinstance(first, AccountOpened)
    assert again == attrs.evolve(first, created=False)
    assert len(empty.reader.session_keys(BOB)) == 1


@pytest.mark.parametrize(
    "other",
    [
        {"session_id": "session-2"},
        {"bet_max_micros": STAKE},
        {"day_max_micros": STAKE},
        {"expires_at_ms": AT_MS + 1},
    ],
    ids=lambda other: next(iter(other)),
)
def test_another_grant_of_the_same_key_is_refused(empty: Venue, other: dict[str, object]) -> None:
    authorise(empty)
    again = attrs.evolve(KEY, **other)  # type: ignore[arg-type]
    assert isinstance(empty.one(OpenAccount(wallet=ALICE, key=again)), Refusal)


def test_the_same_command_is_refused_once_its_key_is_revoked(empty: Venue) -> None:
    authorise(empty)
    revoke(empty)
    assert isinstance(empty.one(OpenAccount(wallet=ALICE, key=KEY)), Refusal)


def test_a_key_is_refused_within_the_batch_that_authorises_it(empty: Venue) -> None:
    outcomes = empty.apply(OpenAccount(wallet=BOB, key=KEY), OpenAccount(wallet=ALICE, key=KEY))
    assert [type(outcome) for outcome in outcomes] == [AccountOpened, Refusal]


@pytest.mark.parametrize("wallet", ["house", "external"])
def test_the_venues_own_accounts_get_no_key(empty: Venue, wallet: str) -> None:
    assert isinstance(empty.one(OpenAccount(wallet=wallet, key=KEY)), CommandFailed)
    assert empty.reader.session_key(KEY.key_id) is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"bet_max_micros": 0},
        {"day_max_micros": 0},
        {"public_key": KEY.public_key[:64]},
        {"key_id": KEY.key_id[:31]},
        {"session_id": ""},
        {"day_max_micros": 2**63},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
def test_a_grant_that_the_schema_refuses_fails_alone_and_opens_no_account(
    empty: Venue, wrong: dict[str, object]
) -> None:
    bad = attrs.evolve(KEY, **wrong)  # type: ignore[arg-type]
    failed, opened = empty.apply(
        OpenAccount(wallet=BOB, key=bad), OpenAccount(wallet=ALICE, key=KEY)
    )
    assert isinstance(failed, CommandFailed)
    assert isinstance(opened, AccountOpened)
    assert empty.reader.account(BOB) is None


# --- revoked ----------------------------------------------------------------------------------


def test_revoking_ends_all_keys_of_the_session_and_no_others(venue: Venue) -> None:
    one, two = authorise(venue, 1), authorise(venue, 2)
    other = authorise(venue, 3, session="session-2")
    assert revoke(venue, at_ms=AT_MS + 5) == KeysRevoked(count=2)
    ends = [venue.reader.session_key(key_id) for key_id in (one, two, other)]
    assert [key.revoked_at_ms for key in ends if key] == [AT_MS + 5, AT_MS + 5, None]
    assert isinstance(venue.one(order(1, key_id=other)), BetConfirmed)


def test_revoking_again_changes_nothing_not_even_since_when(venue: Venue) -> None:
    key_id = authorise(venue)
    revoke(venue, at_ms=AT_MS + 5)
    assert revoke(venue, at_ms=AT_MS + 9) == KeysRevoked(count=0)
    key = venue.reader.session_key(key_id)
    assert key is not None
    assert key.revoked_at_ms == AT_MS + 5


@pytest.mark.parametrize(("wallet", "session"), [(BOB, "session-1"), (ALICE, "session-9")])
def test_nobody_revokes_keys_of_another(venue: Venue, wallet: str, session: str) -> None:
    key_id = authorise(venue)
    venue.fund(BOB, STAKE)
    revoked = venue.one(RevokeKeys(wallet=wallet, session_id=session))
    assert revoked == KeysRevoked(count=0)
    assert isinstance(venue.one(order(1, key_id=key_id)), BetConfirmed)


def test_a_session_without_keys_is_revoked_all_the_same(venue: Venue) -> None:
    assert revoke(venue, "session-9") == KeysRevoked(count=0)


# --- read -------------------------------------------------------------------------------------


def test_the_keys_of_a_wallet_come_newest_first(venue: Venue) -> None:
    for number, at_ms in ((1, AT_MS), (2, AT_MS + 1), (3, AT_MS + 1)):
        venue.one(OpenAccount(wallet=ALICE, key=grant(number)), at_ms=at_ms)
    venue.one(OpenAccount(wallet=BOB, key=grant(4)), at_ms=AT_MS + 2)
    wanted = [grant(number).key_id for number in (3, 2, 1)]
    assert [key.key_id for key in venue.reader.session_keys(ALICE)] == wanted
    assert [key.key_id for key in venue.reader.session_keys(ALICE, limit=2)] == wanted[:2]
    assert venue.reader.session_keys("0x" + "c0" * 20) == []


def test_an_unknown_key_is_none(venue: Venue) -> None:
    assert venue.reader.session_key("0" * 32) is None


def test_what_a_key_staked_is_told_with_its_day(venue: Venue) -> None:
    key_id = authorise(venue)
    venue.apply(order(1, key_id=key_id), order(2, key_id=key_id, stake=2 * STAKE))
    key = venue.reader.session_key(key_id)
    assert key is not None
    assert (key.day, key.day_stake_micros) == (AT_MS // DAY_MS, 3 * STAKE)


@pytest.mark.parametrize(
    ("number", "wallet"), [(1, "house"), (2, "external"), (3, ALICE), (9, None)]
)
def test_an_accounts_number_names_its_wallet(venue: Venue, number: int, wallet: str | None) -> None:
    assert venue.reader.wallet_of(number) == wallet
