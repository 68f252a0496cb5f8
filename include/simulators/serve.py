"""Runs both vendors in one process until it is told to stop."""

import asyncio
import os
import signal
from dataclasses import dataclass
from pathlib import Path

from .clock import Clock, write_json
from .control import Control, Journal
from .http import Server
from .plain.api import PlainApi
from .plain.api import Settings as PlainSettings
from .pylon.api import PylonApi
from .pylon.api import Settings as PylonSettings
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


class PortTaken(Exception):
    """A port we were told to use is not free."""


def serve(options: Options) -> None:
    world = World(options.seed, options.size)
    clock = Clock(options.data_dir / "simulators" / "clock.json", options.clock, world.size.clock)
    asyncio.run(_run(options, world, clock))


async def _run(options: Options, world: World, clock: Clock) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for sign in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(sign, stop.set)
    control = Control(clock, Journal())
    pylon = Server(control.beside("pylon", PylonApi(world, clock, options.pylon)))
    plain = Server(control.beside("plain", PlainApi(world, clock, options.plain)))
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
