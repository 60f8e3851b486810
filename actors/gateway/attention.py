"""Which figures of this venue need somebody's eye: what `domain.attention` says of them."""

from collections.abc import Iterator

from actors.gateway.ports import GatewayPorts
from domain import attention
from domain.attention import Finding, by_urgency
from domain.units import EpochMs
from protocols.accounts import HousePosition
from protocols.client_market import feed_age_ms
from protocols.client_status import FindingJson, ThresholdsJson
from protocols.market import FeedLevel, Override
from supervisor import ChildStatus, SupervisorStatus


def attention_json(
    ports: GatewayPorts,
    *,
    tree: SupervisorStatus,
    house: HousePosition | None,
    store_up: bool,
    connections: int,
    now_ms: EpochMs,
) -> list[FindingJson]:
    """What wants an act, then what wants a look. `house`: None where the ledger can't be read."""
    findings = [
        *_of_betting(ports, now_ms),
        *_of_money(ports, house, now_ms),
        *attention.of_store(up=store_up),
        *_of_storage(ports, now_ms),
        *attention.of_door(connections=connections, connections_max=ports.settings.connections),
        *_of_tree(tree, draining=ports.draining.value),
    ]
    return [_finding_json(finding) for finding in by_urgency(findings)]


def thresholds_json(ports: GatewayPorts) -> ThresholdsJson:
    """Where the figures that are drawn as bars begin to want somebody's eye."""
    limits = ports.settings.thresholds
    return {
        "exposure_look_percent": attention.EXPOSURE_LOOK_PERCENT,
        "exposure_act_percent": attention.EXPOSURE_ACT_PERCENT,
        "mailbox_look_percent": attention.MAILBOX_LOOK_PERCENT,
        "mailbox_act_percent": attention.MAILBOX_ACT_PERCENT,
        "connections_look_percent": attention.CONNECTIONS_LOOK_PERCENT,
        "connections_act_percent": attention.CONNECTIONS_ACT_PERCENT,
        "disk_warning_percent": limits.disk.warning_percent,
        "disk_full_percent": limits.disk.full_percent,
        "disk_emergency_percent": limits.disk.emergency_percent,
        "disk_ample_free_bytes": limits.disk.ample_free_bytes,
        "archive_age_max_s": limits.archive_age_max_s,
        "backup_age_max_s": limits.backup_age_max_s,
        "check_age_max_s": limits.check_age_max_s,
    }


def _of_betting(ports: GatewayPorts, now_ms: EpochMs) -> Iterator[Finding]:
    feed, hold, quote = ports.feed.value, ports.hold.value, ports.book.value.newest
    yield from attention.of_feed(
        level=feed.level,
        age_ms=feed_age_ms(feed, now_ms),
        skew_ms=feed.skew_ms,
        held_closed=feed.override is Override.CLOSE,
    )
    for source in ports.sources.value:
        yield from attention.of_source(
            source.name,
            connected=source.connected,
            active=source.active,
            last_error=source.last_error,
        )
    yield from attention.of_quote(
        age_ms=now_ms - quote.published_at_ms if quote is not None else None,
        wanted=feed.level is not FeedLevel.CRITICAL and not ports.draining.value,
    )
    yield from attention.of_override(
        feed.override.value, by=feed.override_by, why=feed.override_why, level=feed.level
    )
    yield from attention.of_hold(held=hold.held, by=hold.by, why=hold.why)
    yield from attention.of_drain(draining=ports.draining.value)


def _of_money(
    ports: GatewayPorts, house: HousePosition | None, now_ms: EpochMs
) -> Iterator[Finding]:
    writer, audit = ports.writer.value, ports.audit.value
    yield from attention.of_ledger(readable=house is not None)
    if house is not None:
        yield from attention.of_house(
            balance_micros=house.balance_micros, open_payout_micros=house.open_payout_micros
        )
    yield from attention.of_writer(
        high_ms=writer.high_ms, rotation_failure=writer.rotation_failure, now_ms=now_ms
    )
    yield from attention.of_resolver(
        oldest_open_end_ms=ports.resolver.value.oldest_open_end_ms, now_ms=now_ms
    )
    yield from attention.of_audit(
        age_s=age_s(audit.checked_at_ms, now_ms),
        drifts=audit.drifts,
        first_drift=audit.first_drift,
        failures=audit.failures,
        limits=ports.settings.thresholds,
    )


def _of_storage(ports: GatewayPorts, now_ms: EpochMs) -> Iterator[Finding]:
    archive, backups, disk = ports.archive.value, ports.backups.value, ports.disk.value
    restores, limits = archive.restores, ports.settings.thresholds
    yield from attention.of_archive(
        age_s=age_s(archive.last_success_ms, now_ms),
        waiting=archive.waiting,
        failure=_since(archive.last_success_ms, archive.last_failure_ms, archive.last_failure),
        limits=limits,
    )
    yield from attention.of_restores(
        waiting=restores.waiting,
        failure=restores.last_failure,
        failed_ago_s=age_s(restores.last_failure_ms or 0, now_ms),
    )
    yield from attention.of_backups(
        age_s=age_s(backups.last_success_ms, now_ms),
        failure=_since(backups.last_success_ms, backups.last_failure_ms, backups.last_failure),
        limits=limits,
    )
    yield from attention.of_disk(level=disk.level, use=disk.use, limits=limits)


def _of_tree(status: ChildStatus | SupervisorStatus, *, draining: bool) -> Iterator[Finding]:
    """Each supervisor before its children, as its rows are."""
    failure = status.last_failure
    yield from attention.of_actor(
        status.path,
        status.state.value,
        failure=f"{failure.type}: {failure.message}" if failure is not None else "",
        failed_ago_s=failure.ago_s if failure is not None else None,
        retry_in_s=status.retry_in_s,
        draining=draining,
    )
    if isinstance(status, SupervisorStatus):
        yield from attention.of_supervisor(
            status.path,
            restarts_in_window=status.restarts_in_window,
            restarts_max=status.restarts_max,
            period_s=status.period_s,
        )
        for child in status.children:
            yield from _of_tree(child, draining=draining)
    else:
        for channel in status.channels:
            yield from attention.of_channel(
                status.path, channel.name, depth=channel.depth, capacity=channel.capacity
            )


def age_s(at_ms: EpochMs, now_ms: EpochMs) -> int | None:
    """How long ago, in whole seconds; None for 0: never."""
    return (now_ms - at_ms) // 1000 if at_ms else None


def _since(success_ms: EpochMs, failure_ms: EpochMs | None, failure: str) -> str:
    """The failure, if nothing has succeeded since."""
    return failure if failure_ms is not None and failure_ms > success_ms else ""


def _finding_json(finding: Finding) -> FindingJson:
    return {
        "where": finding.where,
        "level": finding.level,
        "text": finding.text,
        "runbook": finding.runbook,
    }
