"""The inventory: every stream this project can load, declared once.

A reader learns all about a stream from its one entry here. A client's YAML only says which of them its sources load;
the dbt sources file and the documentation are generated from these entries.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class InputKind(StrEnum):
    """What one row means, and so what may be done with it later."""

    RECORD_SET = "record_set"  # a state of a mutable record: count the current ones
    EVENT_STREAM = "event_stream"  # something that happened once: count the rows


class LoadStrategy(StrEnum):
    """How Bronze takes a batch in. These are defined terms and not interchangeable."""

    BATCH_REPLACE = "batch_replace"
    INCREMENTAL = "incremental"
    FULL_REFRESH = "full_refresh"
    HISTORICAL = "historical"
    TRUNCATE_INSERT = "truncate_insert"


class Coverage(StrEnum):
    """What a completed batch proves about records it does not hold."""

    WINDOW = "window"  # nothing: an absent record was merely not changed in the window
    SNAPSHOT = "snapshot"  # the record is gone: the batch holds the whole directory
    PARENT = "parent"  # the record is gone if its parent was asked


@dataclass(frozen=True)
class Stream:
    """One object of one system, as the vendor delivers it and as Bronze keeps it."""

    system: str
    object: str
    description: str
    fields: tuple[str, ...]
    strategy: LoadStrategy
    coverage: Coverage
    bucket: str
    record_key: str = "id"
    input_kind: InputKind = InputKind.RECORD_SET
    version_stamp: str | None = None
    window_field: str | None = None
    parent: str | None = None
    volatile: frozenset[str] = frozenset()
    legacy: bool = False

    @property
    def columns(self) -> tuple[str, ...]:
        """The Bronze column of each declared field, in the order of the declaration."""
        return tuple(field.upper() for field in self.fields)


PYLON_ISSUES = Stream(
    system="pylon",
    object="issues",
    description="Support tickets, a row per delivered version.",
    strategy=LoadStrategy.INCREMENTAL,
    coverage=Coverage.WINDOW,
    bucket="POST /issues/search",
    window_field="updated_at",
    version_stamp="updated_at",
    # These move with the clock or with each read, not with the ticket: a changed signature of a link is no new version.
    volatile=frozenset(
        {
            "attachment_urls",
            "time_in_status_seconds",
            "business_hours_time_in_status_seconds",
            "active_time_seconds",
            "business_hours_active_time_seconds",
            "active_time_by_user",
        }
    ),
    fields=(
        "id",
        "number",
        "title",
        "link",
        "body_html",
        "state",
        "source",
        "type",
        "created_at",
        "updated_at",
        "number_of_touches",
        "customer_portal_visible",
        "author_unverified",
        "is_issue_group",
        "account",
        "assignee",
        "requester",
        "team",
        "tags",
        "custom_fields",
        "first_response_time",
        "resolution_time",
        "first_resolution_time",
        "latest_message_time",
        "first_response_seconds",
        "business_hours_first_response_seconds",
        "resolution_seconds",
        "business_hours_resolution_seconds",
        "first_response_breach_time",
        "resolution_breach_time",
        "time_in_status_seconds",
        "business_hours_time_in_status_seconds",
        "snoozed_until_time",
        "external_issues",
        "external_incidents",
        "csat_responses",
        "attachment_urls",
        "slack",
        "chat_widget_info",
        "workspace_email",
        "team_slas",
        "active_time_seconds",
        "business_hours_active_time_seconds",
        "active_time_by_user",
        "parent_issue_group",
        "child_issues",
    ),
)

PYLON_ACCOUNTS = Stream(
    system="pylon",
    object="accounts",
    description="Customer accounts, the whole directory in each batch.",
    strategy=LoadStrategy.BATCH_REPLACE,
    coverage=Coverage.SNAPSHOT,
    bucket="GET /accounts",
    version_stamp="updated_at",
    volatile=frozenset({"logo_url"}),
    fields=(
        "id",
        "name",
        "type",
        "created_at",
        "updated_at",
        "is_disabled",
        "logo_url",
        "latest_customer_activity_time",
        "domain",
        "primary_domain",
        "domains",
        "owner",
        "channels",
        "tags",
        "custom_fields",
        "external_ids",
        "crm_settings",
        "parent_account_id",
        "subaccount_ids",
        "associated_account_ids",
    ),
)

STREAMS: tuple[Stream, ...] = (PYLON_ISSUES, PYLON_ACCOUNTS)
SYSTEMS: tuple[str, ...] = tuple(sorted({stream.system for stream in STREAMS}))


def streams_of(system: str) -> dict[str, Stream]:
    """Every stream of one system by its object name, in the order of the inventory."""
    return {stream.object: stream for stream in STREAMS if stream.system == system}
