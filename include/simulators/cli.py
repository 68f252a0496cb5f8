"""The command line: `python -m include.simulators serve …`."""

import argparse
import os
import sys
from pathlib import Path

from .plain.api import Settings as PlainSettings
from .pylon.api import Settings as PylonSettings
from .serve import Options, PortTaken, serve
from .world.sizes import SIZES
from .world.times import instant


def main(arguments: list[str] | None = None) -> int:
    parser = _parser()
    given = parser.parse_args(arguments)
    try:
        _serve(given)
    except (PortTaken, ValueError) as error:
        print(f"simulators: {error}", file=sys.stderr)
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m include.simulators", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    verb = verbs.add_parser(
        "serve", help="serve both vendors on loopback until stopped", description="Serve Pylon and Plain on 127.0.0.1."
    )
    _add_world(verb)
    verb.add_argument("--pylon-port", type=_port, default=8701, help="0 picks a free one (default: 8701)")
    verb.add_argument("--plain-port", type=_port, default=8702, help="0 picks a free one (default: 8702)")
    verb.add_argument(
        "--data-dir",
        type=Path,
        default=Path(os.environ.get("SUPPORT_DATA_DIR") or ".data"),
        help="where the clock is kept (default: $SUPPORT_DATA_DIR or .data)",
    )
    verb.add_argument(
        "--clock",
        type=_instant,
        metavar="ISO",
        help="set the simulated time, like 2026-01-05T06:20:00Z; without it the kept one goes on",
    )
    verb.add_argument(
        "--profile",
        choices=("default", "old-pylon"),
        default="default",
        help="old-pylon: limits, spans and error bodies of before late 2026",
    )
    verb.add_argument("--limits", choices=("on", "off"), default="on", help="whether rate limits are enforced")
    verb.add_argument("--pylon-token", default=PylonSettings().token, help="default: %(default)s")
    verb.add_argument("--plain-token", default=PlainSettings().token, help="default: %(default)s")
    return parser


def _add_world(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--size", choices=tuple(SIZES), default="small", help="default: small")
    verb.add_argument("--seed", type=int, default=7, help="another seed is another company (default: 7)")


def _port(text: str) -> int:
    if not text.isdigit() or int(text) > 65_535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port: 0 to 65535")
    return int(text)


def _instant(text: str) -> int:
    try:
        return instant(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _serve(given: argparse.Namespace) -> None:
    serve(
        Options(
            size=given.size,
            seed=given.seed,
            pylon_port=given.pylon_port,
            plain_port=given.plain_port,
            data_dir=given.data_dir,
            clock=given.clock,
            pylon=PylonSettings(token=given.pylon_token, profile=given.profile, limits=given.limits == "on"),
            plain=PlainSettings(token=given.plain_token),
        )
    )
