"""Simulated vendors for support-medallion: a company's support history, served as Pylon and as Plain."""

import argparse
import os
import sys
from pathlib import Path

from .drops import FORMATS, Drops
from .plain.api import Settings as PlainSettings
from .pylon.settings import Settings as PylonSettings
from .serve import Options, PortTaken, serve
from .world.lifecycle import Kind
from .world.plan import System
from .world.sizes import SIZES
from .world.times import instant
from .world.world import DEFAULT_QUIET, World


def main(arguments: list[str] | None = None) -> int:
    given = _parser().parse_args(arguments)
    try:
        _serve(given) if given.verb == "serve" else _files(given)
    except (PortTaken, ValueError, OSError) as error:
        print(f"simulators: {error}", file=sys.stderr)
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m include.simulators", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")

    about = "serve both vendors on 127.0.0.1 until stopped"
    verb = verbs.add_parser("serve", help=about, description=f"{about[0].upper()}{about[1:]}.")
    _add_world(verb)
    verb.add_argument("--pylon-port", type=_port, default=8701, help="0 picks a free one (default: %(default)s)")
    verb.add_argument("--plain-port", type=_port, default=8702, help="0 picks a free one (default: %(default)s)")
    verb.add_argument(
        "--data-dir",
        type=Path,
        default=Path(os.environ.get("SUPPORT_DATA_DIR") or ".data"),
        help="where the clock is kept and files are dropped (default: $SUPPORT_DATA_DIR, or .data)",
    )
    verb.add_argument(
        "--profile",
        choices=("default", "old-pylon"),
        default="default",
        help="old-pylon: the limits, spans and error bodies Pylon had before late 2026",
    )
    verb.add_argument("--limits", choices=("on", "off"), default="on", help="whether rate limits are enforced")
    verb.add_argument("--pylon-token", default=PylonSettings().token, help="default: %(default)s")
    verb.add_argument("--plain-token", default=PlainSettings().token, help="default: %(default)s")
    verb.add_argument(
        "--quiet",
        type=_quiet,
        action="append",
        default=[],
        metavar="SYSTEM:KIND",
        help="what happens without moving updated_at, like pylon:redacted; may be repeated",
    )
    verb.add_argument("--warm", action="store_true", help="render every issue before the ready line, for benchmarks")

    about = "write the files other departments drop"
    verb = verbs.add_parser("files", help=about, description=f"{about[0].upper()}{about[1:]}, as of an instant.")
    _add_world(verb)
    verb.add_argument("--out", type=Path, required=True, metavar="DIR", help="one folder per kind of file goes in here")
    verb.add_argument("--format", choices=FORMATS, help="write every file so; without it each kind has its own")
    return parser


def _add_world(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--size", choices=tuple(SIZES), default="small", help="default: small")
    verb.add_argument("--seed", type=int, default=7, help="another seed is another company (default: 7)")
    verb.add_argument(
        "--clock",
        type=_instant,
        metavar="ISO",
        help="the simulated time, like 2026-01-05T06:20:00Z; without it serve goes on with the kept one",
    )


def _port(text: str) -> int:
    if not text.isdigit() or int(text) > 65_535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port: 0 to 65535")
    return int(text)


def _instant(text: str) -> int:
    try:
        return instant(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _quiet(text: str) -> tuple[System, Kind]:
    system, _, kind = text.partition(":")
    if system not in set(System) or kind not in set(Kind):
        raise argparse.ArgumentTypeError(f"{text!r} is not pylon: or plain: and one of {', '.join(Kind)}")
    return System(system), Kind(kind)


def _serve(given: argparse.Namespace) -> None:
    limits = given.limits == "on"
    quiet = {system: kinds | {k for s, k in given.quiet if s is system} for system, kinds in DEFAULT_QUIET.items()}
    serve(
        Options(
            size=given.size,
            seed=given.seed,
            pylon_port=given.pylon_port,
            plain_port=given.plain_port,
            data_dir=given.data_dir,
            clock=given.clock,
            pylon=PylonSettings(token=given.pylon_token, profile=given.profile, limits=limits),
            plain=PlainSettings(token=given.plain_token, limits=limits),
            quiet=quiet,
            warm=given.warm,
        )
    )


def _files(given: argparse.Namespace) -> None:
    world = World(given.seed, given.size)
    at = world.size.clock if given.clock is None else given.clock
    written = Drops(world).write(at, given.out, only=given.format)
    print(f"{len(written)} files in {given.out}")
