"""Is the venue well? For load balancers and monitoring."""

from typing import Final

from domain.refusals import Code
from protocols.client_fields import Json
from protocols.operations.operation import Operation, Tag


def _look(path: str, summary: str, *, answer: object, codes: tuple[Code, ...] = ()) -> Operation:
    return Operation(
        method="GET",
        path=path,
        summary=summary,
        tag=Tag.HEALTH,
        answer=answer,
        codes=codes,
        limited=False,
    )


HEALTH: Final = _look(
    "/healthz", "Each needed part, and 503 when one of them is down.", answer=Json
)
READY: Final = _look("/readyz", "May traffic be sent here?", answer=Json, codes=(Code.DRAINING,))
VERSION: Final = _look("/version", "What is running.", answer=Json)
METRICS: Final = _look(
    "/metrics", "For Prometheus.", answer="text/plain; version=0.0.4; charset=utf-8"
)

ALL: Final = (HEALTH, READY, VERSION, METRICS)
