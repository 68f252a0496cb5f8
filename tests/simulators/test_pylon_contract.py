"""What a reader of the vendor's documentation, and of recorded replies, would expect of the REST server."""

import json
from datetime import UTC, datetime

import pytest

from include.simulators.limits import TokenBucket
from include.simulators.pylon.api import PylonApi
from include.simulators.pylon.endpoints import ROUTES
from include.simulators.pylon.settings import Settings
from include.simulators.world.plan import Fate, System
from include.simulators.world.statuses import STATUSES
from include.simulators.world.times import instant, iso

from .driver import TOKEN, ask, search_all


def leaf(field, operator, *values):
    return {
        "field": field,
        "operator": operator,
        **({"value": values[0]} if len(values) == 1 else {"values": list(values)}),
    }


def search(app, condition, **more):
    return ask(app, "POST", "/issues/search", {"filter": condition, **more})


# -- credentials and routing


@pytest.mark.parametrize(
    ("token", "header", "code"),
    [
        (None, {}, "invalid_authorization_header"),
        (None, {"authorization": "Token abc"}, "invalid_authorization_header"),
        ("wrong", {}, "invalid_api_token"),
        (f"{TOKEN}-eu", {}, "wrong_region_token"),
        (f"{TOKEN}-suspended", {}, "organization_suspended"),
    ],
)
def test_credentials_that_do_not_fit_are_told_apart_by_their_code(pylon, token, header, code):
    reply = ask(pylon, "GET", "/me", token=token, headers=header)
    assert reply.status == 401
    assert reply.json["code"] == code
    assert set(reply.json) == {"errors", "request_id", "code"}
    assert reply.headers["x-pylon-request-id"] == reply.json["request_id"]


def test_an_unknown_path_and_a_wrong_method_are_refused(pylon):
    unknown, wrong = ask(pylon, "GET", "/nowhere"), ask(pylon, "PUT", "/issues")
    assert (unknown.status, unknown.json["code"]) == (404, "not_found")
    assert (wrong.status, wrong.json["code"], wrong.headers["allow"]) == (405, "method_not_allowed", "GET")


def test_error_bodies_had_no_code_in_the_old_days(tiny, clock):
    old = PylonApi(tiny, clock, Settings(profile="old-pylon"))
    assert set(ask(old, "GET", "/nowhere").json) == {"errors", "request_id"}


# -- envelopes


def test_the_last_page_has_no_pagination_and_an_empty_reply_no_data(pylon):
    first = search(pylon, None, limit=30).json
    assert first["pagination"]["has_next_page"] is True
    last = search(pylon, None, limit=30, cursor=first["pagination"]["cursor"]).json
    assert set(last) == {"data", "request_id"}
    nothing = search(pylon, leaf("created_at", "time_is_after", "2031-01-01T00:00:00Z")).json
    assert set(nothing) == {"request_id"}


def test_a_cursor_in_the_query_of_a_search_is_not_looked_at(pylon):
    cursor = search(pylon, None, limit=5).json["pagination"]["cursor"]
    again = ask(pylon, "POST", "/issues/search", {"limit": 5}, query={"cursor": cursor}).json["data"]
    assert [row["id"] for row in again] == [row["id"] for row in search(pylon, None, limit=5).json["data"]]


@pytest.mark.parametrize("cursor", ["rubbish", "e30=", "WyJHRVQgL2FjY291bnRzIiwgM10="])
def test_a_cursor_of_elsewhere_is_refused(pylon, cursor):
    assert search(pylon, None, cursor=cursor).status == 400


@pytest.mark.parametrize(("limit", "status"), [(1, 200), (1000, 200), (0, 400), (1001, 400), ("many", 400)])
def test_a_search_takes_between_1_and_1000(pylon, limit, status):
    assert search(pylon, None, limit=limit).status == status


def test_lists_take_fewer_than_1000(pylon):
    assert ask(pylon, "GET", "/accounts", query={"limit": 999}).status == 200
    assert ask(pylon, "GET", "/accounts", query={"limit": 1000}).status == 400


# -- listing and searching issues


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"start_time": "2025-12-01T00:00:00Z"},
        {"start_time": "2025-12-01T00:00:00", "end_time": "2026-01-01T00:00:00Z"},
        {"start_time": "2026-01-01T00:00:00Z", "end_time": "2025-12-01T00:00:00Z"},
        {"start_time": "2024-12-01T00:00:00Z", "end_time": "2026-01-01T00:00:00Z"},
        {"start_time": "2025-12-01T00:00:00Z", "end_time": "2026-01-01T00:00:00Z", "limit": 20001},
    ],
)
def test_listing_issues_refuses_missing_naive_inverted_and_too_long_ranges(pylon, query):
    assert ask(pylon, "GET", "/issues", query=query).status == 400


def test_the_span_of_a_listing_was_30_days_in_the_old_days(tiny, clock):
    old = PylonApi(tiny, clock, Settings(profile="old-pylon"))
    for end, status in (("2025-12-31T00:00:00Z", 200), ("2025-12-31T00:00:01Z", 400)):
        assert (
            ask(old, "GET", "/issues", query={"start_time": "2025-12-01T00:00:00Z", "end_time": end}).status == status
        )


def test_issues_come_newest_first_whatever_is_filtered_on(pylon):
    rows = search_all(pylon, leaf("updated_at", "time_is_after", "2025-12-20T00:00:00Z"), limit=7)
    created = [instant(row["created_at"]) for row in rows]
    assert created == sorted(created, reverse=True)


def test_an_unknown_key_of_the_body_means_no_filter_at_all(pylon):
    misspelt = {"filters": leaf("state", "equals", "closed"), "limit": 1000}
    everything = search_all(pylon)
    assert [row["id"] for row in ask(pylon, "POST", "/issues/search", misspelt).json["data"]] == [
        r["id"] for r in everything
    ]


@pytest.mark.parametrize(
    "condition",
    [
        leaf("id", "equals", "x"),
        leaf("state", "contains", "closed"),
        leaf("title", "equals", "x"),
        leaf("created_at", "equals", "2026-01-01T00:00:00Z"),
        leaf("created_at", "time_range", "2026-01-01T00:00:00Z"),
        leaf("created_at", "time_is_after", "2026-01-01T00:00:00"),
        leaf("created_at", "time_is_after", "yesterday"),
        leaf("created_at", "time_range", "2026-01-02T00:00:00Z", "2026-01-01T00:00:00Z"),
        leaf("no_such_field", "equals", "x"),
        {"field": "state", "operator": "equals", "value": 3},
        {"operator": "and", "subfilters": []},
        {
            "operator": "and",
            "subfilters": [
                {"operator": "or", "subfilters": [{"operator": "and", "subfilters": [leaf("state", "equals", "new")]}]}
            ],
        },
        "state = new",
    ],
)
def test_a_filter_that_breaks_the_grammar_is_refused(pylon, condition):
    reply = search(pylon, condition)
    assert (reply.status, reply.json["code"]) == (400, "invalid_request_body")


def test_a_body_that_is_no_json_is_refused(pylon):
    assert ask(pylon, "POST", "/issues/search", b"{").status == 400
    assert ask(pylon, "POST", "/issues/search", b"[]").status == 400


CONDITIONS = [
    (leaf("state", "equals", "closed"), lambda row: row["state"] == "closed"),
    (leaf("state", "in", "closed", "resolved"), lambda row: row["state"] in ("closed", "resolved")),
    (leaf("state", "not_in", "closed", "resolved"), lambda row: row["state"] not in ("closed", "resolved")),
    (leaf("assignee_id", "is_unset", "x"), lambda row: row["assignee"] is None),
    (leaf("assignee_id", "is_set", "x"), lambda row: row["assignee"] is not None),
    (leaf("tags", "contains", "bug"), lambda row: "bug" in (row["tags"] or [])),
    (leaf("tags", "does_not_contain", "bug"), lambda row: "bug" not in (row["tags"] or [])),
    (leaf("title", "string_contains", "FAILS"), lambda row: "fails" in row["title"].lower()),
    (leaf("priority", "equals", "high"), lambda row: row["custom_fields"].get("priority") == {"value": "high"}),
    (
        leaf("affected.modules", "includes_all_of", "ledger", "portal"),
        lambda row: {"ledger", "portal"} <= set(row["custom_fields"].get("affected.modules", {}).get("values", [])),
    ),
    (
        leaf("minutes_lost", "greater_than_or_equals", "30"),
        lambda row: int(row["custom_fields"].get("minutes_lost", {"value": "-1"})["value"]) >= 30,
    ),
    (leaf("issue_type", "equals", "ticket"), lambda row: row["type"] == "ticket"),
    (leaf("workspace_email", "is_set", "x"), lambda row: "workspace_email" in row),
    (
        leaf("resolved_at", "time_is_before", "2026-01-01T00:00:00Z"),
        lambda row: (row["resolution_time"] or "9") < "2026",
    ),
    (
        leaf("latest_message_activity_at", "time_is_after", "2026-01-01T00:00:00Z"),
        lambda row: (row["latest_message_time"] or "0") >= "2026",
    ),
    (leaf("customer_portal_visible", "equals", "true"), lambda row: row["customer_portal_visible"]),
    (
        {"operator": "or", "subfilters": [leaf("state", "equals", "new"), leaf("tags", "contains", "bug")]},
        lambda row: row["state"] == "new" or "bug" in (row["tags"] or []),
    ),
    (
        {"operator": "and", "subfilters": [leaf("state", "in", "closed"), leaf("tags", "does_not_contain", "bug")]},
        lambda row: row["state"] == "closed" and "bug" not in (row["tags"] or []),
    ),
]


@pytest.mark.parametrize(
    ("condition", "matches"), CONDITIONS, ids=lambda part: json.dumps(part)[:60] if isinstance(part, dict) else ""
)
def test_a_filter_finds_just_the_issues_it_describes(small_pylon, condition, matches):
    everything = search_all(small_pylon)
    expected = [row["id"] for row in everything if matches(row)]
    assert [row["id"] for row in search_all(small_pylon, condition)] == expected
    assert 0 < len(expected) < len(everything)


def test_reopened_can_be_filtered_on_and_is_not_on_the_record(small_pylon):
    rows = search_all(small_pylon, leaf("reopened", "equals", "true"))
    assert rows
    assert all("reopened" not in row for row in rows)


@pytest.mark.parametrize(("bounds", "lower", "upper"), [("half-open", 1, 0), ("closed", 1, 1), ("open", 0, 0)])
def test_the_ends_of_a_time_range_are_read_as_chosen(tiny, clock, bounds, lower, upper):
    app = PylonApi(tiny, clock, Settings(limits=False, bounds=bounds))
    at = search_all(app)[3]["updated_at"]
    far = "2031-01-01T00:00:00Z", "2020-01-01T00:00:00Z"

    def hits(condition):
        return sum(row["updated_at"] == at for row in search_all(app, condition))

    assert hits(leaf("updated_at", "time_range", at, far[0])) == lower
    assert hits(leaf("updated_at", "time_range", far[1], at)) == upper
    assert hits(leaf("updated_at", "time_is_after", at)) == lower
    assert hits(leaf("updated_at", "time_is_before", at)) == upper


def test_a_span_cap_can_be_set(tiny, clock):
    app = PylonApi(tiny, clock, Settings(limits=False, search_span_days=30))
    allowed = search(app, leaf("updated_at", "time_range", "2025-12-01T00:00:00Z", "2025-12-31T00:00:00Z"))
    too_long = search(app, leaf("updated_at", "time_range", "2025-12-01T00:00:00Z", "2025-12-31T00:00:01Z"))
    assert (allowed.status, too_long.status) == (200, 400)


def test_a_search_may_trail_the_records(tiny, clock):
    app = PylonApi(tiny, clock, Settings(limits=False, index_lag_seconds=600))
    youngest = max(tiny.snapshot(System.PYLON, clock.now + 86_400_000).tickets, key=lambda i: tiny.tickets[i].born)
    ticket = tiny.tickets[youngest]
    clock.set(ticket.born + 599_000)
    identifier = app.records.issue_id(youngest)
    assert ask(app, "GET", f"/issues/{identifier}").status == 200
    assert identifier not in {row["id"] for row in search_all(app)}
    clock.set(ticket.born + 600_000)
    assert identifier in {row["id"] for row in search_all(app)}


# -- one issue


def test_an_issue_is_found_by_its_number_too(pylon):
    row = search_all(pylon)[0]
    assert ask(pylon, "GET", f"/issues/{row['number']}").json["data"] == row


@pytest.mark.parametrize("fate", [Fate.MERGED, Fate.SPAM, Fate.DELETED])
def test_an_issue_that_is_gone_is_not_found_any_more(tiny, pylon, clock, fate):
    ticket = next(t for t in tiny.tickets if t.system is System.PYLON and t.fate is fate)
    path = f"/issues/{pylon.records.issue_id(ticket.index)}"
    clock.set(ticket.fate_at - 1)
    assert ask(pylon, "GET", path).status == 200
    clock.set(ticket.fate_at)
    for part in ("", "/messages", "/threads", "/followers", "/survey-responses"):
        assert ask(pylon, "GET", path + part).status == 404


@pytest.mark.parametrize("status", [400, 404, 410])
def test_the_messages_of_an_issue_that_is_gone_may_be_refused_otherwise(tiny, clock, status):
    app = PylonApi(tiny, clock, Settings(limits=False, gone_status=status))
    ticket = next(t for t in tiny.tickets if t.system is System.PYLON and t.fate is Fate.DELETED)
    path = f"/issues/{app.records.issue_id(ticket.index)}"
    clock.set(ticket.fate_at)
    assert ask(app, "GET", f"{path}/messages").status == status
    assert ask(app, "GET", path).status == 404
    assert ask(app, "GET", "/issues/never-there/messages").status == 404


def test_a_field_nobody_knows_yet_can_turn_up(tiny, clock):
    app = PylonApi(tiny, clock, Settings(limits=False, drift=True))
    issues = search_all(app)
    assert all("sim_future_field" in row for row in issues)
    messages = [
        row for issue in issues for row in ask(app, "GET", f"/issues/{issue['id']}/messages").json.get("data", [])
    ]
    assert messages
    assert all("sim_future_field" in row for row in messages)


def test_the_messages_of_a_merged_issue_move_to_the_one_it_went_into(tiny, pylon, clock):
    ticket = next(t for t in tiny.tickets if t.system is System.PYLON and t.fate is Fate.MERGED)
    clock.set(ticket.fate_at - 1)

    def messages(index):
        return {
            row["id"] for row in ask(pylon, "GET", f"/issues/{pylon.records.issue_id(index)}/messages").json["data"]
        }

    own, before = messages(ticket.index), messages(ticket.target)
    clock.set(ticket.fate_at)
    assert messages(ticket.target) == own | before


def test_a_purged_issue_has_no_messages_left(tiny, pylon, clock):
    ticket = next(t for t in tiny.tickets if t.system is System.PYLON and t.fate is Fate.PURGED)
    path = f"/issues/{pylon.records.issue_id(ticket.index)}/messages"
    clock.set(ticket.fate_at - 1)
    assert ask(pylon, "GET", path).json["data"]
    clock.set(ticket.fate_at)
    assert "data" not in ask(pylon, "GET", path).json


def test_links_to_attachments_differ_on_every_read_and_nothing_else_does(small_pylon):
    row = next(row for row in search_all(small_pylon) if "attachment_urls" in row)
    path = f"/issues/{row['id']}"
    one, other = (ask(small_pylon, "GET", path).json["data"] for _ in range(2))
    assert one.pop("attachment_urls") != other.pop("attachment_urls")
    assert one == other


OMITTED_WHEN_EMPTY = {
    *("snoozed_until_time", "external_issues", "external_incidents", "csat_responses", "attachment_urls", "slack"),
    *("chat_widget_info", "workspace_email", "team_slas", "first_response_seconds", "resolution_seconds"),
}
NULL_WHEN_EMPTY = {
    "account",
    "assignee",
    "requester",
    "team",
    "tags",
    "first_response_time",
    "resolution_time",
    "first_resolution_time",
}


def test_what_is_empty_is_null_or_left_out_as_recorded(small_pylon):
    rows = search_all(small_pylon)
    for name in OMITTED_WHEN_EMPTY:
        assert {name in row for row in rows} == {True, False}
        assert all(row[name] not in (None, [], {}) for row in rows if name in row)
    for name in NULL_WHEN_EMPTY:
        assert all(name in row for row in rows)
        assert {row[name] is None for row in rows} == {True, False}
        assert [] not in [row[name] for row in rows]


def test_references_to_people_carry_an_identifier_only(small_pylon):
    for row in search_all(small_pylon):
        for name in ("assignee", "requester", "team"):
            assert row[name] is None or set(row[name]) == {"id"}


def test_custom_fields_hold_strings_under_slugs_that_may_have_dots(small_pylon):
    several = single = 0
    for row in search_all(small_pylon):
        for slug, field in row["custom_fields"].items():
            if "values" in field:
                assert field["value"] == ""
                assert slug == "affected.modules"
                several += 1
            else:
                assert set(field) == {"value"}
                assert isinstance(field["value"], str)
                single += 1
    assert several
    assert single


def test_a_reopened_issue_has_no_resolution_time_and_keeps_its_first(small_pylon):
    rows = search_all(small_pylon, leaf("reopened", "equals", "true"))
    open_again = [row for row in rows if row["resolution_time"] is None and row["first_resolution_time"]]
    resolved_again = [row for row in rows if row["resolution_time"] and row["first_resolution_time"]]
    assert open_again
    assert all("resolution_seconds" not in row for row in open_again)
    assert any(row["resolution_time"] > row["first_resolution_time"] for row in resolved_again)


def test_an_open_issue_spends_time_in_its_status_and_a_closed_one_does_not(pylon, clock):
    before = {row["id"]: row for row in search_all(pylon)}
    clock.advance(60)
    seen = set()
    for row in search_all(pylon):
        earlier = before.get(row["id"])
        if earlier is None or earlier["updated_at"] != row["updated_at"] or "time_in_status_seconds" not in row:
            continue
        spent = row["time_in_status_seconds"].get(row["state"], 0) - earlier["time_in_status_seconds"].get(
            row["state"], 0
        )
        is_open = STATUSES[row["state"]].category != "closed"
        assert spent == (60 if is_open else 0)
        seen.add(is_open)
    assert seen == {True, False}


def test_messages_come_whole_and_oldest_first_unless_pages_are_asked_for(small_pylon):
    row = max(search_all(small_pylon), key=lambda row: row["number_of_touches"])
    path = f"/issues/{row['id']}/messages"
    whole = ask(small_pylon, "GET", path).json
    stamps = [instant(message["timestamp"]) for message in whole["data"]]
    assert stamps == sorted(stamps)
    assert "pagination" not in whole
    first = ask(small_pylon, "GET", path, query={"limit": 3}).json
    assert len(first["data"]) == 3
    assert first["data"] == whole["data"][:3] or "file_urls" in json.dumps(whole)


def test_authors_are_a_contact_a_user_or_nobody_and_notes_have_a_thread(small_pylon):
    kinds = set()
    for row in search_all(small_pylon)[:300]:
        for message in ask(small_pylon, "GET", f"/issues/{row['id']}/messages").json.get("data", []):
            author = message["author"]
            kinds.add(("contact" in author, "user" in author, message["is_private"]))
            assert message["is_private"] == ("thread_id" in message)
    assert kinds == {(True, False, False), (False, True, False), (False, True, True), (False, False, False)}


def test_numbers_have_gaps_and_no_two_issues_share_one(small_pylon):
    numbers = sorted(row["number"] for row in search_all(small_pylon))
    assert len(set(numbers)) == len(numbers)
    assert numbers != list(range(numbers[0], numbers[0] + len(numbers)))


def test_times_come_with_and_without_a_fraction(small_pylon):
    stamps = [row["created_at"] for row in search_all(small_pylon)]
    assert {"." in stamp for stamp in stamps} == {True, False}
    assert all(datetime.fromisoformat(stamp).tzinfo == UTC for stamp in stamps)


def test_custom_fields_need_to_be_told_whose(pylon):
    assert ask(pylon, "GET", "/custom-fields").status == 400
    assert ask(pylon, "GET", "/custom-fields", query={"object_type": "issue"}).json["data"]


def test_an_account_that_never_wrote_has_an_empty_string_for_a_time(small_pylon):
    rows = ask(small_pylon, "GET", "/accounts", query={"limit": 999}).json["data"]
    assert "" in {row["latest_customer_activity_time"] for row in rows}


def test_a_merged_account_is_gone_and_its_issues_belong_to_the_other(tiny, pylon, clock):
    account = next(a for a in tiny.directory.accounts if a.merged_at is not None)
    clock.set(account.merged_at - 1)
    loser, winner = (pylon.records.account_id(index) for index in (account.index, account.merged_into))
    mine = {row["id"] for row in search_all(pylon, leaf("account_id", "equals", loser))}
    clock.set(account.merged_at)
    assert ask(pylon, "GET", f"/accounts/{loser}").status == 404
    assert search_all(pylon, leaf("account_id", "equals", loser)) == []
    moved = search_all(pylon, leaf("account_id", "equals", winner))
    assert mine <= {row["id"] for row in moved}


def test_audit_logs_can_be_out_of_the_plan(tiny, clock):
    app = PylonApi(tiny, clock, Settings(limits=False, audit_logs=False))
    assert (ask(app, "GET", "/audit-logs").status, ask(app, "GET", "/audit-logs").json["code"]) == (
        403,
        "permission_denied",
    )


# -- rate limits


def test_a_bucket_refills_all_the_time():
    now = [0.0]
    bucket = TokenBucket(120, lambda: now[0])
    assert [bucket.take() for _ in range(121)] == [True] * 120 + [False]
    assert bucket.wait == pytest.approx(0.5)
    now[0] += 0.5
    assert bucket.take()
    assert not bucket.take()


@pytest.mark.parametrize(
    ("chosen", "present"),
    [
        ("retry-after", {"retry-after"}),
        ("x-retry-after", {"x-retry-after"}),
        ("both", {"retry-after", "x-retry-after"}),
        ("none", set()),
    ],
)
def test_each_endpoint_has_a_bucket_of_its_own_and_says_how_long_to_wait(tiny, clock, chosen, present):
    app = PylonApi(tiny, clock, Settings(wait_header=chosen))
    replies = [ask(app, "GET", "/issue-statuses") for _ in range(31)]
    assert [reply.status for reply in replies] == [200] * 30 + [429]
    assert replies[0].headers["x-rate-limit-remaining"] == "29"
    refused = replies[-1]
    assert refused.json["code"] == "rate_limited"
    assert set(refused.headers) & {"retry-after", "x-retry-after"} == present
    assert ask(app, "GET", "/teams").status == 200


def test_the_tiers_are_those_of_the_era():
    tiers = {route.name: (route.tier, route.old_tier) for route in ROUTES}
    assert tiers["GET /issues"] == (30, 10)
    assert tiers["POST /issues/search"] == (120, 20)
    assert tiers["GET /issues/{id}"] == (300, 60)
    assert tiers["GET /issues/{id}/messages"] == (120, 20)


def test_the_clock_is_written_as_pylon_writes_times():
    assert (iso(0), iso(1)) == ("1970-01-01T00:00:00Z", "1970-01-01T00:00:00.001Z")
