"""What is not theirs to do: money taken out without the wallet's word, orders without an operator's
token, sessions that are over. The venue must say no to each, whatever else is going on.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeAlias

from client.signing import sign_withdrawal
from domain.signed_text import WithdrawalText
from simulation.people.trader import Trader
from simulation.people.wallets import CHAIN_ID, USD, new_nonce, sign_in_request
from simulation.scenario import Action
from simulation.wire import HttpAnswer, Lost

Intrusion: TypeAlias = Callable[[Trader], Awaitable[HttpAnswer | None]]
"""What was answered; None if there was nothing to try it with."""

LONG_AGO_S: Final = 9_000
OTHER_CHAIN: Final = 1


async def intrude(trader: Trader, action: Action) -> None:
    """One of them; `amount` says which."""
    what = INTRUSIONS[action.amount % len(INTRUSIONS)]
    try:
        answer = await what(trader)
    except Lost:
        return
    if answer is None:
        return
    trader.happened("intruded", what.__name__, answer.status)
    if answer.status < 400:
        found = (trader.who, what.__name__, answer.body)
        trader.world.violated("a_bad_request_was_taken", found)


# --- money out ------------------------------------------------------------------------------------


def _text(trader: Trader, **changed: Any) -> WithdrawalText:
    """A small withdrawal to himself; what is changed is changed before it is signed."""
    fields: dict[str, Any] = {
        "amount_micros": USD,
        "destination": trader.wallet.address,
        "nonce": new_nonce(trader.mischief),
        "timestamp_s": trader.venue_ms // 1000,
        "chain_id": CHAIN_ID,
        **changed,
    }
    return WithdrawalText(**fields)


async def _take_out(trader: Trader, text: WithdrawalText, **changed: Any) -> HttpAnswer:
    """What is changed here is changed after it was signed."""
    body = {**sign_withdrawal(trader.wallet, text), **changed}
    return await trader.ask("POST", "/api/withdrawals", body)


async def _from_another(trader: Trader) -> HttpAnswer | None:
    """His signature, his neighbour's money."""
    wallets = trader.board.wallets
    neighbour = wallets[(trader.who + 1) % len(wallets)]
    if neighbour == trader.wallet.address:
        return None
    return await _take_out(trader, _text(trader), wallet=neighbour)


async def _more_than_signed(trader: Trader) -> HttpAnswer:
    return await _take_out(trader, _text(trader), amount=str(2 * USD))


async def _elsewhere_than_signed(trader: Trader) -> HttpAnswer:
    elsewhere = "0x" + trader.mischief.token_bytes(20).hex()
    return await _take_out(trader, _text(trader), destination=elsewhere)


async def _of_another_chain(trader: Trader) -> HttpAnswer:
    return await _take_out(trader, _text(trader, chain_id=OTHER_CHAIN))


async def _of_long_ago(trader: Trader) -> HttpAnswer:
    signed_s = trader.venue_ms // 1000 - LONG_AGO_S
    return await _take_out(trader, _text(trader, timestamp_s=signed_s))


async def _signed_by_key(trader: Trader) -> HttpAnswer | None:
    """A session key may stake his money, and not take it out."""
    if trader.key is None:
        return None
    text = _text(trader)
    return await _take_out(trader, text, signature=trader.key.sign(text.render()) + "1b")


async def _nonce_of_another_amount(trader: Trader) -> HttpAnswer | None:
    """Well signed, and the nonce was used."""
    taken = [nonce for nonce, asked in trader.withdrawals.items() if asked.is_taken]
    if not taken:
        return None
    nonce = trader.mischief.one_of(taken)
    amount_micros = trader.withdrawals[nonce].amount_micros // 2 + 1
    return await _take_out(trader, _text(trader, nonce=nonce, amount_micros=amount_micros))


# --- orders ---------------------------------------------------------------------------------------


async def _money_from_nowhere(trader: Trader) -> HttpAnswer:
    """With a token that nobody has, with his own, or with none."""
    token = trader.mischief.one_of((trader.mischief.token_bytes(16).hex(), trader.token, None))
    body = {
        "wallet": trader.wallet.address,
        "amount_micros": USD,
        "reference": f"mine-{trader.mischief.token_bytes(4).hex()}",
        "reason": "mine",
    }
    return await trader.ask("POST", "/ops/deposits", body, token=token)


async def _books_of_the_house(trader: Trader) -> HttpAnswer:
    return await trader.ask("GET", "/ops/status", token=trader.mischief.token_bytes(16).hex())


# --- sessions -------------------------------------------------------------------------------------


async def _sign_in_again(trader: Trader) -> HttpAnswer | None:
    """The message that has just opened a session, once more, as somebody would who has seen it.

    It names no key: of one that does, the key would be refused too.
    """
    issued = await trader.ask("GET", "/api/auth/nonce")
    if issued.code:
        return None
    body = sign_in_request(trader.wallet, issued.body, None)
    first = await trader.ask("POST", "/api/auth/login", body)
    return None if first.code else await trader.ask("POST", "/api/auth/login", body)


async def _by_an_ended_session(trader: Trader) -> HttpAnswer | None:
    if not trader.ended_tokens:
        return None
    token = trader.mischief.one_of(trader.ended_tokens)
    return await trader.ask("GET", "/api/account", token=token)


INTRUSIONS: Final[tuple[Intrusion, ...]] = (
    *(_from_another, _more_than_signed, _elsewhere_than_signed, _of_another_chain, _of_long_ago),
    *(_signed_by_key, _nonce_of_another_amount, _money_from_nowhere, _books_of_the_house),
    *(_sign_in_again, _by_an_ended_session),
)
