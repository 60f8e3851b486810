"""Actors and supervisors restarted on an operator's word, the Gateway itself among them."""

from functools import partial
from typing import Final, cast

import trio

from actors.gateway.asgi import Answer, json_answer
from actors.gateway.operators import Operators, Told
from actors.gateway.ports import GatewayPorts
from actors.gateway.routes import Route, read_body
from actors.gateway.tree import paths_of
from domain.refusals import Code, Refusal
from protocols.client_ops import REASON
from protocols.client_orders import Became, RestartedJson
from protocols.operations import ops
from supervisor import Managed

RESTART_WITHIN_S: Final = 30.0
"""The longest of a stop by hand and the start after it; a restart that takes longer goes on."""
_NOT_DONE: Final = {
    Managed.NOT_FOUND: Code.NOT_FOUND,
    Managed.BUSY: Code.OVERLOADED,
    Managed.STOPPING: Code.DRAINING,
}


class Restarts:
    """Has the supervisor restart what an operator names."""

    def __init__(self, ports: GatewayPorts, operators: Operators, *, own_path: str) -> None:
        self._ports = ports
        self._operators = operators
        self._own_path = own_path
        self._own_wanted = trio.Event()

    def routes(self) -> list[Route]:
        """There is one."""
        return [(ops.RESTART, self.restart)]

    async def restart(self, name: str) -> RestartedJson | Answer | Refusal:
        """Restart one actor or supervisor, and say what became of it."""
        path = self._path_of(name)
        return await self._operators.order(
            partial(read_body, self._ports, REASON),
            lambda why: Told("restart", path or name, why),
            lambda _who, _why: self._restart(path),
        )

    async def restart_own(self) -> None:
        """Wait for the word to restart the Gateway, and have it done: which ends this, too.

        The word comes from a request, and the drain lets requests in flight finish; so the one that
        asked for it must not wait for it.
        """
        while True:
            await self._own_wanted.wait()
            self._own_wanted = trio.Event()
            await self._ports.restart_actor(self._own_path)

    def _path_of(self, name: str) -> str | None:
        """The path that is meant: itself, or the one that ends so. All last parts are unique."""
        paths = paths_of(self._ports.supervisor_status())
        return next((path for path in paths if name in (path, path.rpartition("/")[2])), None)

    async def _restart(self, path: str | None) -> RestartedJson | Answer | Refusal:
        if path is None:
            return Refusal(Code.NOT_FOUND)
        if path == self._own_path:
            self._own_wanted.set()
            own: RestartedJson = {"path": path, "became": "restarting"}
            return json_answer(own, status=202)
        with trio.move_on_after(RESTART_WITHIN_S):
            became = await self._ports.restart_actor(path)
            if became in _NOT_DONE:
                return Refusal(_NOT_DONE[became])
            return {"path": path, "became": cast(Became, became.value)}
        return Refusal(Code.STATUS_UNKNOWN, "It goes on; the status shows what becomes of it.")
