"""Everything under /_sim/: the clock, the settings, the truth and the page."""

import json
from html.parser import HTMLParser

import pytest

from include.simulators.clock import Clock
from include.simulators.control import Control, Journal
from include.simulators.faults import Faults
from include.simulators.page import page, table
from include.simulators.plain.api import PlainApi
from include.simulators.plain.api import Settings as PlainSettings
from include.simulators.pylon.api import PylonApi
from include.simulators.pylon.settings import Settings
from include.simulators.rows import OBJECTS
from include.simulators.truth import Truth, as_json
from include.simulators.world.plan import System
from include.simulators.world.times import DAY, instant, iso

from .driver import ask, graphql, search_all


@pytest.fixture
def moves():
    return []


@pytest.fixture
def apps(tiny, clock, moves):
    """Both vendors with everything beside them, as they are served."""
    faults = Faults()
    control = Control(tiny, clock, Journal(), faults, lambda before, after: moves.append((before, after)))
    pylon = control.beside(PylonApi(tiny, clock, Settings(limits=False), faults))
    plain = control.beside(PlainApi(tiny, clock, PlainSettings(limits=False), faults))
    return pylon, plain


def sim(apps, method, path, body=None, **query):
    reply = ask(apps[0], method, f"/_sim/{path}", body, query=query)
    return reply.json if reply.status == 200 else reply


def test_the_clock_moves_only_when_told_and_says_so(apps, clock, moves):
    before = clock.now
    assert sim(apps, "GET", "clock") == {"now": iso(before)}
    assert sim(apps, "POST", "clock", {"advance_seconds": 90}) == {"now": iso(before + 90_000)}
    assert sim(apps, "POST", "clock", {"now": "2026-02-01T03:20:00-03:00"}) == {"now": "2026-02-01T06:20:00Z"}
    assert moves == [(before, before + 90_000), (before + 90_000, clock.now)]


@pytest.mark.parametrize(
    "body", [{}, {"now": "noon"}, {"now": "2026-02-01T00:00:00"}, {"advance_seconds": "9"}, [], None]
)
def test_a_move_that_makes_no_sense_is_refused_and_moves_nothing(apps, clock, body):
    before = clock.now
    reply = sim(apps, "POST", "clock", body)
    assert reply.status == 400
    assert reply.json["error"]
    assert clock.now == before


def test_the_clock_is_kept_in_its_file_and_a_broken_file_is_explained(tmp_path):
    path = tmp_path / "simulators" / "clock.json"
    clock = Clock(path, None, instant("2026-01-05T06:20:00Z"))
    clock.advance(60)
    assert json.loads(path.read_text()) == {"now": "2026-01-05T06:21:00Z"}
    assert Clock(path, None, 0).now == clock.now
    assert Clock(path, instant("2026-03-01T00:00:00Z"), 0).now == instant("2026-03-01T00:00:00Z")
    path.write_text("{}")
    with pytest.raises(ValueError, match="is not a clock file"):
        Clock(path, None, 0)


def test_settings_change_how_a_vendor_answers_at_once(apps):
    pylon, plain = apps
    assert sim(apps, "GET", "settings")["pylon"]["wait_header"] == "retry-after"
    changed = sim(
        apps, "POST", "settings", {"pylon": {"profile": "old-pylon"}, "plain": {"permissions": ["thread:read"]}}
    )
    assert changed["pylon"]["profile"] == "old-pylon"
    assert "code" not in ask(pylon, "GET", "/nowhere").json
    assert graphql(plain, "{ users { edges { node { id } } } }").status == 403
    for wrong in ({"pylon": {"colour": "red"}}, {"pylon": {"profile": "new"}}, {"zendesk": {}}, {"pylon": 3}):
        assert sim(apps, "POST", "settings", wrong).status == 400


def test_requests_are_kept_with_what_they_asked_and_got(apps):
    pylon, plain = apps
    ask(pylon, "POST", "/issues/search", {"limit": 4})
    graphql(plain, "{ threads(first: 3) { edges { node { id } } } }")
    ask(pylon, "GET", "/nowhere", query={"a": "b"})
    asked = sim(apps, "GET", "requests")["requests"]
    told = [(a["index"], a["system"], a["method"], a["path"], a["status"], a["rows"]) for a in asked]
    assert told == [
        (0, "pylon", "POST", "/issues/search", 200, 4),
        (1, "plain", "POST", "/graphql/v1", 200, 3),
        (2, "pylon", "GET", "/nowhere", 404, 0),
    ]
    assert asked[0]["body"] == {"limit": 4}
    assert asked[2]["query"] == {"a": "b"}
    assert [a["index"] for a in sim(apps, "GET", "requests", since=2)["requests"]] == [2]
    assert sim(apps, "DELETE", "requests") == {"requests": []}
    ask(pylon, "GET", "/me")
    assert [a["index"] for a in sim(apps, "GET", "requests")["requests"]] == [3]


def test_truth_over_http_is_the_truth(apps, tiny, clock):
    truth, at = Truth(tiny), clock.now
    assert sim(apps, "GET", "truth/tickets")["tickets"] == json.loads(
        json.dumps([as_json(t) for t in truth.tickets(at)])
    )
    assert sim(apps, "GET", "truth/tickets_daily")["rows"] == truth.tickets_daily(at)
    assert sim(apps, "GET", "truth/csat_daily", at=iso(at - DAY))["rows"] == truth.csat_daily(at - DAY)
    assert sim(apps, "GET", "truth/deletions")["deletions"] == [as_json(d) for d in truth.deletions(at)]
    polls = [at - DAY, at]
    given = ",".join(map(iso, polls))
    observed = sim(apps, "GET", "truth/observed", polls=given, skip=3, limit=2)["tickets"]
    assert observed == json.loads(json.dumps([as_json(t) for t in truth.observed(polls)]))[3:5]
    day = __import__("datetime").date(2026, 1, 3)
    assert sim(apps, "GET", "truth/backlog", day=str(day)) == truth.backlog(day)
    assert sim(apps, "GET", "truth/observed_backlog", day=str(day), polls=given) == truth.observed_backlog(day, polls)


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("truth/backlog", {}),
        ("truth/backlog", {"day": "today"}),
        ("truth/tickets", {"at": "noon"}),
        ("truth/tickets", {"limit": "few"}),
        ("truth/observed", {}),
        ("truth/rows", {"object": "zendesk_tickets"}),
    ],
)
def test_a_question_for_the_truth_that_makes_no_sense_is_refused(apps, path, query):
    assert sim(apps, "GET", path, **query).status == 400


@pytest.mark.parametrize("name", OBJECTS)
def test_current_rows_are_told_for_every_object(apps, name):
    rows = sim(apps, "GET", "truth/rows", object=name)["rows"]
    assert rows
    if name == "pylon_issues":
        assert {row["id"] for row in rows} == {row["id"] for row in search_all(apps[0])}


class Scripts(HTMLParser):
    """Every tag a browser would see."""

    def __init__(self, text):
        super().__init__()
        self.tags = set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        assert not any(name.startswith("on") for name, _ in attrs)


@pytest.mark.parametrize("hostile", ["<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "</td><iframe>"])
def test_the_page_escapes_whatever_a_stranger_typed(hostile):
    text = page(
        hostile, hostile, [(hostile, table((hostile,), [(hostile,)], hostile)), ("Empty", table((), [], hostile))]
    )
    assert not Scripts(text.decode()).tags & {"script", "img", "iframe"}


def test_the_page_shows_the_world_its_clock_and_the_faults(apps, tiny, clock):
    sim(apps, "POST", "faults", {"system": "pylon", "endpoint": "<script>", "kind": "slow"})
    # A day on which one of the newest titles is hostile, so that escaping is put to the proof.
    for ticket in tiny.tickets:
        if ticket.system is System.PYLON and "<" in tiny.title(ticket):
            clock.set(ticket.born)
            break
    reply = ask(apps[0], "GET", "/_sim/")
    text = reply.raw.decode()
    assert reply.headers["content-type"].startswith("text/html")
    assert iso(clock.now) in text
    assert "&lt;script&gt;" in text
    assert not Scripts(text).tags & {"script", "img"}


def test_an_unknown_path_says_what_there_is(apps):
    reply = sim(apps, "GET", "nothing")
    assert reply.status == 404
    assert "GET /_sim/clock" in reply.json["try"]
