"""Is the venue well? For load balancers and monitoring."""

from typing import Final

from domain.refusals import Code
from protocols.client_status import HealthJson, ReadyJson, VersionJson
from protocols.operations.operation import Operation, Tag

HEALTH: Final = Operation(
    method="GET",
    path="/healthz",
    summary="Each needed part; 503 when one of them is down.",
    tag=Tag.HEALTH,
    answer=HealthJson,
    also={503: HealthJson},
    limited=False,
)
READY: Final = Operation(
    method="GET",
    path="/readyz",
    summary="May traffic be sent here?",
    tag=Tag.HEALTH,
    answer=ReadyJson,
    codes=(Code.DRAINING,),
    limited=False,
)
VERSION: Final = Operation(
    method="GET",
    path="/version",
    summary="What is running.",
    tag=Tag.HEALTH,
    answer=VersionJson,
    limited=False,
)
METRICS: Final = Operation(
    method="GET",
    path="/metrics",
    summary="The venue in numbers, for Prometheus.",
    tag=Tag.HEALTH,
    answer="text/plain; version=0.0.4; charset=utf-8",
    limited=False,
)

DOCUMENT: Final = Operation(
    method="GET",
    path="/openapi.json",
    summary="This document.",
    tag=Tag.HEALTH,
    answer="application/json",
)

ALL: Final = (HEALTH, READY, VERSION, METRICS, DOCUMENT)
