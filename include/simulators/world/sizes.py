"""How big a world is and how long it lasts."""

from dataclasses import dataclass

from .times import instant

DEFAULT_CLOCK = instant("2026-01-05T06:20:00Z")  # a Monday, 03:20 in Sao Paulo: when the nightly run starts


@dataclass(frozen=True)
class Size:
    name: str
    start: int
    cut_over: int  # the day support moved from Plain to Pylon
    clock: int  # where the simulated time begins
    end: int  # history goes on this far, so that a clock moved night by night always finds news
    tickets_per_day: float
    fate_every: int  # every so many-th ticket is merged, spam, deleted or purged
    accounts: int
    agents: int


SIZES: dict[str, Size] = {
    size.name: size
    for size in (
        Size(
            name="tiny",
            start=instant("2025-12-01T00:00:00Z"),
            cut_over=instant("2025-12-15T11:00:00Z"),
            clock=DEFAULT_CLOCK,
            end=instant("2026-11-01T00:00:00Z"),
            tickets_per_day=1.6,
            fate_every=5,
            accounts=12,
            agents=7,
        ),
        Size(
            name="small",
            start=instant("2025-01-01T00:00:00Z"),
            cut_over=instant("2025-04-01T11:00:00Z"),
            clock=DEFAULT_CLOCK,
            end=instant("2026-11-01T00:00:00Z"),
            tickets_per_day=5.7,
            fate_every=11,
            accounts=112,
            agents=16,
        ),
        Size(
            name="large",
            start=instant("2025-01-01T00:00:00Z"),
            cut_over=instant("2025-02-03T11:00:00Z"),
            clock=DEFAULT_CLOCK,
            end=instant("2026-03-01T00:00:00Z"),
            tickets_per_day=350.0,
            fate_every=11,
            accounts=2_000,
            agents=120,
        ),
    )
}
