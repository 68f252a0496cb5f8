"""The identifiers both vendors would have given: random-looking, yet a pure function of seed, kind and position."""

from .rng import digest

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def uuid(seed: int, kind: str, *position: int) -> str:
    """A Pylon identifier: a version 4 UUID."""
    text = digest(seed, kind, *position).hex()
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:]}"


def ulid(seed: int, prefix: str, at: int, *position: int) -> str:
    """A Plain identifier: a prefix and a ULID, whose first ten characters are the instant of creation."""
    number = (at << 80) | int.from_bytes(digest(seed, prefix, *position)[:10])
    return f"{prefix}_{''.join([_CROCKFORD[(number >> shift) & 31] for shift in range(125, -1, -5)])}"
