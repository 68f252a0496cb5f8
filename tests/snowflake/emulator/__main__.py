"""The emulator's process: it says its port in one line, and ends with whoever started it."""

from __future__ import annotations

import logging
import os
import shutil
import socket
import sys
import threading
import warnings

import uvicorn
from fakesnow.transforms.stage import LOCAL_BUCKET_PATH

from tests.snowflake.emulator import corrections
from tests.snowflake.emulator.server import emulator


def main() -> None:
    corrections.apply()
    for name in ("fakesnow.server", "sqlglot"):
        logging.getLogger(name).setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", message="Arrow output on a DB-API result")
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(64)
    threading.Thread(target=_end_with_the_starter, daemon=True).start()
    print(f"port {listener.getsockname()[1]}", flush=True)
    uvicorn.Server(uvicorn.Config(emulator, log_level="error")).run(sockets=[listener])


def _end_with_the_starter() -> None:
    sys.stdin.read()
    shutil.rmtree(LOCAL_BUCKET_PATH, ignore_errors=True)
    os._exit(0)


if __name__ == "__main__":
    main()
