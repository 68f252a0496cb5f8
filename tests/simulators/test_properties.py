"""What must hold whatever is asked, whenever, in whichever world."""

import os
from functools import lru_cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from include.simulators.plain.api import PlainApi
from include.simulators.plain.api import Settings as PlainSettings
from include.simulators.pylon.api import PylonApi
from include.simulators.pylon.settings import Settings
from include.simulators.world.plan import System
from include.simulators.world.times import DAY, iso
from include.simulators.world.world import World

from .driver import ask, graphql, search_all

EXAMPLES = int(os.environ.get("SUPPORT_EXAMPLES", "25"))  # a campaign asks for thousands
SEEDS = st.integers(0, max(5, EXAMPLES // 5))
PROFILE = settings(max_examples=EXAMPLES, deadline=None)
GRAPHQL = settings(max_examples=max(1, EXAMPLES * 2 // 5), deadline=None)


class Still:
    """A clock that stands still and leaves no file."""

    def __init__(self, now: int) -> None:
        self.now = now


@lru_cache(maxsize=8)
def world(seed: int) -> World:
    return World(seed, "tiny")


def pylon_at(seed: int, now: int, **chosen: Any) -> PylonApi:
    return PylonApi(world(seed), Still(now), Settings(limits=False, **chosen))


def plain_at(seed: int, now: int) -> PlainApi:
    return PlainApi(world(seed), Still(now), PlainSettings(limits=False))


def moments(seed: int) -> st.SearchStrategy[int]:
    size = world(seed).size
    return st.integers(size.start, size.clock + 60 * DAY)


def event_moments(seed: int) -> list[int]:
    """Instants at which something happens: boundaries are where windows go wrong."""
    found = world(seed)
    return sorted({event.at for ticket in found.tickets[:80] for event in found.events(ticket.index)})


@PROFILE
@given(st.data())
def test_windows_partition_the_issues_whatever_their_bounds(data):
    seed = data.draw(SEEDS)
    now = data.draw(moments(seed))
    field = data.draw(st.sampled_from(["created_at", "updated_at"]))
    cuts = st.sampled_from(event_moments(seed)) | moments(seed)
    bounds = sorted({0, now + DAY, *data.draw(st.lists(cuts, max_size=6))})
    app = pylon_at(seed, now)
    found = []
    for start, end in zip(bounds, bounds[1:], strict=False):
        window = {"field": field, "operator": "time_range", "values": [iso(start), iso(end)]}
        found += [row["id"] for row in search_all(app, window)]
    everything = [row["id"] for row in search_all(app)]
    assert sorted(found) == sorted(everything)


@PROFILE
@given(st.data())
def test_after_and_before_partition_the_issues_as_ranges_do(data):
    seed = data.draw(SEEDS)
    now = data.draw(moments(seed))
    cut = iso(data.draw(st.sampled_from(event_moments(seed))))
    app = pylon_at(seed, now)
    before = search_all(app, {"field": "updated_at", "operator": "time_is_before", "value": cut})
    after = search_all(app, {"field": "updated_at", "operator": "time_is_after", "value": cut})
    assert sorted(row["id"] for row in before + after) == sorted(row["id"] for row in search_all(app))


@PROFILE
@given(st.data(), st.integers(1, 1000), st.integers(1, 40))
def test_any_page_size_gives_the_same_issues_in_the_same_order(data, one, other):
    seed = data.draw(SEEDS)
    app = pylon_at(seed, data.draw(moments(seed)))
    assert [r["id"] for r in search_all(app, limit=one)] == [r["id"] for r in search_all(app, limit=other)]


@PROFILE
@given(st.data())
def test_a_scan_over_a_changing_world_shows_nothing_twice_and_misses_nothing_that_stays(data):
    seed = data.draw(SEEDS)
    start = data.draw(moments(seed))
    step = data.draw(st.integers(0, 3 * DAY))
    app = pylon_at(seed, start)
    seen, cursor = [], None
    while True:
        reply = ask(app, "POST", "/issues/search", {"limit": 5, "cursor": cursor}).json
        seen += [row["id"] for row in reply.get("data", [])]
        cursor = reply.get("pagination", {}).get("cursor")
        if cursor is None:
            break
        app.clock.now += step
    assert len(set(seen)) == len(seen)
    first, last = (set(world(seed).snapshot(System.PYLON, at).tickets) for at in (start, app.clock.now))
    assert {app.records.issue_id(index) for index in first & last} <= set(seen)


@PROFILE
@given(st.data())
def test_every_endpoint_tells_the_same_of_an_issue(data):
    seed = data.draw(SEEDS)
    app = pylon_at(seed, data.draw(moments(seed)), empty="list")
    for row in search_all(app)[:12]:
        path = f"/issues/{row['id']}"
        alone = ask(app, "GET", path).json["data"]
        messages = ask(app, "GET", f"{path}/messages").json["data"]
        responses = ask(app, "GET", f"{path}/survey-responses").json["data"]
        for record in (alone, row):
            record.pop("attachment_urls", None)
        assert alone == row
        public = [message for message in messages if not message["is_private"]]
        assert row["latest_message_time"] == max((m["timestamp"] for m in messages), key=_moment, default=None)
        answered = [message["timestamp"] for message in public if "contact" not in message.get("author", {})]
        # A merge moves messages over and leaves the vendor's own reading of them as it was.
        if row["first_response_time"] is None and not app.world.tickets[app.issues.by_id[row["id"]]].absorbed:
            assert answered in ([], [row["created_at"]])
        scores = [int(a["value"]) for r in responses for a in r["answers"] if a["question_type"] == "score"]
        assert scores == [response["score"] for response in row.get("csat_responses", [])]
        if row["account"]:
            assert ask(app, "GET", f"/accounts/{row['account']['id']}").status == 200
        if row["assignee"]:
            assert ask(app, "GET", f"/users/{row['assignee']['id']}").status == 200


def _moment(text: str) -> tuple[str, str]:
    whole, _, fraction = text.rstrip("Z").partition(".")
    return whole, fraction


@GRAPHQL
@given(st.data(), st.integers(1, 30), st.integers(1, 30))
def test_threads_are_the_same_forwards_and_backwards_at_any_page_size(data, forward, backward):
    seed = data.draw(SEEDS)
    app = plain_at(seed, data.draw(moments(seed)))
    sort = {
        "field": data.draw(
            st.sampled_from(
                ["CREATED_AT", "STATUS_CHANGED_AT", "LAST_INBOUND_MESSAGE_AT", "PRIORITY", "CLOSEST_TO_BREACH_SLA"]
            )
        ),
        "direction": data.draw(st.sampled_from(["ASC", "DESC"])),
    }
    query = """query ($sort: ThreadsSort, $first: Int, $after: String, $last: Int, $before: String) {
      threads(sortBy: $sort, first: $first, after: $after, last: $last, before: $before) {
        totalCount edges { node { id } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
      }
    }"""

    def scan(size: str, cursor: str, end: str, more: str, count: int) -> list[str]:
        pages, at = [], None
        while True:
            found = graphql(app, query, {"sort": sort, size: count, cursor: at}).json["data"]["threads"]
            nodes = [edge["node"]["id"] for edge in found["edges"]]
            assert len(nodes) <= count
            pages = pages + nodes if size == "first" else nodes + pages
            at = found["pageInfo"][end]
            assert len(pages) <= found["totalCount"], "a page came twice"
            if not found["pageInfo"][more]:
                assert found["totalCount"] == len(pages)
                return pages

    forwards = scan("first", "after", "endCursor", "hasNextPage", forward)
    assert forwards == scan("last", "before", "startCursor", "hasPreviousPage", backward)
    assert len(set(forwards)) == len(forwards)


@GRAPHQL
@given(st.data())
def test_windows_partition_the_threads(data):
    seed = data.draw(SEEDS)
    now = data.draw(moments(seed))
    app = plain_at(seed, now)
    field = data.draw(st.sampled_from(["createdAt", "updatedAt", "statusChangedAt"]))
    cuts = data.draw(st.lists(st.sampled_from(event_moments(seed)), max_size=5))
    bounds = sorted({0, now + DAY, *cuts})
    query = "query ($f: ThreadsFilter) { threads(filters: $f, first: 100) { edges { node { id } } } }"

    def ids(window: dict[str, str]) -> list[str]:
        found = graphql(app, query, {"f": {field: window}}).json["data"]["threads"]["edges"]
        return [edge["node"]["id"] for edge in found]

    found = [
        thread
        for start, end in zip(bounds, bounds[1:], strict=False)
        for thread in ids({"after": iso(start), "before": iso(end)})
    ]
    assert sorted(found) == sorted(ids({}))


@pytest.mark.parametrize("seed", [1, 2, 7])
def test_the_same_seed_gives_the_same_bytes(seed):
    now = world(seed).size.clock + seed * DAY

    def replies() -> list[bytes]:
        found = World(seed, "tiny")
        rest = PylonApi(found, Still(now), Settings(limits=False))
        graph = PlainApi(found, Still(now), PlainSettings(limits=False))
        issues = [ask(rest, "POST", "/issues/search", {"limit": 1000})]
        lists = [ask(rest, "GET", path) for path in ("/accounts", "/contacts", "/users", "/teams", "/audit-logs")]
        rows = issues[0].json.get("data", [])
        messages = [ask(rest, "GET", f"/issues/{row['id']}/messages") for row in rows]
        threads = graphql(
            graph, "{ threads { edges { cursor node { id title timelineEntries { edges { node { id } } } } } } }"
        )
        return [reply.raw for reply in (*issues, *lists, *messages, threads)]

    assert replies() == replies()
