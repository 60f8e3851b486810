"""A small trader: signs in with a throwaway key, taps cells, follows each bet to its end.

    python examples/trader.py [--url http://127.0.0.1:8080] [--bets 40] [--seed 7]

It imports nothing of the venue, only what any client needs: an HTTP client (h11), a WebSocket
(trio-websocket) and an Ethereum key (eth-keys). It shows

* sign-in with a wallet (EIP-4361), paper money from the faucet (demo mode),
* bets of version 1 over HTTP, paid the rate of the moment, and of version 2 over the WebSocket,
  where the signature binds the least rate and the quote,
* the private stream: one event per bet when it is won, lost or void,
* what to do when the venue says no: wait as long as it says, or tap elsewhere.

It ends with 0 if every bet came to an end and the balance is what it worked out itself, else 1.
"""

import argparse
import json
import random
import secrets
import ssl
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import h11
import trio
from eth_hash.auto import keccak
from eth_keys.datatypes import PrivateKey
from trio_websocket import ConnectionClosed, HandshakeError, WebSocketConnection, open_websocket_url

MICROS = 1_000_000
PAUSE_S = 0.55  # between taps: the venue takes 120 bets a minute of one wallet
COLUMNS_AHEAD = 8  # tap into the first 8 columns offered, so that all ends in under two minutes
START_WITHIN_S = 20
QUOTE_WITHIN_S = 90  # a venue that has just started watches its feed before it quotes
LAST_BET_WITHIN_S = 200  # a bet that can't be judged is given back 60 s after its column
OVERDUE_S = 10
RETRY = {"rate_limited", "overloaded", "price_feed_stale", "held", "store_unavailable", "draining"}
ELSEWHERE = {"cell_unavailable", "cell_taken", "exposure_limit", "quote_expired"}

Json = dict[str, Any]


class Refused(Exception):
    """The venue said no."""

    def __init__(self, body: Json) -> None:
        super().__init__(f"{body.get('error')}: {body.get('message')}")
        self.body = body
        self.code = str(body.get("error"))


class GaveUp(Exception):
    """There is no point in going on."""


# --- HTTP: one connection for each request is plenty here ---------------------------------------


@dataclass
class Venue:
    """The venue at a URL such as `http://127.0.0.1:8080`."""

    url: str
    token: str | None = None

    async def get(self, path: str) -> Json:
        return await self._call("GET", path, b"")

    async def post(self, path: str, body: Json) -> Json:
        return await self._call("POST", path, json.dumps(body).encode())

    async def _call(self, method: str, path: str, body: bytes) -> Json:
        parts = urlsplit(self.url)
        headers = [("Host", parts.netloc), ("Connection", "close")]
        if self.token is not None:
            headers.append(("Authorization", f"Bearer {self.token}"))
        if body:
            headers.append(("Content-Type", "application/json"))
            headers.append(("Content-Length", str(len(body))))
        http = h11.Connection(h11.CLIENT)
        events = [h11.Request(method=method, target=path, headers=headers), h11.EndOfMessage()]
        if body:
            events.insert(1, h11.Data(data=body))
        with trio.fail_after(30):
            async with await self._connect() as stream:
                await stream.send_all(b"".join(http.send(event) or b"" for event in events))
                status, answer = await _read_answer(http, stream)
        if status >= 400:
            raise Refused(answer)
        return answer

    async def _connect(self) -> trio.abc.Stream:
        parts = urlsplit(self.url)
        host = parts.hostname or "127.0.0.1"
        if parts.scheme == "https":
            context = ssl.create_default_context()
            return await trio.open_ssl_over_tcp_stream(host, parts.port or 443, ssl_context=context)
        return await trio.open_tcp_stream(host, parts.port or 80)

    def socket_url(self) -> str:
        return self.url.replace("http", "ws", 1) + "/ws"


async def _read_answer(http: h11.Connection, stream: trio.abc.Stream) -> tuple[int, Json]:
    status, body = 0, b""
    while True:
        event = http.next_event()
        if event is h11.NEED_DATA:
            http.receive_data(bytes(await stream.receive_some(65_536)))
        elif isinstance(event, h11.Response):
            status = event.status_code
        elif isinstance(event, h11.Data):
            body += event.data
        elif isinstance(event, h11.EndOfMessage | h11.ConnectionClosed):
            return status, json.loads(body)


# --- the wallet ---------------------------------------------------------------------------------


class Wallet:
    """A throwaway key."""

    def __init__(self) -> None:
        self._key = PrivateKey(secrets.token_bytes(32))
        self.address = self._key.public_key.to_checksum_address()

    def sign(self, text: str) -> str:
        """As a wallet's `personal_sign` (EIP-191): r, s, v in hexadecimal."""
        message = text.encode()
        prefix = f"\x19Ethereum Signed Message:\n{len(message)}".encode()
        signature = self._key.sign_msg_hash(keccak(prefix + message))
        return f"0x{signature.r:064x}{signature.s:064x}{27 + signature.v:02x}"


def sign_in_text(address: str, issued: Json) -> str:
    """The message of EIP-4361 with what the venue asks for, dated by the venue's clock."""
    date = datetime.fromtimestamp(issued["issued_at_ms"] / 1000, UTC)
    return (
        f"{issued['domain']} wants you to sign in with your Ethereum account:\n"
        f"{address}\n\n"
        "Sign in to tap.\n\n"
        f"URI: {issued['uri']}\n"
        "Version: 1\n"
        f"Chain ID: {issued['chain_id']}\n"
        f"Nonce: {issued['nonce']}\n"
        f"Issued At: {date.isoformat(timespec='milliseconds')}"
    )


def bet_text(bet: Json) -> str:
    """What a bet signs, line by line."""
    odds = [f"Rate: {bet['rate']}", f"Quote: {bet['quote']}"] if bet["version"] == "2" else []
    return "\n".join(
        [
            "Tap Trading Bet",
            "Action: place_bet",
            f"Cell: {bet['cell_id']}",
            f"Amount: {bet['amount']}",
            f"Nonce: {bet['nonce']}",
            f"Timestamp: {bet['timestamp']}",
            f"Chain: {bet['chain_id']}",
            *odds,
            f"Version: {bet['version']}",
        ]
    )


# --- the WebSocket ------------------------------------------------------------------------------


@dataclass
class Feed:
    """What comes over the WebSocket: the newest quote, the ends of bets, replies."""

    on_resolved: Callable[[Json], None]
    quote: Json | None = None
    connection: WebSocketConnection | None = None
    news: trio.Event = field(default_factory=trio.Event)  # replaced each time it is set
    replies: dict[str, trio.MemorySendChannel[Json]] = field(default_factory=dict)

    async def run(self, venue: Venue) -> None:
        """Stay connected, for ever."""
        while True:
            try:
                async with open_websocket_url(venue.socket_url()) as connection:
                    await self._talk(connection, venue)
            except (ConnectionClosed, HandshakeError, OSError):
                pass
            self._lose()
            await trio.sleep(1)

    async def _talk(self, connection: WebSocketConnection, venue: Venue) -> None:
        self.connection = connection
        for request in (
            {"op": "subscribe", "channels": ["grid"]},
            {"op": "auth", "token": venue.token},
        ):
            await connection.send_message(json.dumps(request))
        while True:
            self._take(json.loads(await connection.get_message()))

    def _take(self, frame: Json) -> None:
        if frame["type"] == "grid":
            self.quote = frame if frame["n"] is not None else None
        elif frame["type"] == "bet:resolved":
            self.on_resolved(frame)
        elif frame["type"] == "reply" and frame["id"] in self.replies:
            self.replies[frame["id"]].send_nowait(frame)
        self.tell()

    def _lose(self) -> None:
        self.connection = self.quote = None
        for waiting in self.replies.values():
            waiting.close()
        self.tell()

    def tell(self) -> None:
        self.news.set()
        self.news = trio.Event()

    async def wait_quote(self) -> Json:
        """The newest quote, as soon as there is one."""
        with trio.move_on_after(QUOTE_WITHIN_S):
            while self.quote is None:
                await self.news.wait()
        if self.quote is None:
            raise GaveUp(f"no quote within {QUOTE_WITHIN_S} s: is the price feed up?")
        return self.quote

    async def ask(self, request: Json) -> Json:
        """Send a request and wait for its reply. Raises OSError if the connection is lost."""
        if self.connection is None:
            raise OSError("not connected")
        with self._reply_to(request["id"]) as reply:
            try:
                await self.connection.send_message(json.dumps(request))
                with trio.fail_after(30):
                    frame = await reply.receive()
            except (ConnectionClosed, trio.EndOfChannel) as error:
                raise OSError("the connection was lost") from error
        if not frame["ok"]:
            raise Refused(frame)
        return frame

    @contextmanager
    def _reply_to(self, request_id: str) -> Iterator[trio.MemoryReceiveChannel[Json]]:
        self.replies[request_id], reply = trio.open_memory_channel[Json](1)
        try:
            yield reply
        finally:
            del self.replies[request_id]


# --- the trader ---------------------------------------------------------------------------------


@dataclass
class Bet:
    """One tap, from the finger to its end."""

    number: int
    sent: Json
    confirmed: Json
    took_ms: int
    ended: Json | None = None

    @property
    def credited_micros(self) -> int:
        return 0 if self.ended is None else int(self.ended["payout_micros"])


class Trader:
    """Taps `count` cells and follows them."""

    def __init__(self, venue: Venue, count: int, seed: int | None) -> None:
        self._venue = venue
        self._count = count
        self._choice = random.Random(seed)
        self._wallet = Wallet()
        self._feed = Feed(on_resolved=self._end)
        self._bets: dict[str, Bet] = {}  # by bet id
        self._early: dict[str, Json] = {}  # ends that overtook their confirmation
        self._tapped: set[str] = set()
        self._given_micros = 0  # what was there at the start and what the faucet gave
        self._grid: Json = {}
        self._clock_ms: Callable[[], int] = lambda: 0

    async def run(self) -> bool:
        """Trade; True if all ended and the sums agree."""
        await self._sign_in()
        await self._look_at_the_grid()
        await self._take_paper_money()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._feed.run, self._venue)
            nursery.start_soon(self._look_up_the_overdue)
            with trio.move_on_after(LAST_BET_WITHIN_S + self._count * 2 * PAUSE_S):
                for number in range(1, self._count + 1):
                    await self._tap(number)
                    await trio.sleep(PAUSE_S)
                while len(self._ended()) < self._count:
                    await self._feed.news.wait()
            nursery.cancel_scope.cancel()
        return await self._close_the_books()

    # Before the first tap

    async def _sign_in(self) -> None:
        issued = await self._first_answer("/api/auth/nonce")
        text = sign_in_text(self._wallet.address, issued)
        login = {"message": text, "signature": self._wallet.sign(text)}
        signed_in = await self._venue.post("/api/auth/login", login)
        self._venue.token = signed_in["token"]
        self._given_micros = signed_in["user"]["balance_micros"]
        print(f"signed in as {self._wallet.address}")

    async def _first_answer(self, path: str) -> Json:
        """A venue that was started together with us is not listening yet."""
        with trio.move_on_after(START_WITHIN_S):
            while True:
                try:
                    return await self._venue.get(path)
                except OSError:
                    await trio.sleep(0.5)
        raise GaveUp(f"there is no venue at {self._venue.url}")

    async def _look_at_the_grid(self) -> None:
        """Learn stakes and chain, and the venue's time, which is what bets are dated by."""
        self._grid = await self._venue.get("/api/grid")
        ahead_ms = self._grid["server_time_ms"] - trio.current_time() * 1000
        self._clock_ms = lambda: round(trio.current_time() * 1000 + ahead_ms)

    async def _take_paper_money(self) -> None:
        given = await self._venue.post("/api/faucet", {})
        self._given_micros += given["amount_micros"]
        print(f"the faucet gave {usd(given['amount_micros'])}\n")

    # Tapping

    async def _tap(self, number: int) -> None:
        """Tap until a bet is confirmed, elsewhere if a cell can't be had."""
        while True:
            bet = await self._choose(version=1 + number % 2, near=number % 4 < 2)
            began_s = trio.current_time()
            try:
                confirmed = await self._place(bet)
            except Refused as refused:
                await self._consider(refused)
                continue
            took_ms = round((trio.current_time() - began_s) * 1000)
            self._confirm(Bet(number, bet, confirmed, took_ms))
            return

    async def _choose(self, *, version: int, near: bool) -> Json:
        """A signed bet on a cell of the newest quote: a likely cell, or one that pays well."""
        while not (cells := self._free_cells(quote := await self._feed.wait_quote())):
            await self._feed.news.wait()
        cells.sort(key=lambda cell: cell[1])
        likely, daring = cells[: max(4, len(cells) // 8)], cells[len(cells) // 2 :]
        cell_id, reward_bps = self._choice.choice(likely if near else daring)
        self._tapped.add(cell_id)
        bet = {
            "wallet": self._wallet.address,
            "cell_id": cell_id,
            "amount": str(self._choice.choice(self._grid["presets_micros"][:2])),
            "nonce": str(uuid.uuid4()),
            "timestamp": self._clock_ms() // 1000,
            "chain_id": self._grid["chain_id"],
            "version": str(version),
        }
        if version == 2:
            bet |= {"rate": reward_bps, "quote": quote["n"]}
        return bet | {"signature": self._wallet.sign(bet_text(bet))}

    def _free_cells(self, quote: Json) -> list[tuple[str, int]]:
        """Cells of the quote's first columns that we have not tapped, with their rates."""
        cells = []
        for index, reward_bps in enumerate(quote["rates"]):
            column, row = divmod(index, quote["rows"])
            start_s = quote["first_column_s"] + column * quote["column_s"]
            lo_cents = quote["lowest_row_cents"] + row * quote["row_cents"]
            cell_id = f"{start_s}_{lo_cents}_{lo_cents + quote['row_cents']}"
            if reward_bps and column < COLUMNS_AHEAD and cell_id not in self._tapped:
                cells.append((cell_id, reward_bps))
        return cells

    async def _place(self, bet: Json) -> Json:
        """Version 1 over HTTP, version 2 over the WebSocket: the same fields, the same answer.

        A lost answer is no lost bet: the same request again, over HTTP, is told what became of it.
        """
        try:
            if bet["version"] == "2":
                return await self._feed.ask({"op": "bet", "id": bet["nonce"], **bet})
            return await self._venue.post("/api/bets", bet)
        except (OSError, trio.TooSlowError):
            return await self._place_again(bet)
        except Refused as refused:
            if refused.code != "status_unknown":
                raise
            return await self._place_again(bet)

    async def _place_again(self, bet: Json) -> Json:
        for _ in range(20):
            await trio.sleep(1)
            try:
                return await self._venue.post("/api/bets", bet)
            except OSError:
                continue
            except Refused as refused:
                if refused.code != "replay_detected":
                    raise
                first = refused.body["bet"]
                if first is None:  # nothing was written: sign anew
                    raise
                if first["status"] not in ("unknown", "insufficient_funds"):
                    return await self._venue.get(f"/api/bets/{first['bet_id']}")
        raise GaveUp("the venue does not say what became of a bet")

    async def _consider(self, refused: Refused) -> None:
        """Wait, or go on at once with another cell; anything else is our own mistake."""
        if refused.code in RETRY:
            await trio.sleep(refused.body.get("retry_after", 1))
        elif refused.code not in ELSEWHERE | {"replay_detected"}:
            raise GaveUp(str(refused))

    # Following

    def _confirm(self, bet: Bet) -> None:
        bet_id = bet.confirmed["bet_id"]
        self._bets[bet_id] = bet
        if bet_id in self._early:
            self._end(self._early[bet_id])

    def _end(self, ended: Json) -> None:
        bet = self._bets.get(ended["bet_id"])
        if bet is None:
            self._early[ended["bet_id"]] = ended
        elif bet.ended is None:
            bet.ended = ended
            print(line(bet))

    async def _look_up_the_overdue(self) -> None:
        """An event may be missed while the socket is down; the venue knows how each bet ended."""
        while True:
            await trio.sleep(OVERDUE_S)
            ended_s = self._clock_ms() // 1000 - self._grid["column_s"] - OVERDUE_S
            for bet_id, bet in list(self._bets.items()):
                if bet.ended is None and int(bet.sent["cell_id"].split("_")[0]) < ended_s:
                    await self._look_up(bet_id)

    async def _look_up(self, bet_id: str) -> None:
        try:
            found = await self._venue.get(f"/api/bets/{bet_id}")
        except (OSError, trio.TooSlowError, Refused):
            return  # it stays overdue
        if found["status"] != "confirmed":
            self._end(found)
            self._feed.tell()

    # Afterwards

    async def _close_the_books(self) -> bool:
        account = await self._venue.get("/api/account")
        bets = list(self._bets.values())
        staked_micros = sum(bet.confirmed["stake_micros"] for bet in bets)
        credited_micros = sum(bet.credited_micros for bet in bets)
        expected_micros = self._given_micros - staked_micros + credited_micros
        print(table(bets))
        print(f"balance by our own books  {usd(expected_micros):>12}")
        print(f"balance at the venue      {usd(account['balance_micros']):>12}")
        found = {
            "not every bet came to an end": len(self._ended()) < self._count,
            "a bet was not paid by its rate": not all(pays_as_quoted(bet) for bet in self._ended()),
            "the balances differ": account["balance_micros"] != expected_micros,
            "the venue says that bets are open": account["open_bets"] != 0,
        }
        for fault in (what for what, is_so in found.items() if is_so):
            print(f"NOT FINE: {fault}")
        return not any(found.values())

    def _ended(self) -> list[Bet]:
        return [bet for bet in self._bets.values() if bet.ended is not None]


def pays_as_quoted(bet: Bet) -> bool:
    """Was the bet accepted at its rate or better, and paid by it?"""
    confirmed = bet.confirmed
    stake_micros, reward_bps = confirmed["stake_micros"], confirmed["reward_bps"]
    due = {"won": stake_micros * reward_bps // 10_000, "void": stake_micros, "lost": 0}
    is_paid = bet.ended is not None and bet.credited_micros == due[bet.ended["status"]]
    return is_paid and reward_bps >= bet.sent.get("rate", 0)


# --- what it prints -----------------------------------------------------------------------------


def usd(micros: int) -> str:
    return f"{micros / MICROS:,.2f} USD"


def line(bet: Bet) -> str:
    assert bet.ended is not None
    confirmed, way = bet.confirmed, "http" if bet.sent["version"] == "1" else "ws  "
    waited_s = (bet.ended["resolved_at_ms"] - confirmed["placed_at_ms"]) / 1000
    return (
        f"bet {bet.number:>3}  {way}  {bet.sent['cell_id']}  "
        f"{usd(confirmed['stake_micros']):>9} at {confirmed['reward_bps'] / 10_000:6.2f}x  "
        f"tap -> confirmed {bet.took_ms:>4} ms -> {bet.ended['status']:<4} "
        f"{usd(bet.credited_micros):>11} after {waited_s:4.1f} s"
    )


def table(bets: list[Bet]) -> str:
    rows = [f"\n{'':8}{'bets':>5}{'staked':>15}{'credited':>15}"]
    for status in ("won", "lost", "void"):
        ended = [bet for bet in bets if bet.ended is not None and bet.ended["status"] == status]
        rows.append(_row(status, ended))
    return "\n".join([*rows, _row("all", bets)]) + "\n"


def _row(name: str, bets: list[Bet]) -> str:
    staked_micros = sum(bet.confirmed["stake_micros"] for bet in bets)
    credited_micros = sum(bet.credited_micros for bet in bets)
    return f"{name:8}{len(bets):>5}{usd(staked_micros):>15}{usd(credited_micros):>15}"


def main() -> int:
    """Parse the command line and trade."""
    parser = argparse.ArgumentParser(description="A small trader for a tapgrid venue.")
    parser.add_argument("--url", default="http://127.0.0.1:8080", help="where the venue is")
    parser.add_argument("--bets", type=int, default=40, help="how many cells to tap")
    parser.add_argument("--seed", type=int, help="tap the same way again, as far as prices allow")
    arguments = parser.parse_args()
    trader = Trader(Venue(arguments.url.rstrip("/")), arguments.bets, arguments.seed)
    try:
        return 0 if trio.run(trader.run) else 1
    except* (Refused, GaveUp, OSError, trio.TooSlowError) as group:
        for error in group.exceptions:
            print(f"{type(error).__name__}: {error}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
