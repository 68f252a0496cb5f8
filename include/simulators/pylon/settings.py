"""What can be chosen about the simulated Pylon."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Settings:
    """What can be chosen about the vendor; the defaults are what was recorded or documented last."""

    token: str = "sim-pylon-token"  # noqa: S105 - opens a simulator only
    profile: Literal["default", "old-pylon"] = "default"
    limits: bool = True
    wait_header: Literal["retry-after", "x-retry-after", "both", "none"] = "retry-after"
    empty: Literal["omitted", "list"] = "omitted"
    bounds: Literal["half-open", "closed", "open"] = "half-open"
    search_span_days: int | None = None
    index_lag_seconds: int = 0
    audit_logs: bool = True
    gone_status: Literal[400, 404, 410] = 404  # for what hangs on an issue that was there once
    drift: bool = False  # issues and messages have a field no documentation knows yet

    @property
    def old(self) -> bool:
        return self.profile == "old-pylon"
