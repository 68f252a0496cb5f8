"""Misbehaviour on demand, in process where the reply tells all, over a socket where the wire does."""

import http.client
import json
from urllib.parse import urlsplit

import pytest
import requests

from include.simulators.clock import Clock
from include.simulators.faults import FaultError, FaultKind, Faults
from include.simulators.plain.api import PlainApi
from include.simulators.plain.api import Settings as PlainSettings
from include.simulators.pylon.api import PylonApi
from include.simulators.pylon.settings import Settings
from include.simulators.world.times import iso

from .driver import TOKEN, ask, graphql, search_all, served

SEARCH = "POST /issues/search"
THREADS = """query ($after: String) { threads(first: 5, after: $after) {
  edges { node { id } } pageInfo { hasNextPage endCursor } } }"""


@pytest.fixture
def faults():
    return Faults()


@pytest.fixture
def pylon(tiny, clock, faults):
    return PylonApi(tiny, clock, Settings(limits=False), faults)


@pytest.fixture
def plain(tiny, clock, faults):
    return PlainApi(tiny, clock, PlainSettings(limits=False), faults)


def page(pylon, cursor=None):
    return ask(pylon, "POST", "/issues/search", {"limit": 5, "cursor": cursor})


def ids(reply):
    return [row["id"] for row in reply.json.get("data", [])]


def test_a_fault_strikes_as_often_as_told_and_only_where_told(pylon, faults):
    faults.add({"system": "pylon", "endpoint": SEARCH, "kind": "status", "status": 503, "count": 2, "after": 1})
    assert [page(pylon).status for _ in range(5)] == [200, 503, 503, 200, 200]
    assert ask(pylon, "GET", "/accounts").status == 200
    (fault,) = faults
    assert (fault.matched, fault.fired, fault.is_spent) == (3, 2, True)


def test_a_fault_for_ever_strikes_until_it_is_removed(pylon, faults):
    fault = faults.add({"system": "pylon", "kind": "status", "count": -1})
    assert {page(pylon).status for _ in range(20)} == {500}
    faults.remove(fault.id)
    assert page(pylon).status == 200


def test_a_probability_is_drawn_from_its_seed(pylon, faults):
    def struck(seed):
        faults.remove()
        faults.add({"system": "pylon", "kind": "status", "probability": 0.3, "seed": seed, "count": -1})
        return [page(pylon).status for _ in range(60)]

    assert struck(4) == struck(4) != struck(5)
    assert 5 < struck(4).count(500) < 35


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"system": "pylon"},
        {"system": "elsewhere", "kind": "status"},
        {"system": "pylon", "kind": "earthquake"},
        {"system": "pylon", "kind": "status", "often": 3},
        {"system": "pylon", "kind": "status", "count": "many"},
        {"system": "pylon", "kind": "slow", "seconds": "long"},
        {"system": "pylon", "kind": "status", "id": 9},
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(faults, given):
    with pytest.raises(FaultError):
        faults.add(given)
    assert list(faults) == []


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        ("too_many", 429, "rate_limited"),
        ("revoke", 401, "invalid_api_token"),
        ("forbid", 403, "permission_denied"),
        ("status", 500, "internal_error"),
    ],
)
def test_pylon_refuses_with_its_own_error_body(pylon, faults, kind, status, code):
    faults.add({"system": "pylon", "endpoint": SEARCH, "kind": kind, "seconds": 7})
    reply = page(pylon)
    assert (reply.status, reply.json["code"]) == (status, code)
    assert ("retry-after" in reply.headers) == (kind == "too_many")
    assert page(pylon).status == 200


@pytest.mark.parametrize(("kind", "status"), [("too_many", 429), ("revoke", 401), ("forbid", 403), ("status", 502)])
def test_plain_refuses_in_its_own_shapes(plain, faults, kind, status):
    faults.add({"system": "plain", "endpoint": "threads", "kind": kind, "status": 502})
    reply = graphql(plain, THREADS)
    assert reply.status == status
    if kind == "status":
        assert reply.raw.startswith(b"<html>")
    elif kind == "revoke":
        assert reply.json == {"message": "Unauthorized"}
    else:
        assert reply.json["errors"][0]["extensions"]["code"] in ("RATE_LIMITED", "FORBIDDEN")
    assert graphql(plain, THREADS).status == 200


def test_a_glitched_page_promises_more_without_data_and_asking_again_recovers(pylon, faults):
    first = page(pylon).json["pagination"]["cursor"]
    whole = ids(page(pylon, first))
    faults.add({"system": "pylon", "endpoint": SEARCH, "kind": "glitch_page"})
    glitch = page(pylon, first).json
    assert set(glitch) == {"pagination", "request_id"}
    assert glitch["pagination"]["has_next_page"] is True
    assert ids(page(pylon, first)) == whole


def test_a_stuck_cursor_leads_back_to_the_same_page(pylon, plain, faults):
    faults.add({"system": "pylon", "endpoint": SEARCH, "kind": "stuck_cursor", "count": -1})
    first = page(pylon).json["pagination"]["cursor"]
    assert page(pylon, first).json["pagination"]["cursor"] == first
    faults.add({"system": "plain", "endpoint": "threads", "kind": "stuck_cursor", "count": -1})
    after = graphql(plain, THREADS).json["data"]["threads"]["pageInfo"]["endCursor"]
    assert graphql(plain, THREADS, {"after": after}).json["data"]["threads"]["pageInfo"] == {
        "hasNextPage": True,
        "endCursor": after,
    }


def test_a_cursor_may_have_expired(pylon, plain, faults):
    for system in ("pylon", "plain"):
        faults.add({"system": system, "kind": "expired_cursor", "count": -1})
    cursor = page(pylon).json["pagination"]["cursor"]
    after = graphql(plain, THREADS).json["data"]["threads"]["pageInfo"]["endCursor"]
    assert page(pylon, cursor).status == 400
    assert graphql(plain, THREADS, {"after": after}).status == 400


def test_a_repeated_row_is_the_last_of_the_page_before(pylon, plain, faults):
    faults.add({"system": "pylon", "endpoint": SEARCH, "kind": "duplicate_rows", "after": 1})
    first = page(pylon)
    second = page(pylon, first.json["pagination"]["cursor"])
    assert ids(second)[0] == ids(first)[-1]
    assert len(ids(second)) == 6
    faults.add({"system": "plain", "endpoint": "threads", "kind": "duplicate_rows", "after": 1})
    threads = graphql(plain, THREADS).json["data"]["threads"]
    following = graphql(plain, THREADS, {"after": threads["pageInfo"]["endCursor"]}).json["data"]["threads"]
    assert following["edges"][0] == threads["edges"][-1]


def test_a_page_may_leave_out_its_last_row(pylon, plain, faults):
    whole, threads = page(pylon), graphql(plain, THREADS).json["data"]["threads"]
    faults.add({"system": "pylon", "endpoint": SEARCH, "kind": "missing_rows"})
    faults.add({"system": "plain", "endpoint": "threads", "kind": "missing_rows"})
    assert ids(page(pylon)) == ids(whole)[:-1]
    assert graphql(plain, THREADS).json["data"]["threads"]["edges"] == threads["edges"][:-1]
    assert page(pylon).json["pagination"] == whole.json["pagination"]


def test_the_world_may_move_on_in_the_middle_of_a_scan(tiny, clock, pylon, faults):
    start = clock.now
    window = {"field": "updated_at", "operator": "time_is_before", "value": iso(start)}
    still = {row["id"] for row in search_all(pylon, window, limit=3)}
    faults.add({"system": "pylon", "endpoint": SEARCH, "kind": "mutate", "after": 1, "seconds": 20 * 86_400})
    moved = {row["id"] for row in search_all(pylon, window, limit=3)}
    assert clock.now == start + 20 * 86_400_000
    assert moved < still


def test_broken_json_cannot_be_read(pylon, plain, faults):
    for system in ("pylon", "plain"):
        faults.add({"system": system, "kind": "invalid_json"})
    for reply in (page(pylon), graphql(plain, THREADS)):
        assert reply.status == 200
        with pytest.raises(json.JSONDecodeError):
            reply.json  # noqa: B018 - reading it is the test


def test_a_permission_may_be_lost_in_the_middle_of_a_scan(plain, faults):
    faults.add({"system": "plain", "endpoint": "threads", "kind": "forbid", "after": 2, "count": -1})
    after, statuses = None, []
    for _ in range(4):
        reply = graphql(plain, THREADS, {"after": after})
        statuses.append(reply.status)
        if reply.status == 200:
            after = reply.json["data"]["threads"]["pageInfo"]["endCursor"]
    assert statuses == [200, 200, 403, 403]


# -- on the wire


@pytest.fixture(scope="module")
def facts(tmp_path_factory):
    with served(tmp_path_factory.mktemp("data"), "--size", "tiny", "--limits", "off") as (_, facts):
        yield facts


def set_fault(facts, **fault):
    requests.post(f"{facts['pylon']}/_sim/faults", json=fault, timeout=10).raise_for_status()


def get_accounts(facts, timeout=10):
    return requests.get(f"{facts['pylon']}/accounts", headers={"authorization": f"Bearer {TOKEN}"}, timeout=timeout)


@pytest.mark.integration
def test_a_body_is_cut_off_after_its_length_was_promised(facts):
    set_fault(facts, system="pylon", kind="cut")
    connection = http.client.HTTPConnection(urlsplit(facts["pylon"]).netloc, timeout=10)
    connection.request("GET", "/accounts", headers={"authorization": f"Bearer {TOKEN}"})
    with pytest.raises(http.client.IncompleteRead):
        connection.getresponse().read()
    connection.close()
    assert get_accounts(facts).status_code == 200


@pytest.mark.integration
def test_a_connection_is_reset_without_an_answer(facts):
    set_fault(facts, system="pylon", kind="reset")
    with pytest.raises(requests.ConnectionError):
        get_accounts(facts)
    assert get_accounts(facts).status_code == 200


@pytest.mark.integration
def test_a_slow_reply_runs_into_the_clients_timeout_and_holds_nobody_else_up(facts):
    set_fault(facts, system="pylon", endpoint="GET /accounts", kind="slow", seconds=30)
    with pytest.raises(requests.ReadTimeout):
        get_accounts(facts, timeout=0.3)
    assert get_accounts(facts, timeout=5).status_code == 200


@pytest.mark.integration
def test_faults_are_listed_and_removed_over_http(facts):
    url = f"{facts['plain']}/_sim/faults"
    requests.delete(url, timeout=10)
    set_fault(facts, system="plain", endpoint="threads", kind="reset", count=3)
    (fault,) = requests.get(url, timeout=10).json()["faults"]
    assert (fault["system"], fault["endpoint"], fault["kind"], fault["count"], fault["fired"]) == (
        *("plain", "threads", FaultKind.RESET, 3, 0),
    )
    assert requests.delete(f"{url}?id={fault['id']}", timeout=10).json() == {"faults": []}
    assert requests.post(url, json={"system": "plain"}, timeout=10).status_code == 400
    assert requests.delete(f"{url}?id=99", timeout=10).status_code == 400


def test_every_kind_of_fault_is_tried_above(tmp_path, tiny):
    text = __import__("pathlib").Path(__file__).read_text()
    assert [kind for kind in FaultKind if f'"{kind.value}"' not in text] == []
    assert Clock(tmp_path / "c.json", None, tiny.size.clock).now == tiny.size.clock
