"""The tags a DAG may carry. The UI filters by them, so a new one is a decision, not a spelling."""

from __future__ import annotations

from enum import StrEnum


class Tag(StrEnum):
    """Every DAG says how much it matters, what it does, and whose data it is."""

    # how much it matters
    IMPACT_HIGH = "impact:high"
    IMPACT_MEDIUM = "impact:medium"
    IMPACT_LOW = "impact:low"
    # what it does
    NIGHTLY = "nightly"
    ON_DEMAND = "on-demand"
    REFERENCE = "reference"
    WEEKLY = "weekly"
    HOUSEKEEPING = "housekeeping"
    # whose data it is
    CLIENT_DEF = "client:def"
    CLIENT_CORE = "client:core"
