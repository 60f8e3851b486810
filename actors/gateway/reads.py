"""What the Gateway reads of the ledger, through its worker: never on the event loop's time."""

from actors.gateway.ports import GatewayPorts
from protocols.accounts import Account
from protocols.client_answers import Json, snapshot_json
from protocols.client_queries import PAGE_ROWS_MAX
from protocols.money import BetStatus

LAST_RESULTS = 20


async def read_account(ports: GatewayPorts, wallet: str) -> Account | None:
    """The account as of the last commit."""
    return await ports.ledger_worker.run(lambda: ports.ledger.account(wallet))


async def read_snapshot(ports: GatewayPorts, wallet: str) -> Json:
    """Balance, open bets and last results: where a trader stands."""

    def read() -> Json:
        ledger = ports.ledger
        ended = (BetStatus.WON, BetStatus.LOST, BetStatus.VOID)
        return snapshot_json(
            wallet,
            ledger.account(wallet),
            ledger.bets(wallet, statuses=(BetStatus.CONFIRMED,), limit=PAGE_ROWS_MAX),
            ledger.bets(wallet, statuses=ended, limit=LAST_RESULTS),
        )

    return await ports.ledger_worker.run(read)
