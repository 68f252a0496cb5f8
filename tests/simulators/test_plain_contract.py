"""What a reader of the vendor's schema and documentation would expect of the GraphQL server."""

import base64
import json
from pathlib import Path

import pytest
from graphql import build_schema, parse, validate

from include.simulators.clock import Clock
from include.simulators.http import Request
from include.simulators.plain.api import SDL, PlainApi, Settings
from include.simulators.plain.permissions import ALL_PERMISSIONS
from include.simulators.world.lifecycle import Kind
from include.simulators.world.plan import Fate, System
from include.simulators.world.times import instant, iso_ms
from include.simulators.world.world import World

from .driver import ask, graphql

DOCUMENTS = sorted(Path(__file__).with_name("plain_documents").glob("*.graphql"))


def data(app, query, **variables):
    reply = graphql(app, query, variables)
    assert reply.status == 200, reply.raw
    return reply.json["data"]


def nodes(connection):
    return [edge["node"] for edge in connection["edges"]]


def every(app, name, selection, arguments="", **variables):
    """All nodes of a connection at the root, 100 at a time."""
    found, after = [], None
    query = f"query ($after: String{arguments and ', '}{arguments}) {{ {name}(first: 100, after: $after{{}}) {{ edges {{ node {{ {selection} }} }} pageInfo {{ hasNextPage endCursor }} }} }}"
    given = "".join(f", {key}: ${key}" for key in variables)
    while True:
        page = data(app, query.replace("{}", given), after=after, **variables)[name]
        found += nodes(page)
        if not page["pageInfo"]["hasNextPage"]:
            return found
        after = page["pageInfo"]["endCursor"]


# -- transport


def test_a_request_without_a_user_agent_is_refused_by_the_edge(plain):
    reply = ask(plain, "POST", "/graphql/v1", {"query": "{ __typename }"}, headers={"user-agent": ""})
    assert (reply.status, reply.raw) == (403, b"error code: 1010")


@pytest.mark.parametrize("token", [None, "plainApiKey_other"])
def test_a_request_without_a_good_key_is_refused_before_it_is_read(plain, token):
    reply = ask(plain, "POST", "/graphql/v1", b"not even JSON", token=token)
    assert (reply.status, reply.json) == (401, {"message": "Unauthorized"})


def test_the_schema_can_be_read_without_a_key(plain):
    reply = plain(Request.of("GET", "/graphql/v1/schema.graphql", {"user-agent": "x"}, b""))
    assert (reply.status, reply.body.decode()) == (200, SDL)


def test_every_reply_names_its_request(plain):
    one, other = (graphql(plain, "{ myWorkspace { id } }") for _ in range(2))
    assert one.headers["apigw-requestid"] != other.headers["apigw-requestid"]


# -- errors


@pytest.mark.parametrize(
    ("query", "variables", "code", "message"),
    [
        ("{", {}, "GRAPHQL_PARSE_FAILED", "Syntax Error: Expected Name, found <EOF>."),
        ("{ nothing }", {}, "GRAPHQL_VALIDATION_FAILED", 'Cannot query field "nothing" on type "Query".'),
        (
            '{ threads(filters: {updatedAt: {gte: "2026-01-01T00:00:00Z"}}) { totalCount } }',
            {},
            "GRAPHQL_VALIDATION_FAILED",
            'Field "gte" is not defined by type "DatetimeFilter".',
        ),
        (
            "query ($f: ThreadsFilter) { threads(filters: $f) { totalCount } }",
            {"f": {"updatedAt": {"gte": "2026-01-01T00:00:00Z"}}},
            "BAD_USER_INPUT",
            'Variable "$f" got invalid value at "f.updatedAt"; Field "gte" is not defined by type "DatetimeFilter".',
        ),
        ("{ threads(first: 101) { totalCount } }", {}, "BAD_USER_INPUT", 'Argument "first" must be between 1 and 100'),
        ("{ threads(last: 101) { totalCount } }", {}, "BAD_USER_INPUT", 'Argument "last" must be between 1 and 100'),
        ('{ threads(first: 5, before: "x") { totalCount } }', {}, "BAD_USER_INPUT", "Cannot mix forward"),
        ("{ threads(first: 5, last: 5) { totalCount } }", {}, "BAD_USER_INPUT", "Cannot mix forward"),
        ('{ threads(after: "x") { totalCount } }', {}, "BAD_USER_INPUT", "The cursor is invalid."),
        (
            '{ threads(filters: {createdAt: {after: "x"}}) { totalCount } }',
            {},
            "BAD_USER_INPUT",
            "createdAt.after must",
        ),
        ("{ threads { nodes { id } } }", {}, "GRAPHQL_VALIDATION_FAILED", 'Cannot query field "nodes"'),
        ("{ companies { totalCount } }", {}, "GRAPHQL_VALIDATION_FAILED", 'Cannot query field "totalCount"'),
        (
            "{ threads(sortBy: {field: UPDATED_AT, direction: ASC}) { totalCount } }",
            {},
            "GRAPHQL_VALIDATION_FAILED",
            'Value "UPDATED_AT" does not exist in "ThreadsSortField" enum.',
        ),
        (
            "{ threads { edges { node { timelineEntries { edges { node { entry {"
            " ... on ChatEntry { text } ... on NoteEntry { text } } } } } } } } }",
            {},
            "GRAPHQL_VALIDATION_FAILED",
            'Fields "text" conflict',
        ),
    ],
)
def test_a_query_that_is_wrong_fails_whole_with_the_vendors_code_and_words(plain, query, variables, code, message):
    reply = graphql(plain, query, variables)
    assert reply.status == 400
    assert "data" not in reply.json
    assert reply.json["errors"][0]["extensions"]["code"] == code
    assert reply.json["errors"][0]["message"].startswith(message)


def test_a_missing_permission_refuses_everything_and_names_each_field_that_needs_one(tiny, clock):
    app = PlainApi(tiny, clock, Settings(limits=False, permissions=("thread:read", "customer:read")))
    reply = graphql(
        app, "{ threads { edges { node { id labels { id } timelineEntries { edges { node { id } } } } } } }"
    )
    assert reply.status == 403
    assert [(e["message"], e["path"], e["extensions"]["code"]) for e in reply.json["errors"]] == [
        ('Insufficient permissions, missing "label:read".', ["threads", "edges", "node", "labels"], "FORBIDDEN"),
        (
            'Insufficient permissions, missing "timeline:read".',
            ["threads", "edges", "node", "timelineEntries"],
            "FORBIDDEN",
        ),
    ]
    assert reply.json["data"] == {"threads": None}
    assert graphql(app, "{ threads { edges { node { id } } } myPermissions { permissions } }").status == 200


def test_what_is_not_there_is_null_and_no_error(plain):
    assert data(plain, '{ thread(threadId: "th_x") { id } customer(customerId: "c_x") { id } }') == {
        "thread": None,
        "customer": None,
    }


def test_the_limit_is_per_minute_and_says_when_it_ends(tiny, clock):
    now = [1_767_594_030.0]
    app = PlainApi(tiny, clock, Settings(per_minute=2), now=lambda: now[0])
    replies = [graphql(app, "{ myWorkspace { id } }") for _ in range(3)]
    assert [reply.status for reply in replies] == [200, 200, 429]
    assert [reply.headers["x-ratelimit-remaining"] for reply in replies] == ["1", "0", "0"]
    refused = replies[-1]
    assert refused.json["errors"][0]["extensions"]["code"] == "RATE_LIMITED"
    assert refused.headers["x-ratelimit-limit"] == "2"
    assert refused.headers["x-ratelimit-reset"] == "2026-01-05T06:21:00.000Z"
    assert "retry-after" not in refused.headers
    now[0] += 30
    assert graphql(app, "{ myWorkspace { id } }").status == 200


# -- documents


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.stem)
def test_a_document_of_a_client_is_valid_and_executes(small_plain, path):
    query = path.read_text()
    assert validate(build_schema(SDL), parse(query)) == []
    thread = nodes(
        data(small_plain, "{ threads(first: 1) { edges { node { id ref customer { id email { email } } } } } }")[
            "threads"
        ]
    )[0]
    variables = {
        "threadId": thread["id"],
        "ref": thread["ref"],
        "customerId": thread["customer"]["id"],
        "email": thread["customer"]["email"]["email"],
        "first": 100,
    }
    reply = graphql(small_plain, query, {name: value for name, value in variables.items() if f"${name}:" in query})
    assert reply.status == 200, reply.raw[:500]
    found = [value is not None for value in reply.json["data"].values()]
    assert found == [path.stem != "not_found"] * len(found)


def test_every_query_of_the_schema_is_asked_by_some_document():
    asked = set()
    for path in DOCUMENTS:
        for operation in parse(path.read_text()).definitions:
            if operation.kind == "operation_definition":
                asked |= {field.name.value for field in operation.selection_set.selections}
    assert asked == set(build_schema(SDL).query_type.fields)


def test_of_several_operations_one_must_be_named(plain):
    both = "query A { myWorkspace { id } } query B { myWorkspace { name } }"
    refused = graphql(plain, both)
    assert (refused.status, refused.json["errors"][0]["extensions"]["code"]) == (400, "BAD_USER_INPUT")
    named = ask(plain, "POST", "/graphql/v1", {"query": both, "operationName": "B"}, token="plainApiKey_sim")
    assert list(named.json["data"]["myWorkspace"]) == ["name"]


# -- threads


def test_pages_are_25_unless_asked_otherwise_and_cursors_hold_the_key_and_the_id(small_plain):
    page = data(small_plain, "{ threads { totalCount edges { cursor node { id } } } }")["threads"]
    assert len(page["edges"]) == 25
    assert page["totalCount"] == len(small_plain.world.snapshot(System.PLAIN, small_plain.clock.now).tickets)
    cursor = json.loads(base64.b64decode(page["edges"][0]["cursor"]))
    assert cursor["threads.id"] == page["edges"][0]["node"]["id"]


def test_pages_are_as_long_as_asked_and_follow_each_other_either_way(small_plain):
    query = """query ($first: Int, $after: String, $last: Int, $before: String) {
      threads(first: $first, after: $after, last: $last, before: $before) {
        edges { node { id } } pageInfo { startCursor endCursor hasNextPage hasPreviousPage } } }"""

    def page(**paging):
        found = data(small_plain, query, **paging)["threads"]
        return [node["id"] for node in nodes(found)], found["pageInfo"]

    (one, first), (both, _) = page(first=7), page(first=14)
    other, second = page(first=7, after=first["endCursor"])
    assert one + other == both
    assert (first["hasPreviousPage"], second["hasPreviousPage"], second["hasNextPage"]) == (False, True, True)
    assert page(last=7, before=second["startCursor"])[0] == one
    assert page(last=3, before=second["startCursor"])[0] == one[4:]
    end, last = page(last=5)
    assert (len(end), last["hasNextPage"], last["hasPreviousPage"]) == (5, False, True)


FILTERS = [
    ({"statuses": ["DONE"]}, lambda t: t["status"] == "DONE"),
    ({"statuses": ["TODO", "SNOOZED"]}, lambda t: t["status"] != "DONE"),
    ({"priorities": [0, 1]}, lambda t: t["priority"] < 2),
    ({"isAssigned": False}, lambda t: t["assignedTo"] is None),
    ({"isMarkedAsSpam": True}, lambda t: t["customer"]["markedAsSpamAt"] is not None),
    ({"isMarkedAsSpam": False}, lambda t: t["customer"]["markedAsSpamAt"] is None),
    ({"messageSource": ["SLACK"]}, lambda t: t["channel"] == "SLACK"),
    ({"not": {"statuses": ["DONE"]}}, lambda t: t["status"] != "DONE"),
    ({"or": [{"priorities": [0]}, {"statuses": ["TODO"]}]}, lambda t: t["priority"] == 0 or t["status"] == "TODO"),
    ({"and": [{"priorities": [0]}, {"statuses": ["DONE"]}]}, lambda t: t["priority"] == 0 and t["status"] == "DONE"),
    ({"priorities": [0], "statuses": ["DONE"]}, lambda t: t["priority"] == 0 and t["status"] == "DONE"),
    ({"createdAt": {"after": "2025-02-01T00:00:00Z"}}, lambda t: t["createdAt"]["iso8601"] >= "2025-02-01"),
    ({"surveyResponse": {"hasResponse": True}}, lambda t: (t["surveyResponse"] or {}).get("rating") is not None),
    (
        {"surveyResponse": {"responseAt": {"after": "2025-02-01T00:00:00Z"}}},
        lambda t: ((t["surveyResponse"] or {}).get("respondedAt") or {"iso8601": "0"})["iso8601"] >= "2025-02-01",
    ),
    (
        {"surveyResponse": {"sentiment": "NEGATIVE"}},
        lambda t: (t["surveyResponse"] or {}).get("sentiment") == "NEGATIVE",
    ),
    (
        {"threadFields": [{"key": "handler", "stringValue": "sme"}]},
        lambda t: any(f["key"] == "handler" and f["stringValue"] == "sme" for f in t["threadFields"]),
    ),
    (
        {"threadFields": [{"key": "minutes_lost", "number": {"gte": 30}}]},
        lambda t: any(f["key"] == "minutes_lost" and f["numberValue"] >= 30 for f in t["threadFields"]),
    ),
    ({"tierIdentifiers": [{"externalId": "starter"}]}, lambda t: t["tier"]["externalId"] == "starter"),
    ({"supportEmailAddresses": ["support@northwind-fiscal.example"]}, lambda t: t["channel"] == "EMAIL"),
    (
        {"serviceLevelAgreements": {"statuses": ["BREACHED"]}},
        lambda t: t["serviceLevelAgreementStatusSummary"]["firstResponseTime"]["__typename"].endswith("Breached"),
    ),
]
SELECTION = """id status priority channel createdAt { iso8601 } assignedTo { __typename }
  customer { markedAsSpamAt { iso8601 } } surveyResponse { rating sentiment respondedAt { iso8601 } }
  threadFields { key stringValue numberValue } tier { externalId }
  serviceLevelAgreementStatusSummary { firstResponseTime { __typename } }"""


@pytest.fixture(scope="module")
def all_threads(small_plain):
    return every(small_plain, "threads", SELECTION)


@pytest.mark.parametrize(
    ("filters", "matches"), FILTERS, ids=lambda part: json.dumps(part)[:50] if isinstance(part, dict) else ""
)
def test_a_filter_finds_just_the_threads_it_describes(small_plain, all_threads, filters, matches):
    expected = [thread["id"] for thread in all_threads if matches(thread)]
    found = every(small_plain, "threads", "id", "$filters: ThreadsFilter", filters=filters)
    assert [thread["id"] for thread in found] == expected
    assert 0 < len(expected) < len(all_threads)


def test_after_is_inclusive_and_before_is_not(small_plain):
    created = data(small_plain, "{ threads(first: 1) { edges { node { createdAt { iso8601 } } } } }")["threads"]
    at = nodes(created)[0]["createdAt"]["iso8601"]
    query = "query ($f: ThreadsFilter) { threads(filters: $f) { totalCount } }"
    total = data(small_plain, query, f={})["threads"]["totalCount"]
    since = data(small_plain, query, f={"createdAt": {"after": at}})["threads"]["totalCount"]
    until = data(small_plain, query, f={"createdAt": {"before": at}})["threads"]["totalCount"]
    assert since > 0
    assert since + until == total


def test_a_deleted_thread_is_in_the_log_only_if_the_log_was_on_already(small, small_plain):
    logged = {node["threadId"] for node in every(small_plain, "deletedThreads", "threadId deletedAt { iso8601 }")}
    gone = [
        t
        for t in small.tickets
        if t.system is System.PLAIN and t.fate is Fate.DELETED and t.fate_at <= small.size.clock
    ]
    since = small.deletions_logged_from
    assert logged == {small.thread_id(t.index) for t in gone if t.fate_at >= since}
    assert any(t.fate_at < since for t in gone)
    for ticket in gone:
        asked = {"id": small.thread_id(ticket.index)}
        thread = data(small_plain, "query ($id: ID!) { thread(threadId: $id) { id } }", **asked)["thread"]
        assert thread == (asked if 0 < ticket.back_at <= small.size.clock else None)
    assert any(0 < ticket.back_at <= small.size.clock for ticket in gone), "a recovered thread stays in the log"


def test_threads_of_an_erased_customer_are_gone_without_a_trace(small, small_plain):
    erased = [t for t in small.tickets if t.fate is Fate.ERASED]
    assert erased
    shown = {thread["id"] for thread in every(small_plain, "threads", "id")}
    logged = {node["threadId"] for node in every(small_plain, "deletedThreads", "threadId")}
    customers = {customer["id"] for customer in every(small_plain, "customers", "id")}
    for ticket in erased:
        assert small.thread_id(ticket.index) not in shown | logged
        assert small_plain.facts.customer_id(ticket.contact) not in customers


def test_updated_at_does_not_move_for_an_answered_survey_but_can_be_asked_for_by_it(small, small_plain):
    ticket, answer = next(
        (t, e)
        for t in small.tickets
        if t.system is System.PLAIN and t.fate is Fate.NONE
        for e in small.events(t.index)
        if e.kind is Kind.ANSWERED and small.events(t.index)[-1] is e
    )
    thread = data(
        small_plain,
        "query ($id: ID!) { thread(threadId: $id) { updatedAt { iso8601 } } }",
        id=small.thread_id(ticket.index),
    )
    assert instant(thread["thread"]["updatedAt"]["iso8601"]) < answer.at
    window = {"surveyResponse": {"responseAt": {"after": iso_ms(answer.at), "before": iso_ms(answer.at + 1)}}}
    found = every(small_plain, "threads", "id", "$filters: ThreadsFilter", filters=window)
    assert [node["id"] for node in found] == [small.thread_id(ticket.index)]


# -- timelines


TIMELINE = """query ($id: ID!, $filters: ThreadTimelineEntriesFilter) { thread(threadId: $id) {
  timelineEntries(first: 100, filters: $filters) { edges { node { id timestamp { iso8601 } actor { __typename } entry {
    __typename
    ... on SlackMessageEntry { slackText: text deletedOnSlackAt { iso8601 } }
    ... on SlackReplyEntry { replyText: text deletedOnSlackAt { iso8601 } lastEditedOnSlackAt { iso8601 } }
    ... on NoteEntry { noteText: text isEdited }
    ... on MergedThreadMessageEntry { threadLinkId childThreadDetails { id } childTimelineEntry { id } }
    ... on ThreadLinkCreatedEntry { threadLink { __typename id linkType ... on PlainThreadThreadLink { plainThreadId } } }
  } } } } } }"""


def timeline(app, thread_id, **filters):
    found = data(app, TIMELINE, id=thread_id, filters=filters or None)
    return nodes(found["thread"]["timelineEntries"])


def plain_tickets(world, **wanted):
    return [
        t
        for t in world.tickets
        if t.system is System.PLAIN
        and t.born <= world.size.clock
        and all(getattr(t, k) == v for k, v in wanted.items())
    ]


def test_a_timeline_is_told_oldest_first(small, small_plain):
    for ticket in plain_tickets(small, fate=Fate.NONE)[:40]:
        stamps = [entry["timestamp"]["iso8601"] for entry in timeline(small_plain, small.thread_id(ticket.index))]
        assert stamps == sorted(stamps)


def test_entry_types_win_over_is_message(small, small_plain):
    ticket = max(plain_tickets(small, channel="email", fate=Fate.NONE), key=lambda t: len(small.events(t.index)))
    thread_id = small.thread_id(ticket.index)
    kinds = {
        entry["entry"]["__typename"] for entry in timeline(small_plain, thread_id, entryTypes=["NOTE"], isMessage=True)
    }
    assert kinds <= {"NoteEntry"}
    assert {e["entry"]["__typename"] for e in timeline(small_plain, thread_id, isMessage=True)} == {"EmailEntry"}
    events = {e["entry"]["__typename"] for e in timeline(small_plain, thread_id, isMessage=False)}
    assert "EmailEntry" not in events
    assert "ThreadStatusTransitionedEntry" in events


def test_a_message_deleted_in_slack_stays_as_an_entry_that_says_so_and_others_go(small, small_plain):
    slack = email = 0
    for ticket in plain_tickets(small, fate=Fate.NONE):
        events = [event for event in small.events(ticket.index) if event.at <= small.size.clock]
        removed = next((event for event in events if event.kind is Kind.REMOVED), None)
        if removed is None or (ticket.moved and ticket.moved < removed.at):
            continue
        message = next(e for e in events if e.kind is Kind.MESSAGE and e.number == removed.number)
        entries = [
            entry["entry"]
            for entry in timeline(small_plain, small.thread_id(ticket.index), isMessage=message.value != "private")
            if entry["timestamp"]["iso8601"] == iso_ms(message.stamp)
        ]
        if ticket.channel == "slack" and message.value != "private":
            assert [entry["deletedOnSlackAt"]["iso8601"] for entry in entries] == [iso_ms(removed.at)]
            slack += 1
        elif ticket.channel == "email":
            assert [entry for entry in entries if entry["__typename"] in ("EmailEntry", "NoteEntry")] == []
            email += 1
    assert slack
    assert email


def test_what_was_purged_does_not_come_back_when_it_is_then_deleted_in_slack(tmp_path):
    world = World(49, "tiny")
    api = PlainApi(world, Clock(tmp_path / "clock.json", None, world.size.clock), Settings(limits=False))
    back = []
    for ticket in plain_tickets(world, fate=Fate.PURGED, channel="slack"):
        events = [event for event in world.events(ticket.index) if event.at <= world.size.clock]
        said = {event.number: iso_ms(event.stamp) for event in events if event.kind is Kind.MESSAGE}
        before = {e.number for e in events if e.kind is Kind.MESSAGE and e.at <= ticket.fate_at}
        back += [
            said[e.number] for e in events if e.kind is Kind.REMOVED and e.at > ticket.fate_at and e.number in before
        ]
        shown = {
            entry["timestamp"]["iso8601"] for entry in timeline(api, world.thread_id(ticket.index), isMessage=True)
        }
        assert shown.isdisjoint(back)
    assert back


def test_a_merged_thread_is_done_and_its_messages_are_in_both_timelines(small, small_plain):
    lost = 0
    for ticket in plain_tickets(small, fate=Fate.MERGED):
        own_id, target_id = small.thread_id(ticket.index), small.thread_id(ticket.target)
        thread = data(small_plain, "query ($id: ID!) { thread(threadId: $id) { status } }", id=own_id)["thread"]
        assert thread["status"] == "DONE"
        own = timeline(small_plain, own_id)
        link = next(
            e["entry"]["threadLink"]
            for e in own
            if e["entry"]["__typename"] == "ThreadLinkCreatedEntry"
            and e["entry"]["threadLink"]["linkType"] == "MERGED_INTO"
        )
        assert link["plainThreadId"] == target_id
        merged = [
            entry["entry"]
            for entry in timeline(small_plain, target_id, entryTypes=["MERGED_THREAD_MESSAGE"])
            if entry["entry"]["childThreadDetails"]["id"] == own_id
        ]
        assert {entry["threadLinkId"] for entry in merged} == {link["id"]}
        children = [entry["childTimelineEntry"] for entry in merged]
        lost += children.count(None)
        assert {child["id"] for child in children if child} <= {entry["id"] for entry in own}
    assert lost


def test_status_transitions_lead_to_the_status_the_thread_has(small, small_plain):
    query = """query ($id: ID!) { thread(threadId: $id) { status statusChangedAt { iso8601 }
      timelineEntries(first: 100, filters: {entryTypes: [THREAD_STATUS_TRANSITIONED]}) {
        edges { node { timestamp { iso8601 } entry { ... on ThreadStatusTransitionedEntry { previousStatus nextStatus } } } } } } }"""
    for ticket in plain_tickets(small, fate=Fate.NONE)[:60]:
        thread = data(small_plain, query, id=small.thread_id(ticket.index))["thread"]
        steps = nodes(thread["timelineEntries"])
        status, at = "TODO", iso_ms(ticket.created)
        for step in steps:
            assert step["entry"]["previousStatus"] == status
            status, at = step["entry"]["nextStatus"], step["timestamp"]["iso8601"]
        assert (thread["status"], thread["statusChangedAt"]["iso8601"]) == (status, at)


def test_a_customers_timeline_is_that_of_all_their_threads(small, small_plain):
    customer = data(small_plain, "{ threads(first: 1) { edges { node { customer { id } } } } }")["threads"]
    customer_id = nodes(customer)[0]["customer"]["id"]
    filters = {"customerIds": [customer_id]}
    threads = every(small_plain, "threads", "id", "$filters: ThreadsFilter", filters=filters)
    entries = every(small_plain, "timelineEntries", "id threadId", "$customerId: ID!", customerId=customer_id)
    expected = [entry["id"] for thread in threads for entry in timeline(small_plain, thread["id"])]
    assert sorted(entry["id"] for entry in entries) == sorted(expected)


def test_an_entry_of_a_kind_no_client_knows_can_turn_up(tiny, clock):
    app = PlainApi(tiny, clock, Settings(limits=False, drift=True))
    query = "{ threads { edges { node { timelineEntries(first: 1) { edges { node { entry { __typename } } } } } } } }"
    assert "SimFutureEntry" in graphql(app, query).raw.decode()
    assert "SimFutureEntry" not in SDL


def test_spam_can_be_left_out_unless_asked_for(small, tmp_path):
    clock = Clock(tmp_path / "clock.json", None, small.size.clock)
    shown, hidden = (PlainApi(small, clock, Settings(limits=False, spam_hidden=flag)) for flag in (False, True))
    query = "query ($f: ThreadsFilter) { threads(filters: $f) { totalCount } }"

    def total(app, **filters):
        return data(app, query, f=filters)["threads"]["totalCount"]

    assert total(hidden) + total(hidden, isMarkedAsSpam=True) == total(shown)
    assert total(hidden) == total(shown, isMarkedAsSpam=False)


# -- directories


def test_deleted_users_archived_labels_and_deleted_companies_are_still_listed(small_plain):
    users = every(small_plain, "users", "isDeleted deletedAt { iso8601 }")
    labels = every(small_plain, "labelTypes", "isArchived archivedAt { iso8601 }")
    companies = every(small_plain, "companies", "isDeleted deletedAt { iso8601 }")
    for rows, flag, stamp in (
        (users, "isDeleted", "deletedAt"),
        (labels, "isArchived", "archivedAt"),
        (companies, "isDeleted", "deletedAt"),
    ):
        assert {row[flag] for row in rows} == {True, False}
        assert all((row[stamp] is not None) == row[flag] for row in rows)


@pytest.mark.parametrize("name", ["companies", "tenants"])
def test_deleted_companies_and_tenants_can_be_asked_for_apart(small_plain, name):
    kind = {"companies": "CompaniesFilter", "tenants": "TenantsFilter"}[name]
    parts = [every(small_plain, name, "id", f"$filters: {kind}", filters={"isDeleted": flag}) for flag in (True, False)]
    assert parts[0]
    assert sorted(row["id"] for part in parts for row in part) == sorted(
        row["id"] for row in every(small_plain, name, "id")
    )


def test_customers_of_public_mail_providers_have_no_company(small_plain):
    customers = every(small_plain, "customers", "email { email } company { domainName }")
    by_provider = [
        c["company"]
        for c in customers
        if c["email"]["email"].endswith(("gmail.com", "hotmail.com", "outlook.com", "yahoo.com.br"))
    ]
    assert by_provider
    assert set(map(str, by_provider)) == {"None"}


def test_identifiers_are_a_prefix_and_a_ulid_of_the_time_of_creation(small_plain):
    alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
    for thread in every(small_plain, "threads", "id createdAt { iso8601 }"):
        prefix, ulid = thread["id"].split("_")
        assert (prefix, len(ulid)) == ("th", 26)
        at = 0
        for letter in ulid[:10]:
            at = at * 32 + alphabet.index(letter)
        assert iso_ms(at) == thread["createdAt"]["iso8601"]


def test_a_key_knows_what_it_may(plain):
    assert data(plain, "{ myPermissions { permissions } }")["myPermissions"]["permissions"] == list(ALL_PERMISSIONS)
