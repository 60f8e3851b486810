"""`POST /api/bets` as a plain ASGI function: the hot path does not pass through Quart."""

from actors.gateway.asgi import Receive, Scope, Send, json_answer, refusal_answer, send_answer
from actors.gateway.bets import Answered, BetDesk
from actors.gateway.limits import limit_headers
from domain.refusals import Refusal
from protocols.client_fields import parse_object


class BetRoute:
    """Reads a body, asks the desk, answers."""

    def __init__(self, desk: BetDesk) -> None:
        self._desk = desk

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One bet. Nobody cancels this when the client goes: the answer is then simply lost."""
        event = await receive()
        fields = parse_object(event["body"])
        if isinstance(fields, Refusal):
            answered = Answered(result=fields)
        else:
            answered = await self._desk.place(fields, address=scope["state"]["address"])
        result, headers = answered.result, limit_headers(answered.counted)
        if isinstance(result, Refusal):
            await send_answer(send, refusal_answer(result, headers=headers))
        else:
            await send_answer(send, json_answer(result, status=202, headers=headers))
