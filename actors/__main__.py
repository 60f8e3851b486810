"""The command `tapgrid`: reads the command line, calls a command, ends with its exit code.

Commands are imported when they are called: `tapgrid status` need not load a web server.
"""

import os
import signal
import sys
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from actors.commands.exits import INTERRUPTED, REFUSED, CannotDo
from config.production import refuse_unsafe_production
from config.settings import DEMO, DEMO_CHAIN_ID, ArchiveSettings, Loaded, SettingsRefused, load

EXIT_CODES: Final = """\
exit codes: 0 done, nothing wrong; 1 something is wrong with what was looked at; 2 refused: command
line, settings or input; 3 the data folder can't be used; 4 the venue did not answer; 130 Ctrl-C
"""
Subparsers = Any  # argparse's own type for it is private


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code (argparse itself exits with 2)."""
    arguments = parser().parse_args(argv)
    run: Callable[[Namespace], int] = arguments.run
    try:
        code = run(arguments)
        sys.stdout.flush()
        return code
    except SettingsRefused as refused:
        _say("settings refused:", *(f"  {fault}" for fault in refused.faults))
        return REFUSED
    except CannotDo as error:
        _say(str(error))
        return error.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output is gone (`| head`): end as other tools do, without a traceback.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE


def parser() -> ArgumentParser:
    """Every command with its options, and an example of each."""
    top = ArgumentParser(
        prog="tapgrid",
        description="A real-time BTC tap-trading venue.",
        epilog=f"example: tapgrid serve --demo\n\n{EXIT_CODES}",
        formatter_class=RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"tapgrid {version('tapgrid')}")
    commands = top.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_serve(commands)
    _add_status(commands)
    _add_integrity(commands)
    _add_verify(commands)
    _add_fund(commands)
    _add_archive(commands)
    _add_backup(commands)
    _add_restore(commands)
    _add_audit(commands)
    _add_check_config(commands)
    _add_openapi(commands)
    _add_simulate(commands)
    return top


# --- what each command takes ------------------------------------------------------------------


def _add_serve(commands: Subparsers) -> None:
    command = _command(
        commands,
        "serve",
        "run the venue until SIGTERM or SIGINT; a second one cuts the drain short",
        "tapgrid serve --feed replay:trades.csv.gz@10 --set grid.column_s=10",
        _serve,
    )
    _takes_settings(command)
    _takes_data(command)


def _add_status(commands: Subparsers) -> None:
    command = _command(
        commands,
        "status",
        "show the actor tree of a running venue, live on a terminal; 1 if an actor is down",
        "tapgrid status --once",
        _status,
    )
    _takes_data(command)
    command.add_argument("--url", help="a venue elsewhere, instead of the one on --data")
    _takes_token(command)
    command.add_argument("--json", action="store_true", help="print it once, as JSON")
    command.add_argument("--once", action="store_true", help="print the table once")


def _add_integrity(commands: Subparsers) -> None:
    command = _command(
        commands,
        "integrity",
        "check that the money adds up, also while the venue runs; 1 if anything drifts",
        "tapgrid integrity --data ./data",
        _integrity,
    )
    command.add_argument(
        "--rebuild",
        metavar="USER",
        help="set this balance (a wallet, house or external) to the sum of its ledger rows first",
    )
    command.add_argument("--reason", metavar="TEXT", help="of the rebuild, kept in the ledger")
    _takes_data(command)
    _takes_token(command)


def _add_verify(commands: Subparsers) -> None:
    command = _command(
        commands,
        "verify",
        "recompute the outcome of settled bets from their ticks; 1 names each bad bet",
        "tapgrid verify 01KAVC4G6R3ZQK8YV5M2T9WXJD",
        _verify,
    )
    which = command.add_mutually_exclusive_group()
    which.add_argument("bet_id", nargs="?", metavar="BET_ID", help="only this one")
    which.add_argument("--all", action="store_true", help="every settled bet (the default)")
    _takes_data(command)


def _add_fund(commands: Subparsers) -> None:
    command = _command(
        commands,
        "fund",
        "credit the wallets of a file, once each; 1 if a deposit was refused, 2 and nothing is "
        "credited if a line is bad",
        "tapgrid fund wallets.csv   (lines: wallet,micros or wallet,micros,reference)",
        _fund,
    )
    command.add_argument("file", type=Path, metavar="FILE", help="one deposit per line")
    _takes_data(command)
    _takes_token(command)


def _add_archive(commands: Subparsers) -> None:
    command = _command(
        commands,
        "archive",
        "bring every week that is over into the archive now, verified, also while the venue runs; "
        "1 if one could not be",
        "tapgrid archive --config venue.toml --data /var/lib/tapgrid",
        _archive,
    )
    command.add_argument("--list", action="store_true", help="do nothing, show the record")
    _takes_archive(command)
    _takes_data(command)


def _add_backup(commands: Subparsers) -> None:
    command = _command(
        commands,
        "backup",
        "copy the money away now, verified, also while the venue runs; 1 and none is made if it "
        "does not add up",
        "tapgrid backup --config venue.toml --data /var/lib/tapgrid",
        _backup,
    )
    command.add_argument("--list", action="store_true", help="take none, show those there are")
    _takes_archive(command)
    _takes_data(command)


def _add_restore(commands: Subparsers) -> None:
    command = _command(
        commands,
        "restore",
        "bring the money of a backup back into a data folder whose venue is stopped; what was "
        "there is put aside, and if the backup is not good (1) nothing is changed",
        "tapgrid restore --config venue.toml --data /var/lib/tapgrid",
        _restore,
    )
    which = command.add_mutually_exclusive_group()
    which.add_argument(
        "key", nargs="?", metavar="KEY", help="one of tapgrid backup --list (default: the newest)"
    )
    which.add_argument(
        "--week",
        metavar="SUNDAY",
        help="instead, bring this week, e.g. 2026-02-01, back from the archive for reading, also "
        "while the venue runs",
    )
    _takes_archive(command)
    _takes_data(command)


def _add_audit(commands: Subparsers) -> None:
    command = _command(
        commands,
        "audit",
        "print what operators did and check that nothing of it was changed, also while the venue "
        "runs; 1 names the first line that was",
        "tapgrid audit --data /var/lib/tapgrid",
        _audit,
    )
    command.add_argument("--json", action="store_true", help="print the lines as they stand")
    _takes_data(command)


def _add_check_config(commands: Subparsers) -> None:
    command = _command(
        commands,
        "check-config",
        "print the settings in force, secrets masked, and where each came from",
        "tapgrid check-config --config config/production.toml",
        _check_config,
    )
    _takes_settings(command)


def _add_openapi(commands: Subparsers) -> None:
    command = _command(
        commands,
        "openapi",
        "print the OpenAPI document of the HTTP API, as a venue of these settings serves it at "
        "/openapi.json",
        "tapgrid openapi --set public.origin=https://tap.example > openapi.json",
        _openapi,
    )
    command.add_argument("--config", type=Path, metavar="FILE", help="settings over the defaults")
    command.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="SECTION.KEY=VALUE",
        help="any setting; public.origin is the one that shows",
    )


def _add_simulate(commands: Subparsers) -> None:
    command = _command(
        commands,
        "simulate",
        "run the whole venue in virtual time with made-up people and faults, and hold it against "
        "its invariants; 1 if one was violated, or if a campaign has not seen enough",
        "tapgrid simulate --seeds 100 --hours 0.5",
        _simulate,
    )
    command.add_argument("--seed", type=int, metavar="N", help="the first seed (default: 1)")
    command.add_argument("--seeds", type=int, metavar="N", help="so many seeds (default: 1)")
    command.add_argument(
        "--hours", type=float, metavar="H", help="venue hours of a run (default: ten minutes)"
    )
    command.add_argument(
        "--faults",
        default="drawn",
        metavar="PLAN",
        help="drawn (from the seed, the default), none, only these kinds (kill,drain,...), or a "
        "file with a whole scenario, as is written for a violation",
    )
    command.add_argument("--no-shrink", action="store_true", help="leave what fails as it is")
    command.add_argument("--trace", type=Path, metavar="FILE", help="write down all that happens")
    command.add_argument("--processes", type=int, metavar="N", help="default: one for each core")
    command.add_argument(
        "--out",
        type=Path,
        default=Path(),
        metavar="DIR",
        help="where the scenario of a violation is written (default: here)",
    )


def _command(
    commands: Subparsers, name: str, what: str, example: str, run: Callable[[Namespace], int]
) -> ArgumentParser:
    command: ArgumentParser = commands.add_parser(
        name,
        help=what,
        description=what,
        epilog=f"example: {example}\n\n{EXIT_CODES}",
        formatter_class=RawDescriptionHelpFormatter,
    )
    command.set_defaults(run=run)
    return command


def _takes_data(command: ArgumentParser) -> None:
    command.add_argument(
        "--data",
        type=Path,
        default=Path("data"),
        metavar="DIR",
        help="the data folder (default: ./data)",
    )


def _takes_token(command: ArgumentParser) -> None:
    command.add_argument(
        "--token",
        help="the operator's token (default: TAPGRID_OPS__TOKEN, then the data folder's own)",
    )


def _takes_settings(command: ArgumentParser) -> None:
    command.add_argument("--config", type=Path, metavar="FILE", help="settings over the defaults")
    command.add_argument("--host", help="the address to listen on")
    command.add_argument("--port", type=int, help="the port to listen on; 0: any free one")
    command.add_argument("--feed", help="simulator, replay:FILE[@SPEED], binance or coinbase")
    command.add_argument("--demo", action="store_true", help="paper money, whatever a file says")
    command.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="SECTION.KEY=VALUE",
        help="any setting, as often as needed (docs/configuration.md)",
    )


def _takes_archive(command: ArgumentParser) -> None:
    """Of the settings, those that say where archive and backups are."""
    command.add_argument("--config", type=Path, metavar="FILE", help="settings over the defaults")
    command.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="SECTION.KEY=VALUE",
        help="any setting, such as archive.url (docs/configuration.md)",
    )


# --- calling the commands ---------------------------------------------------------------------


def _serve(arguments: Namespace) -> int:
    loaded = _settings(arguments)
    from actors.commands.serve import serve

    return _on_folder(lambda: serve(loaded.settings, data=arguments.data))


def _status(arguments: Namespace) -> int:
    from actors.commands.folder import running_venue
    from actors.commands.status import status
    from actors.commands.venue_client import VenueClient
    from db.data_folder import DataFolder

    def show() -> int:
        token = _token(arguments)
        venue = (
            VenueClient(arguments.url, token)
            if arguments.url
            else running_venue(DataFolder.existing(arguments.data), token=token)
        )
        return status(
            venue,
            as_json=arguments.json,
            once=arguments.once,
            out=sys.stdout,
            environ=os.environ,
        )

    return _on_folder(show)


def _integrity(arguments: Namespace) -> int:
    from actors.commands.integrity import integrity
    from actors.commands.rebuild import rebuild

    if (arguments.rebuild is None) is not (arguments.reason is None):
        raise CannotDo("--rebuild USER and --reason TEXT go together", REFUSED)
    if arguments.rebuild is None:
        return _on_folder(lambda: integrity(data=arguments.data, out=sys.stdout))
    return _on_folder(
        lambda: rebuild(
            arguments.rebuild,
            arguments.reason,
            data=arguments.data,
            token=_token(arguments),
            out=sys.stdout,
        )
    )


def _verify(arguments: Namespace) -> int:
    from actors.commands.verify import verify_all, verify_one

    data: Path = arguments.data
    if arguments.bet_id:
        return _on_folder(lambda: verify_one(arguments.bet_id, data=data, out=sys.stdout))
    return _on_folder(lambda: verify_all(data=data, out=sys.stdout, progress=sys.stderr))


def _fund(arguments: Namespace) -> int:
    from actors.commands.fund import fund

    return _on_folder(
        lambda: fund(
            arguments.file,
            data=arguments.data,
            token=_token(arguments),
            out=sys.stdout,
            progress=sys.stderr,
        )
    )


def _archive(arguments: Namespace) -> int:
    settings = _archive_settings(arguments)
    from actors.commands.archive import archive, list_weeks

    data: Path = arguments.data
    if arguments.list:
        return _on_folder(lambda: list_weeks(settings, data=data, out=sys.stdout))
    return _on_folder(lambda: archive(settings, data=data, out=sys.stdout, progress=sys.stderr))


def _backup(arguments: Namespace) -> int:
    archive = _archive_settings(arguments)
    from actors.commands.backup import backup, list_stored

    data: Path = arguments.data
    if arguments.list:
        return list_stored(archive, data=data, out=sys.stdout)
    return _on_folder(lambda: backup(archive, data=data, out=sys.stdout, progress=sys.stderr))


def _restore(arguments: Namespace) -> int:
    archive = _archive_settings(arguments)
    from actors.commands.restore import restore
    from actors.commands.restore_week import restore_week

    data: Path = arguments.data
    if arguments.week:
        return _on_folder(
            lambda: restore_week(
                archive, arguments.week, data=data, out=sys.stdout, progress=sys.stderr
            )
        )
    return _on_folder(
        lambda: restore(archive, arguments.key, data=data, out=sys.stdout, progress=sys.stderr)
    )


def _audit(arguments: Namespace) -> int:
    from actors.commands.audit import audit

    return _on_folder(
        lambda: audit(data=arguments.data, as_json=arguments.json, out=sys.stdout, notes=sys.stderr)
    )


def _check_config(arguments: Namespace) -> int:
    from actors.commands.check_config import check_config

    return check_config(_settings(arguments), out=sys.stdout)


def _openapi(arguments: Namespace) -> int:
    from actors.commands.openapi import openapi

    loaded = load(file=arguments.config, environ=os.environ, sets=arguments.set)
    return openapi(loaded.settings, version=version("tapgrid"), out=sys.stdout)


def _simulate(arguments: Namespace) -> int:
    from actors.commands.simulate import asked_by, simulate

    return simulate(asked_by(arguments), out=sys.stdout, progress=sys.stderr)


def _settings(arguments: Namespace) -> Loaded:
    """What the command line, the environment and the files say; safe for real money if it is."""
    from db.wallet_signatures import backend_is_fast

    given = {"http.host": arguments.host, "http.port": arguments.port}
    given |= {"feed.source": arguments.feed}
    if arguments.demo:
        given |= {"venue.mode": DEMO, "venue.chain_id": DEMO_CHAIN_ID}
    flags = {path: value for path, value in given.items() if value is not None}
    loaded = load(file=arguments.config, environ=os.environ, sets=arguments.set, flags=flags)
    refuse_unsafe_production(loaded, signatures_fast=backend_is_fast())
    return loaded


def _archive_settings(arguments: Namespace) -> ArchiveSettings:
    """Where archive and backups are. Nothing else that a venue needs has to be set, such as a
    token: whoever restores a venue may have no other machine than this."""
    loaded = load(file=arguments.config, environ=os.environ, sets=arguments.set)
    return loaded.settings.archive


def _token(arguments: Namespace) -> str:
    """The operator's token of the command line or the environment, "" for none."""
    if arguments.token:
        return str(arguments.token)
    environ = {name: value for name, value in os.environ.items() if "_OPS__TOKEN" in name}
    return load(environ=environ).settings.ops.token


def _on_folder(run: Callable[[], int]) -> int:
    """Call a command that uses a data folder; say in words why it can't be used."""
    from actors.commands.exits import NO_FOLDER
    from actors.commands.folder import FOLDER_FAULTS

    try:
        return run()
    except FOLDER_FAULTS as error:
        raise CannotDo(str(error), NO_FOLDER) from error


def _say(*lines: str) -> None:
    print("\n".join(("tapgrid: " + lines[0], *lines[1:])), file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
