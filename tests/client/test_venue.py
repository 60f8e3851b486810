"""Venue and session against the real Gateway, Batcher, ledger and sign-in."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from client import (
    AnswerLost,
    KeyCaps,
    Odds,
    Proof,
    Refused,
    Session,
    SessionKey,
    Unreachable,
    Venue,
    Wallet,
    sign_bet,
)
from client.answers import BetsPage
from supervisor import SeededChance
from tests.support.door import (
    CHAIN_ID,
    EPOCH_MS,
    KEY,
    OTHER_KEY,
    PRICE_CENTS,
    REWARD_BPS,
    WALLET,
    Door,
    make_tick,
    open_door,
)
from tests.support.tcp_proxy import tcp_proxy

USD = 1_000_000
NO_NONCE = "7f1d7e5c-8f0a-4c39-9a4e-0d9a6d3a9d11"


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    async with open_door(tmp_path, sign_ins_per_minute=100) as door:
        yield door


@pytest.fixture
async def venue(door: Door) -> AsyncIterator[Venue]:
    async with Venue(f"http://127.0.0.1:{door.port}", chance=SeededChance(3)) as venue:
        yield venue


@pytest.fixture
async def session(door: Door, venue: Venue) -> Session:
    await door.fund(WALLET, 100 * USD)
    return await venue.sign_in(Wallet.from_private_key(KEY))


# --- market -------------------------------------------------------------------------------------


async def test_the_grid_with_its_quote(venue: Venue) -> None:
    grid = await venue.grid()
    assert (grid.chain_id, grid.column_s, grid.rule) == (CHAIN_ID, 5, "touch")
    assert grid.quote is not None
    assert grid.quote.n == 812
    assert {cell.reward_bps for cell in grid.quote.cells} == {REWARD_BPS}
    assert grid.quote.cells[0].max_stake_micros is not None
    assert await venue.wait_quote() == grid.quote


async def test_prices(door: Door, venue: Venue) -> None:
    door.prices.found.extend(make_tick(EPOCH_MS - 2000 + n, PRICE_CENTS + n, n) for n in range(3))
    assert (await venue.latest_price()).price_cents == PRICE_CENTS
    stretch = {"from_ms": EPOCH_MS - 5000, "to_ms": EPOCH_MS}
    assert [tick.trade_id for tick in await venue.ticks(**stretch)] == [0, 1, 2]
    [bar] = await venue.bars(interval_ms=5000, **stretch)
    assert (bar.open_cents, bar.close_cents, bar.ticks) == (PRICE_CENTS, PRICE_CENTS + 2, 3)


async def test_time_is_the_venues(door: Door, venue: Venue) -> None:
    door.clock.at_ms = EPOCH_MS + 86_400_000
    assert abs(await venue.now_ms() - door.clock.at_ms) < 1000
    assert await venue.chain_id() == CHAIN_ID


# --- sign-in and account ------------------------------------------------------------------------


async def test_a_first_sign_in_makes_an_account(venue: Venue) -> None:
    wallet = Wallet.new(SeededChance(5))
    session = await venue.sign_in(wallet)
    assert session.wallet == wallet.address.lower()
    account = await session.account()
    assert (account.wallet, account.balance_micros, account.open_bets) == (session.wallet, 0, 0)
    assert not account.frozen
    assert session.token not in repr(session)


async def test_a_session_key_signs_bets_within_its_caps(door: Door, venue: Venue) -> None:
    await door.fund(WALLET, 100 * USD)
    key = SessionKey.new(SeededChance(6))
    caps = KeyCaps(bet_max_micros=5 * USD, day_max_micros=6 * USD, until_s=EPOCH_MS // 1000 + 3600)
    session = await venue.sign_in(Wallet.from_private_key(KEY), session_key=key, caps=caps)
    assert session.key is not None
    assert (session.key.key_id, session.key.expires_at_ms) == (key.key_id, caps.until_s * 1000)
    placed = await session.place_bet(door.cell().id, stake_micros=5 * USD)
    assert (await session.bet(placed.bet_id)).key_id == key.key_id
    now = await session.key_now()
    assert now is not None
    assert now.staked_today_micros == 5 * USD
    for stake_micros, limit in ((10 * USD, "key_bet"), (5 * USD, "key_day")):
        with pytest.raises(Refused) as refused:
            await session.place_bet(door.cell(row=1).id, stake_micros=stake_micros)
        assert (refused.value.code, refused.value.details["limit"]) == ("limit_reached", limit)


async def test_a_demo_sign_in_has_paper_money_at_once(door: Door, venue: Venue) -> None:
    session = await venue.demo_sign_in(SessionKey.new(SeededChance(6)))
    assert session.key is not None
    assert session.signed_in.user.balance_micros == 1000 * USD
    placed = await session.place_bet(door.cell().id, stake_micros=USD)
    assert placed.balance_micros == 999 * USD


async def test_a_revoked_session_and_its_key_are_over(door: Door, session: Session) -> None:
    other = await session.venue.sign_in(Wallet.from_private_key(KEY))
    listed = await session.sessions()
    assert {info.session_id for info in listed} == {
        session.signed_in.session_id,
        other.signed_in.session_id,
    }
    assert [info.current for info in listed if info.session_id == session.signed_in.session_id]
    await session.revoke(other.signed_in.session_id)
    with pytest.raises(Refused, match="unauthorized"):
        await other.account()
    assert len(await session.sessions()) == 1


async def test_a_session_key_needs_caps(venue: Venue) -> None:
    with pytest.raises(ValueError, match="caps"):
        await venue.sign_in(Wallet.new(), session_key=SessionKey.new())


async def test_the_faucet_and_the_statement(session: Session, venue: Venue) -> None:
    assert (await session.faucet()).amount_micros == 1000 * USD
    assert (await venue.faucet(session.wallet)).balance_micros == 2100 * USD
    page = await session.ledger(limit=2)
    assert [entry.amount_micros for entry in page.entries] == [1000 * USD] * 2
    page = await session.ledger(cursor=page.next_cursor)
    assert [(entry.ref_type, entry.amount_micros) for entry in page.entries] == [
        ("DEPOSIT", 100 * USD)
    ]


async def test_limits_of_ones_own(session: Session, door: Door) -> None:
    account = await session.set_limits(stake_max_micros=USD, loss_day_max_micros=9 * USD)
    assert account.limits.stake_max_micros == USD
    with pytest.raises(Refused) as refused:
        await session.place_bet(door.cell().id, stake_micros=5 * USD)
    assert refused.value.details["limit"] == "stake"
    limits = (await session.set_limits(stake_max_micros=None)).limits
    assert (limits.stake_max_micros, limits.loss_day_max_micros) == (USD, 9 * USD)
    assert limits.next_stake_max is not None
    assert limits.next_stake_max.micros is None, "a day from now there is none"
    assert (await session.account()).limits == limits


async def test_a_withdrawal_is_taken_once(session: Session, venue: Venue) -> None:
    wallet = Wallet.from_private_key(KEY)
    asked = await venue.withdraw(wallet, amount_micros=7 * USD, destination=wallet.address)
    assert (asked.withdrawal.status, asked.balance_micros) == ("pending", 93 * USD)
    assert asked.withdrawal.destination == wallet.address.lower()
    assert await session.withdrawal(asked.withdrawal.id) == asked.withdrawal
    assert (await session.withdrawals()).withdrawals == (asked.withdrawal,)


@pytest.mark.slow
async def test_a_withdrawal_whose_answer_is_lost_is_asked_for_again(
    door: Door, session: Session
) -> None:
    async with (
        tcp_proxy(door.port) as proxy,
        Venue(f"http://127.0.0.1:{proxy.port}", chance=SeededChance(4)) as away,
    ):
        await away.grid()
        await proxy.hang_up()
        proxy.cut_replies_after = 20
        wallet = Wallet.from_private_key(KEY)
        asked = await away.withdraw(wallet, amount_micros=7 * USD, destination=wallet.address)
    assert asked.withdrawal.status == "pending"
    assert (await session.account()).balance_micros == 93 * USD


async def test_after_logout_the_token_is_worth_nothing(session: Session) -> None:
    await session.logout()
    with pytest.raises(Refused) as refused:
        await session.account()
    assert (refused.value.code, refused.value.http_status) == ("unauthorized", 401)


# --- bets ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("odds", [None, Odds(least_bps=REWARD_BPS, quote_n=812)], ids=["1", "2"])
async def test_a_bet_is_placed_and_found(door: Door, session: Session, odds: Odds | None) -> None:
    placed = await session.place_bet(door.cell().id, stake_micros=USD, odds=odds)
    assert (placed.status, placed.reward_bps) == ("confirmed", REWARD_BPS)
    assert (placed.stake_micros, placed.balance_micros) == (USD, 99 * USD)
    bet = await session.bet(placed.bet_id)
    assert (bet.status, bet.payout_micros, bet.cell_id) == ("confirmed", None, door.cell().id)
    assert await session.by_nonce(bet.nonce) == bet
    assert await session.bets() == BetsPage(bets=(bet,), next_cursor=None)
    assert (await session.account()).open_stake_micros == USD


async def test_a_refusal_says_all_that_the_venue_said(door: Door, session: Session) -> None:
    with pytest.raises(Refused) as refused:
        await session.place_bet("nonsense", stake_micros=USD)
    assert refused.value.code == "bad_request"
    assert refused.value.details["field"] == "cell_id"
    assert refused.value.http_status == 400
    assert not refused.value.retry_can_succeed
    door.ports.draining.set(True)
    with pytest.raises(Refused) as refused:
        await session.place_bet(door.cell().id, stake_micros=USD)
    assert (refused.value.code, refused.value.retry_after_s) == ("draining", 5)
    assert refused.value.retry_can_succeed
    door.ports.draining.set(False)


async def test_pages_and_filters(door: Door, session: Session) -> None:
    placed = [await session.place_bet(door.cell(row=row).id, stake_micros=USD) for row in range(5)]
    await door.settle(door.cell())
    page = await session.bets(limit=3)
    assert len(page.bets) == 3
    rest = await session.bets(limit=3, cursor=page.next_cursor)
    newest_first = [bet.bet_id for bet in (*page.bets, *rest.bets)]
    assert newest_first == [bet.bet_id for bet in placed][::-1]
    won = [bet async for bet in session.all_bets(status=["won", "void"])]
    assert [bet.bet_id for bet in won] == [placed[0].bet_id]
    assert len([bet async for bet in session.all_bets()]) == 5


async def test_a_bet_without_a_session(door: Door, venue: Venue) -> None:
    await door.fund(WALLET)
    wallet = Wallet.from_private_key(KEY)
    bet = sign_bet(
        wallet,
        wallet=wallet.address,
        cell_id=door.cell().id,
        stake_micros=USD,
        nonce=NO_NONCE,
        timestamp_s=await venue.now_ms() // 1000,
        chain_id=CHAIN_ID,
    )
    placed = await venue.send_bet(bet)
    with pytest.raises(Refused) as refused:
        await venue.send_bet(bet)
    first = {"bet_id": placed.bet_id, "status": "confirmed"}
    assert refused.value.details["bet"] == first


async def test_a_bet_dated_by_a_wrong_time_is_signed_anew(door: Door, session: Session) -> None:
    await session.venue.now_ms()
    door.clock.at_ms += 60_000  # the venue's clock was set right; the quote is old now
    with pytest.raises(Refused) as refused:
        await session.venue.send_bet(await session.sign_bet(door.cell().id, stake_micros=USD))
    assert refused.value.code == "signature_expired"
    assert abs(await session.venue.now_ms() - door.clock.at_ms) < 1000


async def test_a_bet_whose_answer_is_cut_off_is_placed_once(door: Door, session: Session) -> None:
    async with (
        tcp_proxy(door.port) as proxy,
        Venue(f"http://127.0.0.1:{proxy.port}", chance=SeededChance(4)) as venue,
    ):
        away = Session(venue, session.signed_in, session.signer)
        bet = await away.sign_bet(door.cell().id, stake_micros=USD)
        await proxy.hang_up()
        proxy.cut_replies_after = 20
        with pytest.raises(AnswerLost):
            await venue.send_bet(bet)
        placed = await away.place(bet)
    assert (await session.by_nonce(bet.nonce)).bet_id == placed.bet_id
    assert (await session.account()).open_bets == 1


async def test_the_same_when_the_session_places_it(door: Door, session: Session) -> None:
    async with (
        tcp_proxy(door.port) as proxy,
        Venue(f"http://127.0.0.1:{proxy.port}", chance=SeededChance(4)) as venue,
    ):
        away = Session(venue, session.signed_in, session.signer)
        await venue.grid()
        await proxy.hang_up()
        proxy.cut_replies_after = 20
        placed = await away.place_bet(door.cell().id, stake_micros=USD)
    assert placed.balance_micros is None, "it was found, not answered"
    assert (await session.account()).open_bets == 1


# --- proofs -------------------------------------------------------------------------------------


async def a_proof(door: Door, session: Session, *, price_cents: int) -> Proof:
    placed = await session.place_bet(door.cell().id, stake_micros=USD)
    await door.settle(door.cell(), price_cents=price_cents)
    return await session.venue.proof(placed.bet_id)


@pytest.mark.parametrize(("beside_cents", "outcome"), [(0, "won"), (5_000, "lost")])
async def test_a_proof_holds(door: Door, session: Session, beside_cents: int, outcome: str) -> None:
    proof = await a_proof(door, session, price_cents=PRICE_CENTS + beside_cents)
    assert (proof.faults(), proof.recomputed_outcome(), proof.status) == ((), outcome, outcome)
    assert (proof.deciding_tick is None) == (outcome == "lost")


async def test_there_is_no_proof_before_the_verdict(door: Door, session: Session) -> None:
    placed = await session.place_bet(door.cell().id, stake_micros=USD)
    with pytest.raises(Refused, match="no verdict yet"):
        await session.venue.proof(placed.bet_id)


# --- no venue -----------------------------------------------------------------------------------


async def test_a_venue_that_is_not_there(door: Door) -> None:
    with pytest.raises(Unreachable):
        await Venue("http://127.0.0.1:1").grid()


async def test_another_wallets_bet_is_not_found(door: Door, session: Session) -> None:
    placed = await session.place_bet(door.cell().id, stake_micros=USD)
    other = await session.venue.sign_in(Wallet.from_private_key(OTHER_KEY))
    with pytest.raises(Refused, match="not_found"):
        await other.bet(placed.bet_id)
