"""The inventory: every stream this project can load, declared once.

A reader learns all about a stream from its one entry here. A client's YAML only says which of them its sources load;
the dbt sources file and the documentation are generated from these entries.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from include.bronze.batch import METADATA_COLUMNS, PARENT_KEY

_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_NOT_NAME = re.compile(r"[^A-Z0-9_]")


def column_name(field: str) -> str:
    """A field's Bronze column: upper case, and an underscore before each hump and for what no identifier may hold."""
    name = _NOT_NAME.sub("_", _HUMP.sub("_", field).upper())
    return f"_{name}" if name[:1].isdigit() or not name else name


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


class Cadence(StrEnum):
    """How often a stream is read."""

    NIGHTLY = "nightly"
    WEEKLY = "weekly"  # by the DAG that looks for deletions


@dataclass(frozen=True)
class Stream:
    """One object of one system, as the vendor delivers it and as Bronze keeps it.

    `request` is what is asked: an endpoint of a REST API (`{parent}` stands for the parent's key), a field of a GraphQL
    query type, or the name a dropped file begins with. It is also the bucket that calls are paced by.
    `record_key` is the field that identifies a record, or several, separated by spaces.
    `parameters` are the fixed arguments; with several sets each is a scan of its own, and the batch is all of them.
    `window_fields` are asked for together: a record is delivered if any of them lies in the window.
    `stamp_path` leads to the version stamp where the vendor wraps it in an object.
    `buries` names the stream of the same source whose records this one reports as gone, `lists` the one whose ids it
    lists and no more.
    """

    system: str
    object: str
    description: str
    request: str
    fields: tuple[str, ...]
    strategy: LoadStrategy
    coverage: Coverage
    record_key: str = "id"
    input_kind: InputKind = InputKind.RECORD_SET
    version_stamp: str | None = None
    stamp_path: str | None = None
    window_fields: tuple[str, ...] = ()
    parent: str | None = None
    parameters: tuple[MappingProxyType[str, Any], ...] = (MappingProxyType({}),)
    is_paged: bool = True
    only_declared: bool = False
    cadence: Cadence = Cadence.NIGHTLY
    permissions: tuple[str, ...] = ()
    buries: str | None = None
    lists: str | None = None
    volatile: frozenset[str] = frozenset()
    legacy: bool = False

    def __post_init__(self) -> None:
        if (self.coverage is Coverage.PARENT) != (self.parent is not None):
            raise ValueError(f"stream {self.system} {self.object}: a stream covers parents if and only if it names one")
        if not set(self.key_fields) <= set(self.fields):
            raise ValueError(f"stream {self.system} {self.object}: its key '{self.record_key}' is none of its fields")

    @property
    def is_read_as_now(self) -> bool:
        """Whether a batch holds what is there now, whatever its window: a directory, or the children of one."""
        if self.parent is None:
            return self.coverage is Coverage.SNAPSHOT
        return streams_of(self.system)[self.parent].is_read_as_now

    @property
    def key_fields(self) -> tuple[str, ...]:
        """The fields that together are a record's key."""
        return tuple(self.record_key.split())

    @property
    def columns(self) -> tuple[str, ...]:
        """The Bronze column of each declared field, in the order of the declaration."""
        return tuple(column_name(field) for field in self.fields)

    @property
    def metadata(self) -> tuple[str, ...]:
        """The columns that the loader adds to the declared ones."""
        return (*METADATA_COLUMNS, PARENT_KEY) if self.coverage is Coverage.PARENT else METADATA_COLUMNS


def _with(**parameters: Any) -> MappingProxyType[str, Any]:
    return MappingProxyType(parameters)


def _directory(system: str, object_: str, description: str, request: str, fields: str, **more: Any) -> Stream:
    """A stream that can only be read whole, as it is now."""
    return Stream(
        system=system,
        object=object_,
        description=description,
        request=request,
        fields=tuple(fields.split()),
        strategy=LoadStrategy.BATCH_REPLACE,
        coverage=Coverage.SNAPSHOT,
        **more,
    )


def _changes(system: str, object_: str, description: str, request: str, fields: str, **more: Any) -> Stream:
    """A stream that can be asked for what changed in a window."""
    return Stream(
        system=system,
        object=object_,
        description=description,
        request=request,
        fields=tuple(fields.split()),
        strategy=LoadStrategy.INCREMENTAL,
        coverage=Coverage.WINDOW,
        **more,
    )


def _children(system: str, object_: str, description: str, request: str, fields: str, **more: Any) -> Stream:
    """A stream that is asked parent by parent, for the parents that changed in a window."""
    return Stream(
        system=system,
        object=object_,
        description=description,
        request=request,
        fields=tuple(fields.split()),
        strategy=LoadStrategy.INCREMENTAL,
        coverage=Coverage.PARENT,
        **more,
    )


PYLON = (
    _directory(
        "pylon",
        "accounts",
        "Customer accounts.",
        "GET /accounts",
        "id name type created_at updated_at is_disabled logo_url latest_customer_activity_time domain primary_domain "
        "domains owner channels tags custom_fields external_ids crm_settings parent_account_id subaccount_ids "
        "associated_account_ids",
        version_stamp="updated_at",
        volatile=frozenset({"logo_url"}),
    ),
    _directory(
        "pylon",
        "contacts",
        "People who write in. The record carries no time of its own.",
        "GET /contacts",
        "id name email emails phone_numbers primary_phone_number avatar_url portal_role portal_role_id account "
        "external_ids integration_user_ids custom_fields",
        volatile=frozenset({"avatar_url"}),
    ),
    _directory(
        "pylon",
        "users",
        "Members of the support team, deactivated ones included: old tickets point to them.",
        "GET /users",
        "id name email emails avatar_url status is_deactivated role role_id roles role_ids",
        parameters=(_with(include_deactivated="true"),),
        is_paged=False,
        volatile=frozenset({"avatar_url", "status"}),
    ),
    _directory(
        "pylon",
        "teams",
        "Teams and who is in them.",
        "GET /teams",
        "id name users assignment_configuration schedule",
        is_paged=False,
    ),
    _directory(
        "pylon",
        "tags",
        "Tags; tickets carry their names, not their ids.",
        "GET /tags",
        "id value object_type hex_color",
        is_paged=False,
    ),
    _directory(
        "pylon",
        "issue_statuses",
        "Every status a ticket can have. Open or closed is judged by the category, never by the slug.",
        "GET /issue-statuses",
        "slug label category is_default_status is_archived",
        record_key="slug",
        is_paged=False,
    ),
    _directory(
        "pylon",
        "custom_fields",
        "Definitions of custom fields; a select's value is an option's slug, and its label is here.",
        "GET /custom-fields",
        "id slug label description type object_type source is_read_only created_at updated_at default_value "
        "default_values select_metadata number_metadata",
        parameters=(_with(object_type="account"), _with(object_type="issue"), _with(object_type="contact")),
        is_paged=False,
        version_stamp="updated_at",
    ),
    _directory(
        "pylon",
        "surveys",
        "Surveys that are sent.",
        "GET /surveys",
        "id name type updated_at",
        is_paged=False,
        version_stamp="updated_at",
    ),
    _children(
        "pylon",
        "survey_responses",
        "Answers to surveys: the dated source of CSAT.",
        "GET /surveys/{parent}/responses",
        "id survey_id survey_instance_id survey_type issue_id account_id contact_id submitted_at excluded_at answers",
        parent="surveys",
    ),
    _changes(
        "pylon",
        "issues",
        "Support tickets, a row per delivered version.",
        "POST /issues/search",
        "id number title link body_html state source type created_at updated_at number_of_touches "
        "customer_portal_visible author_unverified is_issue_group account assignee requester team tags custom_fields "
        "first_response_time resolution_time first_resolution_time latest_message_time first_response_seconds "
        "business_hours_first_response_seconds resolution_seconds business_hours_resolution_seconds "
        "first_response_breach_time resolution_breach_time time_in_status_seconds "
        "business_hours_time_in_status_seconds snoozed_until_time external_issues external_incidents csat_responses "
        "attachment_urls slack chat_widget_info workspace_email team_slas active_time_seconds "
        "business_hours_active_time_seconds active_time_by_user parent_issue_group child_issues",
        window_fields=("updated_at",),
        version_stamp="updated_at",
        # These move with the clock or with each read, not with the ticket: a link signed anew is no new version.
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
    ),
    _children(
        "pylon",
        "messages",
        "Messages and private notes of each changed ticket, the whole set each time: edits leave no other trace.",
        "GET /issues/{parent}/messages",
        "id message_html timestamp source is_private author_unverified author thread_id file_urls email_info",
        parent="issues",
        is_paged=False,
        # Links are signed anew with each read, and an opened mail is no change of the message.
        volatile=frozenset({"file_urls", "email_info"}),
    ),
    _directory(
        "pylon",
        "issue_ids",
        "The id of every ticket there is: how a hard delete is suspected, and then confirmed one by one.",
        "POST /issues/search",
        "id number created_at updated_at",
        version_stamp="updated_at",
        only_declared=True,
        cadence=Cadence.WEEKLY,
        lists="issues",
    ),
)

_PLAIN_TIMES = "createdAt updatedAt"

PLAIN = (
    _directory(
        "plain",
        "customers",
        "People who write in, marked as spam or not.",
        "customers",
        "id fullName shortName externalId email company isAnonymous markedAsSpamAt assignedToUser " + _PLAIN_TIMES,
        parameters=(_with(filters={"isMarkedAsSpam": False}), _with(filters={"isMarkedAsSpam": True})),
        version_stamp="updatedAt",
        stamp_path="iso8601",
        permissions=("customer:read", "company:read", "user:read"),
    ),
    _directory(
        "plain",
        "companies",
        "Companies, deleted ones included.",
        "companies",
        "id name domainName contractValue accountOwner tier isDeleted deletedAt " + _PLAIN_TIMES,
        version_stamp="updatedAt",
        stamp_path="iso8601",
        permissions=("company:read", "tier:read", "user:read"),
    ),
    _directory(
        "plain",
        "tenants",
        "Tenants that exist; a deleted one is known by its absence.",
        "tenants",
        "id externalId name source primaryDomain alternateDomains url tier " + _PLAIN_TIMES,
        parameters=(_with(filters={"isDeleted": False}),),
        version_stamp="updatedAt",
        stamp_path="iso8601",
        permissions=("tenant:read", "tier:read"),
    ),
    _directory(
        "plain",
        "tiers",
        "Service tiers with their SLAs.",
        "tiers",
        "id name externalId color isDefault isMachineTier defaultThreadPriority serviceLevelAgreements " + _PLAIN_TIMES,
        version_stamp="updatedAt",
        stamp_path="iso8601",
        permissions=("tier:read",),
    ),
    _directory(
        "plain",
        "users",
        "Members of the support team, deleted ones included.",
        "users",
        "id fullName publicName email status isDeleted deletedAt " + _PLAIN_TIMES,
        version_stamp="updatedAt",
        stamp_path="iso8601",
        permissions=("user:read",),
        volatile=frozenset({"status"}),
    ),
    _directory(
        "plain",
        "machine_users",
        "Integrations and AI agents that act in threads.",
        "machineUsers",
        "id fullName publicName description type isDeleted deletedAt " + _PLAIN_TIMES,
        version_stamp="updatedAt",
        stamp_path="iso8601",
        permissions=("machineUser:read",),
    ),
    _directory(
        "plain",
        "label_types",
        "Labels a thread can carry, archived ones included.",
        "labelTypes",
        "id name description externalId color icon position parentLabelType isArchived archivedAt " + _PLAIN_TIMES,
        version_stamp="updatedAt",
        stamp_path="iso8601",
        permissions=("labelType:read",),
    ),
    _directory(
        "plain",
        "thread_field_schemas",
        "Definitions of a thread's custom fields.",
        "threadFieldSchemas",
        "id key label description type enumValues order isRequired defaultStringValue defaultBooleanValue "
        + _PLAIN_TIMES,
        version_stamp="updatedAt",
        stamp_path="iso8601",
        permissions=("threadFieldSchema:read",),
    ),
    _changes(
        "plain",
        "threads",
        "Support threads, a row per delivered version.",
        "threads",
        "id ref externalId title description previewText priority status statusDetail statusChangedAt statusChangedBy "
        "channel channelDetails customer tenant tier assignedTo assignedAt labels threadFields supportEmailAddresses "
        "firstInboundMessageInfo firstOutboundMessageInfo lastInboundMessageInfo lastOutboundMessageInfo "
        "serviceLevelAgreementStatusSummary surveyResponse links createdAt createdBy updatedAt updatedBy",
        # An answered survey or a changed SLA need not move updatedAt.
        window_fields=("updatedAt", "statusChangedAt", "surveyResponse.responseAt", "serviceLevelAgreements.updatedAt"),
        version_stamp="updatedAt",
        stamp_path="iso8601",
        permissions=(
            "thread:read",
            "customer:read",
            "company:read",
            "user:read",
            "machineUser:read",
            "label:read",
            "labelType:read",
            "threadField:read",
            "tenant:read",
            "tier:read",
        ),
    ),
    _children(
        "plain",
        "timeline_entries",
        "Everything that happened in each changed thread, the whole timeline each time: edits leave no other trace.",
        "thread.timelineEntries",
        "id threadId customerId timestamp actor entry",
        parent="threads",
        permissions=("thread:read", "timeline:read", "user:read", "machineUser:read", "customer:read"),
    ),
    _changes(
        "plain",
        "deleted_threads",
        "Threads that were deleted, as the vendor reports them.",
        "deletedThreads",
        "threadId deletedAt",
        record_key="threadId",
        input_kind=InputKind.EVENT_STREAM,
        window_fields=("deletedAt",),
        permissions=("thread:read",),
        buries="threads",
    ),
)

FILES = (
    Stream(
        system="files",
        object="roster",
        description="Everyone on the support roster, complete in every file.",
        request="roster",
        fields=(
            "employee_id",
            "full_name",
            "email",
            "team",
            "role",
            "manager_employee_id",
            "hire_date",
            "termination_date",
            "employment_status",
            "wave",
            "location",
        ),
        strategy=LoadStrategy.FULL_REFRESH,
        coverage=Coverage.SNAPSHOT,
        record_key="employee_id",
    ),
    Stream(
        system="files",
        object="salesforce_accounts",
        description="Accounts as Salesforce has them, complete in every file.",
        request="salesforce_accounts",
        fields=(
            "account_id",
            "account_name",
            "website",
            "domain",
            "segment",
            "arr",
            "owner_email",
            "billing_country",
            "created_date",
            "last_modified_date",
        ),
        strategy=LoadStrategy.FULL_REFRESH,
        coverage=Coverage.SNAPSHOT,
        record_key="account_id",
        version_stamp="last_modified_date",
    ),
    Stream(
        system="files",
        object="qa_reviews",
        description="Reviews of resolved tickets, a file a day.",
        request="qa_reviews",
        fields=(
            "review_id",
            "reviewed_at",
            "system",
            "ticket_id",
            "channel",
            "agent_email",
            "reviewer_email",
            "score",
            "max_score",
            "critical_error",
            "comment",
        ),
        strategy=LoadStrategy.INCREMENTAL,
        coverage=Coverage.WINDOW,
        record_key="review_id",
    ),
    Stream(
        system="files",
        object="wfm_agent_days",
        description="What each agent's day was made of, by the workforce tool, a file a day; a day may be corrected.",
        request="workforce_agent_days",
        fields=(
            "employee_id",
            "work_date",
            "scheduled_seconds",
            "active_seconds",
            "handle_seconds",
            "after_contact_work_seconds",
            "break_seconds",
        ),
        strategy=LoadStrategy.INCREMENTAL,
        coverage=Coverage.WINDOW,
        record_key="employee_id work_date",
    ),
)

STREAMS: tuple[Stream, ...] = (*PYLON, *PLAIN, *FILES)
SYSTEMS: tuple[str, ...] = tuple(sorted({stream.system for stream in STREAMS}))
# Systems whose every stream is a source of its own: a drop folder, named as its Bronze table is.
DROPPED = "files"


def streams_of(system: str) -> dict[str, Stream]:
    """Every stream of one system by its object name, in the order of the inventory."""
    return {stream.object: stream for stream in STREAMS if stream.system == system}
