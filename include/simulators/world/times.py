"""Instants are integers here: milliseconds since 1970 in UTC. This module turns them into text and back."""

from datetime import UTC, date, datetime, timedelta, timezone

SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

# Brazil gave up daylight saving in 2019 and every world starts later, so the company's local time is a fixed offset.
LOCAL_OFFSET = -3 * HOUR
LOCAL = timezone(timedelta(milliseconds=LOCAL_OFFSET))


def instant(text: str) -> int:
    """Read an ISO-8601 instant that carries an offset or a Z."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no offset: write it like 2026-01-05T06:20:00Z")
    return round(moment.timestamp() * 1000)


def iso(at: int) -> str:
    """Write an instant the way Pylon does: whole seconds without a fraction, others with one."""
    seconds, milliseconds = divmod(at, 1000)
    text = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{milliseconds:03d}Z" if milliseconds else f"{text}Z"


def iso_ms(at: int) -> str:
    """Write an instant the way Plain does: always with milliseconds."""
    seconds, milliseconds = divmod(at, 1000)
    text = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{milliseconds:03d}Z"


def local_date(at: int) -> date:
    return datetime.fromtimestamp(at // 1000, LOCAL).date()


def local_midnight(day: date) -> int:
    """The instant at which a day begins at the company."""
    return int(datetime(day.year, day.month, day.day, tzinfo=LOCAL).timestamp()) * 1000
