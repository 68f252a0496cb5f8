"""The commands behind the Makefile: python -m include.local run | up | sql | dbt | airflow | manifest."""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
from pathlib import Path
from types import FrameType

from include.local.folder import REPO, Place, StackError


class Stopped(KeyboardInterrupt):
    """A signal asked for the end."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number


def listen_to_signals() -> None:
    """Let every polite way of ending a command take the same road as Ctrl-C."""

    def stop(number: int, _frame: FrameType | None) -> None:
        raise Stopped(number)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)
    if "MAKELEVEL" in os.environ:
        from include.local.keeper import end_with_parent

        end_with_parent(signal.SIGTERM)  # a killed make takes its command along


def read_env_file(path: Path) -> dict[str, str]:
    """The KEY=VALUE lines of a .env file, quotes around a value removed."""
    values = {}
    for line in path.read_text().splitlines() if path.is_file() else []:
        key, separator, value = line.strip().partition("=")
        if separator and key and not key.startswith("#"):
            value = value.strip()
            if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
                value = value[1:-1]
            values[key.removeprefix("export ").strip()] = value
    return values


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m include.local", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("run").add_argument("nights", nargs="?", default="")
    commands.add_parser("up").add_argument("port", nargs="?", default="8080")
    commands.add_parser("sql").add_argument("statement", nargs="?", default="")
    commands.add_parser("manifest")
    for tool in ("dbt", "airflow"):
        commands.add_parser(tool, add_help=False).add_argument("rest", nargs=argparse.REMAINDER)
    return parser.parse_args()


def perform(options: argparse.Namespace) -> int:
    # Imports wait until the command is known: a wrong setting is answered before Airflow or DuckDB is loaded.
    from include.settings import load_settings

    configured = load_settings()
    match options.command:
        case "run":
            from include.local.run import number_of_nights, run

            return run(number_of_nights(options.nights))
        case "up":
            from include.local.up import port_number, up

            return up(port_number(options.port))
        case "sql":
            from include.local.sql import sql

            return sql(options.statement)
        case tool:
            from include.local.tools import call_tool

            return call_tool(tool, getattr(options, "rest", []), configured, Place(configured.data_dir))


def main() -> int:
    options = arguments()
    for key, value in read_env_file(REPO / ".env").items():
        os.environ.setdefault(key, value)
    listen_to_signals()
    from include.settings import ConfigurationError

    try:
        return perform(options)
    except ConfigurationError as error:
        print(f"configuration: {error}", file=sys.stderr)
        return 2
    except StackError as error:
        print(f"{options.command}: {error}", file=sys.stderr)
        return error.exit_code
    except Stopped as stopped:
        with contextlib.suppress(OSError):
            print(f"{options.command}: stopped, nothing is left running", file=sys.stderr)
        return 0 if options.command == "up" and stopped.number == signal.SIGINT else 128 + stopped.number


if __name__ == "__main__":
    sys.exit(main())
