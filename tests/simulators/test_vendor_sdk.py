"""The vendor's own SDK, pointed at the server, reads every object over all pages into its models."""

from datetime import UTC, datetime
from itertools import islice

import pytest
import requests
from usepylon import Pylon
from usepylon.core.parse_error import ParsingError

from .driver import TOKEN, served

pytestmark = pytest.mark.integration

FIELD_OWNERS = ("account", "issue", "contact")


@pytest.fixture(params=[1, 2, 7], scope="module", ids=lambda seed: f"seed {seed}")
def facts(request, tmp_path_factory):
    with served(tmp_path_factory.mktemp("data"), "--size", "tiny", "--seed", str(request.param), "--limits", "off") as (
        _,
        facts,
    ):
        # The SDK cannot read the vendor's empty replies, which leave out data; here it is spared them.
        settings = {"pylon": {"empty": "list"}}
        requests.post(f"{facts['pylon']}/_sim/settings", json=settings, timeout=10).raise_for_status()
        yield facts


@pytest.fixture(scope="module")
def sdk(facts):
    return Pylon(base_url=facts["pylon"], token=TOKEN)


@pytest.fixture(scope="module")
def shown(facts) -> dict[str, set[str]]:
    """The identifiers of every current row, by object, as the world has them."""
    found = {}
    for name in ("issues", "messages", "accounts", "contacts", "users", "teams", "tags", "survey_responses"):
        url = f"{facts['pylon']}/_sim/truth/rows?object=pylon_{name}"
        found[name] = {row["id"] for row in requests.get(url, timeout=10).json()["rows"]}
    return found


def ids(records) -> list[str]:
    return [record.id for record in records]


def test_every_issue_is_listed_searched_and_got(sdk, shown):
    listed = ids(
        sdk.issues.list(
            start_time=datetime(2025, 11, 25, tzinfo=UTC), end_time=datetime(2026, 1, 6, tzinfo=UTC), limit=7
        )
    )
    searched = ids(sdk.issues.search(limit=5))
    assert listed == searched
    assert len(set(listed)) == len(listed)
    assert set(listed) == shown["issues"]
    assert {sdk.issues.get(identifier).data.id for identifier in listed} == shown["issues"]


def test_everything_that_hangs_on_an_issue_is_read(sdk, shown):
    messages, responses = set(), set()
    for issue in shown["issues"]:
        whole = sdk.issues.messages.list(issue)
        paged = ids(sdk.issues.messages.list(issue, limit=2))
        assert ids(whole) == paged
        messages.update(paged)
        responses.update(ids(sdk.issues.survey_responses.list(issue, limit=1)))
        assert sdk.issues.followers.list(issue).data
        threads = sdk.issues.threads.list(issue).data
        assert bool(threads) == any(message.is_private for message in sdk.issues.messages.list(issue))
    assert messages == shown["messages"]
    assert responses == shown["survey_responses"]


@pytest.mark.parametrize("name", ["accounts", "contacts"])
def test_every_account_and_contact_is_listed_searched_and_got(sdk, shown, name):
    client = getattr(sdk, name)
    listed = ids(client.list(limit=4))
    assert listed == ids(client.search(limit=6))
    assert set(listed) == shown[name]
    assert [client.get(identifier).data.id for identifier in islice(listed, 10)] == listed[:10]


def test_users_come_with_the_deactivated_ones_when_asked_for(sdk, shown):
    everyone = sdk.users.list(include_deactivated=True).data
    assert set(ids(everyone)) == shown["users"]
    assert ids(sdk.users.list().data) == [user.id for user in everyone if not user.is_deactivated]
    assert any(user.is_deactivated for user in everyone)
    assert set(ids(sdk.users.search(limit=3))) == shown["users"]
    assert [sdk.users.get(user.id).data for user in everyone] == everyone


def test_definitions_and_surveys_are_listed_and_got(sdk, shown):
    assert set(ids(sdk.teams.list().data)) == shown["teams"]
    assert sdk.teams.get(sdk.teams.list().data[0].id).data == sdk.teams.list().data[0]
    assert set(ids(sdk.tags.list().data)) == set(ids(sdk.tags.search(limit=3))) == shown["tags"]
    assert sdk.tags.get(sdk.tags.list().data[0].id).data == sdk.tags.list().data[0]
    for owner in FIELD_OWNERS:
        fields = sdk.custom_fields.list(object_type=owner).data
        assert [sdk.custom_fields.get(field.id).data for field in fields] == fields
    assert {status.category for status in sdk.issue_statuses.list().data} == {
        *("new", "waiting_on_you", "waiting_on_customer", "on_hold", "closed")
    }
    (form,) = sdk.ticket_forms.list().data
    assert sdk.ticket_forms.get(form.id).data == form
    (survey,) = sdk.surveys.list().data
    assert sdk.surveys.get(survey.id).data == survey
    assert set(ids(sdk.surveys.responses.list(survey.id, limit=2))) == shown["survey_responses"]
    assert sdk.user_roles.list().data
    assert sdk.me.get().data.name


def test_audit_logs_are_listed_and_searched(sdk):
    listed = list(sdk.audit_logs.list(limit=1))
    assert listed == list(sdk.audit_logs.search(limit=2))
    assert listed


def test_the_recorded_shape_of_an_empty_reply_is_what_the_sdk_cannot_read(facts, sdk):
    settings = f"{facts['pylon']}/_sim/settings"
    requests.post(settings, json={"pylon": {"empty": "omitted"}}, timeout=10).raise_for_status()
    try:
        nothing = {"field": "created_at", "operator": "time_is_after", "value": "2031-01-01T00:00:00Z"}
        with pytest.raises(ParsingError):
            list(sdk.issues.search(filter=nothing))
    finally:
        requests.post(settings, json={"pylon": {"empty": "list"}}, timeout=10).raise_for_status()
