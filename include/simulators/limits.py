"""Rate limits, in real time: a client is slowed down by its own speed, not by the simulated clock."""

import time
from collections.abc import Callable


class TokenBucket:
    """So many requests a minute, refilled all the time."""

    def __init__(self, per_minute: int, now: Callable[[], float] = time.monotonic) -> None:
        self.per_minute = per_minute
        self._now = now
        self._tokens = float(per_minute)
        self._at = now()

    def take(self) -> bool:
        at = self._now()
        self._tokens = min(float(self.per_minute), self._tokens + (at - self._at) * self.per_minute / 60)
        self._at = at
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True

    @property
    def remaining(self) -> int:
        return int(self._tokens)

    @property
    def wait(self) -> float:
        """Seconds until the next request is let through."""
        return max(0.0, (1 - self._tokens) * 60 / self.per_minute)
