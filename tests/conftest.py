"""What every test can count on."""

from __future__ import annotations

import signal

# A command that a shell started in the background ignores Ctrl-C, and so would every process that a test starts in order
# to interrupt it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
