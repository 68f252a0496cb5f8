"""Runs both vendors in one process until it is told to stop."""

import asyncio
import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

from .clock import Clock, write_json
from .control import Control, Journal
from .drops import Drops
from .faults import Faults
from .http import Server
from .plain.api import PlainApi
from .plain.api import Settings as PlainSettings
from .pylon.api import PylonApi
from .pylon.settings import Settings as PylonSettings
from .world.lifecycle import Kind
from .world.plan import System
from .world.times import iso
from .world.world import World


@dataclass(frozen=True, slots=True)
class Options:
    size: str
    seed: int
    pylon_port: int
    plain_port: int
    data_dir: Path
    clock: int | None
    pylon: PylonSettings
    plain: PlainSettings
    quiet: dict[System, frozenset[Kind]]
    warm: bool


class PortTaken(Exception):
    """A port we were told to use is not free."""


def serve(options: Options) -> None:
    """Serve until SIGINT or SIGTERM, also if one comes while the world is still being made."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        _serve(options)
    except KeyboardInterrupt:
        return


def _serve(options: Options) -> None:
    if options.size == "large":
        print("simulators: making a large world, which takes half a minute or more", file=sys.stderr, flush=True)
    world = World(options.seed, options.size, options.quiet)
    clock = Clock(options.data_dir / "simulators" / "clock.json", options.clock, world.size.clock)
    drops, folder = Drops(world), options.data_dir / "drop"
    drops.write(clock.now, folder)

    def moved(before: int, after: int) -> None:
        drops.write(after, folder, since=min(before, after))

    faults = Faults()
    control = Control(world, clock, Journal(), faults, moved)
    pylon = PylonApi(world, clock, options.pylon, faults)
    if options.warm:
        pylon.issues.warm()
    plain = PlainApi(world, clock, options.plain, faults)
    asyncio.run(_run(options, clock, Server(control.beside(pylon)), Server(control.beside(plain))))


async def _run(options: Options, clock: Clock, pylon: Server, plain: Server) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for sign in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(sign, stop.set)
    for server, port in ((pylon, options.pylon_port), (plain, options.plain_port)):
        try:
            await server.start(port)
        except OSError as error:
            raise PortTaken(
                f"port {port} on 127.0.0.1 cannot be used ({os.strerror(error.errno or 0)}): choose another, or 0"
            ) from error
    ready = options.data_dir / "simulators" / "ready.json"
    facts = {
        "pylon": pylon.url,
        "plain": plain.url,
        "clock": iso(clock.now),
        "size": options.size,
        "seed": options.seed,
    }
    write_json(ready, {**facts, "pid": os.getpid()})
    print("ready", *(f"{name}={value}" for name, value in facts.items()), flush=True)
    try:
        await stop.wait()
    finally:
        ready.unlink(missing_ok=True)
        await pylon.stop()
        await plain.stop()
