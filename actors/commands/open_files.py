"""How many files the process may have open: each connection is one.

A venue that runs out of them can't open its next ledger or price file either, so connections stop
before that: with what the machine allows, and never so many that the venue's own files don't fit.
"""

import resource
from typing import Final

import attrs
import structlog

from config.settings import Settings

log = structlog.get_logger("serve")

OWN_FILES: Final = 512
"""Ledgers, price files and archives, each with its log; the store; what starts and stops."""


def fit_connections(settings: Settings) -> Settings:
    """The settings, with as many connections in all as fit. The limit of this process is raised as
    far as it may be; where that is not enough, this says so and goes on with fewer."""
    wanted = settings.limits.connections
    may_open = _raise_limit(wanted + OWN_FILES)
    fit = max(1, min(wanted, may_open - OWN_FILES))
    if fit == wanted:
        return settings
    why = f"this process may open {may_open} files; ulimit -Hn or LimitNOFILE= raises that"
    log.warning("fewer_connections", wanted=wanted, possible=fit, why=why)
    return attrs.evolve(settings, limits=attrs.evolve(settings.limits, connections=fit))


def _raise_limit(needed: int) -> int:
    """Let this process open so many files, if it may; how many it may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return needed
    raised = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    if raised > soft:
        resource.setrlimit(resource.RLIMIT_NOFILE, (raised, hard))
    return max(raised, soft)
