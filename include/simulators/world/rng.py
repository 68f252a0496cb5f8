"""Named random streams.

Every ticket, day and account draws from a stream of its own, named after it. So any ticket can be generated alone,
in any order, and adding a draw in one place changes nothing elsewhere.
"""

from hashlib import blake2b
from random import Random


def digest(seed: int, *name: str | int) -> bytes:
    text = ":".join(map(str, (seed, *name)))
    return blake2b(text.encode(), digest_size=16).digest()


def stream(seed: int, *name: str | int) -> Random:
    return Random(int.from_bytes(digest(seed, *name)[:8]))
