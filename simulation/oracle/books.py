"""The books of the venue, kept a second time from what is on disk, row by row.

Told the news of the money files, in order, it holds each row against all before it: double entry,
each account's chain, one stake and at most one credit per bet, one end per bet, running totals, the
house's means. What does not add up is a finding.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import Final, NamedTuple

from simulation.oracle.double_entry import has_its_other_side
from simulation.oracle.ledger_file import (
    BROKE,
    CARRIED,
    ENDS,
    EXTERNAL,
    HOUSE,
    OPEN,
    Account,
    Bet,
    Entry,
    Key,
    LedgerFile,
    Limits,
    News,
)
from simulation.oracle.references import References
from simulation.oracle.standing import DAY_MS, check_keys, check_limits

NONCE_LIVES_MS: Final = 120_000
"""So long a nonce is remembered at the least, however often the week turns."""


@dataclass(frozen=True)
class Caps:
    """The most that open bets may come to, in payouts."""

    per_bet_micros: int
    per_user_micros: int
    per_cell_micros: int
    per_column_micros: int


class Finding(NamedTuple):
    """Something that must never be, and is."""

    what: str
    details: str


class Books:
    """What every account has, what every bet is, and what was found wrong."""

    def __init__(self, caps: Caps) -> None:
        self.caps = caps
        self.findings: list[Finding] = []
        self.accounts: dict[int, Account] = {}
        self.ids: dict[str, int] = {}
        """Account numbers by wallet."""
        self.balances: Counter[int] = Counter()
        self.bets: dict[str, Bet] = {}
        """The newest row of each."""
        self.open: dict[str, Bet] = {}
        self.exposure: dict[tuple[str, str], tuple[int, int, int]] = {("total", ""): (0, 0, 0)}
        self.keys: dict[str, Key] = {}
        self.limits: dict[int, Limits] = {}
        self.verdicts: dict[tuple[int, int, str], tuple[str | None, int]] = {}
        self.judged: set[tuple[int, int]] = set()
        """Columns, as start and width, that have a verdict."""
        self.voids: frozenset[int] = frozenset()
        self.held = False
        self.override = "auto"
        self.high_ms = 0
        self.references = References(self.found)
        self.lost: Counter[tuple[int, int]] = Counter()
        """Stakes less what came back, by account and UTC day."""
        self.key_stakes: Counter[tuple[str, int]] = Counter()
        self.blurred_day = -1
        """A day on which a file was begun after its first bets: what was lost is not all known
        in the new file (it is documented)."""
        self.entries = 0
        """Rows of the current file's ledger."""
        self._stakes: dict[str, Entry] = {}
        self._credits: dict[str, Entry] = {}
        self._nonces: dict[tuple[int, str], Bet] = {}
        self._cells: dict[tuple[int, str], Bet] = {}

    def found(self, what: str, details: object) -> None:
        """Note that something is wrong."""
        self.findings.append(Finding(what, str(details)))

    # --- news of the current file -----------------------------------------------------------

    def take(self, news: News, *, is_closed: bool = False) -> None:
        """Enter what is new, and compare what the file says now. In one that is closed no bet is
        open."""
        self._accounts_of(news.accounts)
        self._standing(news)
        self.entries += len(news.entries)
        stakes, credits = self._enter(news.entries)
        self._verdicts_of(news)
        self._placed(news.bets, stakes)
        self._ended([bet for bet in news.ended if bet.status != CARRIED], credits)
        self.references.take(news)
        self._compare(news, is_closed=is_closed)
        self._within_caps(news.bets)

    def stake_of(self, bet_id: str) -> Entry | None:
        """The row that took the stake of a bet."""
        return self._stakes.get(bet_id)

    def by_nonce(self, user_id: int, nonce: str) -> Bet | None:
        """The newest bet of that account with that nonce."""
        return self._nonces.get((user_id, nonce))

    def holder(self, user_id: int, cell_id: str) -> Bet | None:
        """The bet of that account on that cell."""
        return self._cells.get((user_id, cell_id))

    def _standing(self, news: News) -> None:
        """What is no money: keys, limits, operators' orders, the time."""
        keys = {key.id: key for key in news.keys}
        limits = {one.user_id: one for one in news.limits}
        check_keys(self.keys, keys, self.found)
        # Who sets limits moves the time on to then; what was missed lies between the two.
        times = {"from_ms": self.high_ms, "until_ms": news.high_ms}
        check_limits(self.limits, limits, self.found, **times)
        if not self.voids <= frozenset(news.voids):
            self.found("void_order_lost", f"{sorted(self.voids)} -> {sorted(news.voids)}")
        if news.high_ms < self.high_ms:
            self.found("time_went_back", f"high_ms {self.high_ms} -> {news.high_ms}")
        self.keys, self.limits, self.voids = keys, limits, frozenset(news.voids)
        self.held, self.override, self.high_ms = news.held, news.override, news.high_ms

    def _accounts_of(self, accounts: list[Account]) -> None:
        if len(accounts) < len(self.accounts):
            self.found("account_lost", f"{len(self.accounts)} -> {len(accounts)}")
        for account in accounts:
            before = self.accounts.get(account.id)
            if before is not None and before.wallet != account.wallet:
                self.found("account_changed", f"{before} -> {account}")
            if before is not None and account.version < before.version:
                self.found("version_went_back", f"{before} -> {account}")
            self.accounts[account.id] = account
            self.ids[account.wallet] = account.id

    def _enter(self, entries: list[Entry]) -> tuple[dict[str, Entry], dict[str, Entry]]:
        """Post the rows; the stakes and credits among them, by bet."""
        stakes: dict[str, Entry] = {}
        credits: dict[str, Entry] = {}
        for txn, of_one in groupby(entries, key=lambda entry: entry.txn):
            rows = list(of_one)
            if rows[0].rowid != txn or sum(row.amount for row in rows):
                self.found("transaction_not_zero", rows)
            if len({row.ref_type for row in rows}) > 1:
                self.found("transaction_of_two_kinds", rows)
            if not has_its_other_side(rows):
                self.found("wrong_other_side", rows)
            for row in rows:
                self._post(row)
                if row.user_id > EXTERNAL:
                    self._note(row, stakes, credits)
        return stakes, credits

    def _post(self, row: Entry) -> None:
        if row.user_id not in self.accounts:
            self.found("entry_without_account", row)
        after = self.balances[row.user_id] + row.amount
        if row.balance_after != after:
            self.found("balance_chain_broken", f"{row}, but the row before gives {after}")
        if after < 0 and row.user_id != EXTERNAL:
            self.found("balance_below_zero", row)
        if row.ref_type == "CARRY":
            self.found("carry_in_mid_week", row)
        self.balances[row.user_id] = after

    def _note(self, row: Entry, stakes: dict[str, Entry], credits: dict[str, Entry]) -> None:
        kinds = {"BET": (self._stakes, stakes), "PAYOUT": (self._credits, credits)}
        kinds["REFUND"] = kinds["PAYOUT"]
        if row.ref_type not in kinds:
            return
        known, new = kinds[row.ref_type]
        if row.ref_id in known:
            self.found("staked_twice" if known is self._stakes else "credited_twice", row)
        known[row.ref_id] = new[row.ref_id] = row
        self.lost[(row.user_id, row.created_at_ms // DAY_MS)] -= row.amount

    def _verdicts_of(self, news: News) -> None:
        for _, start_s, column_s, rule, void_reason, judged_at_ms in news.verdicts:
            key, verdict = (start_s, column_s, rule), (void_reason, judged_at_ms)
            if self.verdicts.get(key, verdict) != verdict:
                self.found("verdict_twice", f"{key}: {self.verdicts[key]} and {verdict}")
            self.verdicts[key] = verdict
            self.judged.add((start_s, column_s))

    # --- bets -------------------------------------------------------------------------------

    def _placed(self, bets: list[Bet], stakes: dict[str, Entry]) -> None:
        for bet in bets:
            self._is_new(bet)
            self.bets[bet.id] = bet
            self._nonces[bet.user_id, bet.nonce] = bet
            stake = stakes.pop(bet.id, None)
            if bet.status == BROKE:
                if stake is not None:
                    self.found("broke_and_charged", f"{bet} {stake}")
                continue
            self._cells[bet.user_id, bet.cell_id] = bet
            wanted = (bet.user_id, -bet.stake_micros)
            if stake is None or (stake.user_id, stake.amount) != wanted:
                self.found("stake_not_taken", f"{bet} {stake}")
            if bet.key_id is not None:
                self.key_stakes[bet.key_id, bet.placed_at_ms // DAY_MS] += bet.stake_micros
            self.open[bet.id] = bet
            self._expose(bet, 1)
        for entry in stakes.values():
            self.found("stake_without_bet", entry)

    def _is_new(self, bet: Bet) -> None:
        if bet.id in self.bets:
            self.found("bet_twice", bet)
        used = self._nonces.get((bet.user_id, bet.nonce))
        if used is not None and bet.placed_at_ms - used.placed_at_ms < NONCE_LIVES_MS:
            self.found("nonce_used_twice", f"{used} and {bet}")
        held = self._cells.get((bet.user_id, bet.cell_id))
        if held is not None and bet.status != BROKE:
            self.found("cell_taken_twice", f"{held} and {bet}")
        if bet.status not in (OPEN, BROKE):
            self.found("bet_began_ended", bet)
        if bet.stake_micros <= 0 or bet.user_id <= EXTERNAL:
            self.found("no_such_bet", bet)

    def _ended(self, bets: list[Bet], credits: dict[str, Entry]) -> None:
        for bet in bets:
            before = self.open.pop(bet.id)
            self.bets[bet.id] = bet
            self._expose(bet, -1)
            if bet.terms() != before.terms() or bet.status not in ENDS:
                self.found("bet_changed", f"{before} -> {bet}")
            owed = {"won": bet.pays_micros, "void": bet.stake_micros}.get(bet.status, 0)
            if bet.payout_micros != owed:
                self.found("payout_wrong", f"{bet}: {owed} is owed")
            self._is_credited(bet, owed, credits.pop(bet.id, None))
            self._is_judged(bet)
        for entry in credits.values():
            self.found("credit_without_end", entry)

    def _is_credited(self, bet: Bet, owed: int, credit: Entry | None) -> None:
        if not owed:
            if credit is not None:
                self.found("credit_not_owed", f"{bet} {credit}")
            return
        kind = "PAYOUT" if bet.status == "won" else "REFUND"
        wanted = (bet.user_id, owed, kind)
        if credit is None or (credit.user_id, credit.amount, credit.ref_type) != wanted:
            self.found("credit_wrong", f"{bet}: {owed} is owed, {credit}")

    def _is_judged(self, bet: Bet) -> None:
        verdict = self.verdicts.get((bet.column_start_s, bet.column_s, bet.rule))
        if verdict is None:
            self.found("ended_without_verdict", bet)
            return
        void_reason, judged_at_ms = verdict
        if (bet.status == "void") != (void_reason is not None):
            self.found("ended_against_verdict", f"{bet}: {void_reason}")
        if bet.resolved_at_ms != judged_at_ms:
            self.found("ended_at_another_time", f"{bet}: judged at {judged_at_ms}")

    def _expose(self, bet: Bet, sign: int) -> None:
        for key in exposure_keys(bet):
            bets, stake, pays = self.exposure.get(key, (0, 0, 0))
            after = (bets + sign, stake + sign * bet.stake_micros, pays + sign * bet.pays_micros)
            if after[0] or key[0] == "total":
                self.exposure[key] = after
            else:
                del self.exposure[key]

    # --- what must hold after every commit --------------------------------------------------

    def _compare(self, news: News, *, is_closed: bool) -> None:
        for account in news.accounts:
            if account.balance != self.balances[account.id]:
                self.found("balance_not_ledger", f"{account}: {self.balances[account.id]}")
        if news.exposure != self.exposure and not is_closed:
            self.found("exposure_wrong", f"{news.exposure}, recomputed {self.exposure}")
        if news.open_bets != len(self.open) and not is_closed:
            self.found("open_bets_wrong", f"{news.open_bets}, but {len(self.open)} are known")
        owed = self.exposure["total", ""][2]
        if self.balances[HOUSE] < owed:
            self.found("house_cannot_pay", f"{self.balances[HOUSE]} for {owed}")

    def _within_caps(self, bets: Iterable[Bet]) -> None:
        """A later bet only adds, and an end only takes away: what is above now was above then."""
        caps = self.caps
        for bet in bets:
            if bet.status == BROKE:
                continue
            if bet.pays_micros > caps.per_bet_micros:
                self.found("cap_of_bet", bet)
            limits = (caps.per_user_micros, caps.per_cell_micros, caps.per_column_micros)
            for key, most in zip(exposure_keys(bet)[1:], limits, strict=True):
                if self.exposure.get(key, (0, 0, 0))[2] > most:
                    self.found(f"cap_of_{key[0]}", f"{bet}: {self.exposure[key]}, {most} at most")

    # --- another week's file ----------------------------------------------------------------

    def turn(self, file: LedgerFile) -> None:
        """A new week's file was begun: all that was known must be in it, and nothing else."""
        carried = file.rows(
            "SELECT rowid, user_id, amount, balance_after FROM transaction_ledger"
            " WHERE ref_type = 'CARRY' ORDER BY rowid"
        )
        found = {user_id: amount for _, user_id, amount, _ in carried}
        wanted = {one: self.balances[one] for one in self.accounts if self.balances[one] or one < 3}
        if found != wanted or any(amount != after for _, _, amount, after in carried):
            self.found("carry_wrong", f"{found}, not {wanted}")
        self.entries = len(carried)
        file.last_entry = carried[-1][0] if carried else 0
        self._carried_bets(file)
        self.references.turn(file, self.found)
        opened_ms: int = file.value("SELECT opened_at_ms FROM meta")
        day = opened_ms // DAY_MS
        if any(of_day == day for _, of_day in self.lost):
            self.blurred_day = day

    def _carried_bets(self, file: LedgerFile) -> None:
        carried = {bet.id: bet for bet in file.all_bets() if bet.carried_from is not None}
        file.last_bet = max((bet.rowid for bet in carried.values()), default=0)
        if carried.keys() != self.open.keys():
            self.found("open_bets_not_carried", f"{sorted(carried)}, not {sorted(self.open)}")
        for bet in carried.values():
            before = self.open.get(bet.id)
            if before is not None and before.terms() != bet.terms():
                self.found("bet_changed", f"{before} -> {bet}")


def exposure_keys(bet: Bet) -> tuple[tuple[str, str], ...]:
    """The running totals that a bet is in: of all, its user, its cell, its column."""
    return (
        ("total", ""),
        ("user", str(bet.user_id)),
        ("cell", bet.cell_id),
        ("column", f"{bet.column_start_s}_{bet.column_s}"),
    )
