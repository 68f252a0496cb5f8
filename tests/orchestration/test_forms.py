"""What may be typed into a trigger form."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.bronze.batch import Batch
from include.orchestration.forms import (
    COMMANDS,
    OF_THE_BATCH,
    REEXTRACT,
    REPLAY,
    FormError,
    Rerun,
    dbt_arguments,
    rerun_of,
)
from include.settings import Client, load_settings

SELECTORS = ("reference", "client_def")
CLIENTS = load_settings({}).clients
BATCH = Batch.parse("def__pylon_issues__20260104T060000Z__20260105T060000Z")
MESSAGES = Batch("def", "pylon_messages", BATCH.window)


@pytest.mark.parametrize(
    ("form", "arguments"),
    [
        ({"command": "build", "select": "fct_def_tickets+"}, ["build", "--select", "fct_def_tickets+"]),
        (
            {"command": "run", "select": "tag:silver a,b", "exclude": "@c 2+d+1", "full_refresh": True},
            ["run", "--select", "tag:silver", "a,b", "--exclude", "@c", "2+d+1", "--full-refresh"],
        ),
        ({"command": "test", "selector": "client_def"}, ["test", "--selector", "client_def"]),
        (
            {"command": "build", "select": "a", "selector": "(none)", "vars": {"b": 1, "a": "x; drop"}},
            ["build", "--select", "a", "--vars", '{"a": "x; drop", "b": 1}'],
        ),
        (
            {"command": "list", "select": "models/def", "exclude": None, "vars": None},
            ["list", "--select", "models/def"],
        ),
    ],
)
def test_a_form_is_dbt_arguments(form: dict[str, Any], arguments: list[str]) -> None:
    assert dbt_arguments(form, SELECTORS) == arguments


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({}, "command is 'None'; choose one of build, "),
        ({"command": "clean", "select": "a"}, "command is 'clean'"),
        ({"command": "build"}, "nothing is selected"),
        ({"command": "build", "select": "  "}, "nothing is selected"),
        ({"command": "build", "select": "a", "selector": "client_def"}, "select and selector are both filled in"),
        ({"command": "build", "exclude": "a", "selector": "client_def"}, "exclude goes with select"),
        ({"command": "build", "selector": "nightly"}, "selector is 'nightly'; choose one of reference, client_def"),
        ({"command": "build", "select": "a; rm -rf x"}, "select may hold names"),
        ({"command": "build", "select": "$(id)"}, "select may hold names"),
        ({"command": "build", "select": "a --profiles-dir /x"}, "'--profiles-dir', which dbt would take for an option"),
        ({"command": "build", "select": ["a"]}, "select may hold names"),
        ({"command": "test", "select": "a", "full_refresh": True}, "dbt test builds nothing"),
        ({"command": "build", "select": "a", "vars": ["x"]}, "vars is one JSON object"),
        ({"command": "build", "select": "a", "vars": {"a b": 1}}, "vars names 'a b'"),
        ({"command": "build", "select": "a", "vars": {"a": {"b": 1}}}, "vars gives a a dict"),
        ({"command": "list", "select": "a", "vars": {"a": 1}}, "dbt list reads no vars here"),
    ],
)
def test_a_form_that_makes_no_sense_is_one_sentence(form: dict[str, Any], said: str) -> None:
    with pytest.raises(FormError) as error:
        dbt_arguments(form, SELECTORS)
    assert str(error.value).startswith(said) or said in str(error.value)
    assert "\n" not in str(error.value)


@given(st.sampled_from(list(COMMANDS)), st.text(max_size=30), st.text(max_size=30))
def test_whatever_is_typed_no_option_and_no_shell_sign_gets_through(command: str, select: str, exclude: str) -> None:
    try:
        arguments = dbt_arguments({"command": command, "select": select, "exclude": exclude}, SELECTORS)
    except FormError:
        return
    options = [argument for argument in arguments if argument.startswith("-")]
    assert set(options) <= {"--select", "--exclude"}
    assert len(options) == len(set(options))
    assert not set("".join(arguments)) & set(";|&$`\\\"'<>(){}\n")


def landed(*batches: Batch) -> Any:
    return lambda _client, stream: [batch for batch in batches if batch.stream == stream]


def form(**fields: Any) -> dict[str, Any]:
    return {
        "batch_id": BATCH.id,
        "client": OF_THE_BATCH,
        "stream": OF_THE_BATCH,
        "how": REPLAY,
        "may_shrink": False,
    } | fields


def test_a_rerun_takes_the_children_of_the_window_along() -> None:
    assert rerun_of(form(client="def"), CLIENTS, landed(BATCH, MESSAGES)) == Rerun(
        "def",
        (BATCH.id, MESSAGES.id),
        asks_again=False,
        may_shrink=False,
        select=("source:def_bronze.PYLON_ISSUES+", "source:def_bronze.PYLON_MESSAGES+"),
    )


def test_a_rerun_of_reported_deletions_builds_what_they_are_about() -> None:
    deletions = Batch("def", "plain_deleted_threads", BATCH.window)
    rerun = rerun_of(form(batch_id=deletions.id), CLIENTS, landed(deletions))
    assert rerun.batches == (deletions.id,)
    assert {f"source:def_bronze.PLAIN_{name}+" for name in ("DELETED_THREADS", "THREADS", "TIMELINE_ENTRIES")} == set(
        rerun.select
    )


def test_children_that_were_never_landed_are_left_out() -> None:
    assert rerun_of(form(how=REEXTRACT, may_shrink=True), CLIENTS, landed(BATCH)).batches == (BATCH.id,)


def test_a_batch_nobody_knows_is_answered_with_the_five_nearest() -> None:
    day = timedelta(days=1)
    others = [
        Batch("def", "pylon_issues", type(BATCH.window)(BATCH.window.start + n * day, BATCH.window.end + n * day))
        for n in (9, -1, 2, -3, 4, -5, 6)
    ]
    with pytest.raises(FormError) as error:
        rerun_of(form(), CLIENTS, landed(*others))
    nearest = [others[i].id for i in (1, 2, 3, 4, 5)]
    assert str(error.value) == f"batch {BATCH.id} is not in landing; the nearest there are: {', '.join(nearest)}"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"batch_id": ""}, "batch_id is empty"),
        ({"batch_id": "x"}, "'x' is not a batch id"),
        ({"batch_id": f"{BATCH.id}'; drop table x"}, "is not a batch id"),
        ({"client": "core"}, "client is core and the batch is one of def"),
        ({"stream": "plain_threads"}, "stream is plain_threads and the batch is one of pylon_issues"),
        ({"batch_id": BATCH.id.replace("def__", "abc__")}, "there is no client 'abc'"),
        ({"batch_id": BATCH.id.replace("issues", "isues")}, "client def has no stream 'pylon_isues'"),
        ({"how": "magic"}, "how is 'magic'"),
        ({"may_shrink": True}, "may_shrink goes with"),
    ],
)
def test_a_rerun_that_makes_no_sense_is_one_sentence(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match="^[^\n]+$") as error:
        rerun_of(form(**fields), CLIENTS, landed(BATCH))
    assert said in str(error.value)


def test_the_children_of_a_client_are_its_own() -> None:
    client: Client = CLIENTS["def"]
    assert [stream.name for stream in client.children("pylon_issues")] == ["pylon_messages"]
