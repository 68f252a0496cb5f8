"""The casts Silver is made of: what each makes of what vendors send."""

from __future__ import annotations

import duckdb
import pytest
import sqlglot

from tests.dbt.project import Project

pytestmark = pytest.mark.integration

NULL = None
CASES: list[tuple[str, str | None, str | None]] = [
    ("{{ text('V') }}", "a", "a"),
    ("{{ text('V') }}", " a ", " a "),
    ("{{ text('V') }}", "", NULL),
    ("{{ text('V') }}", "  ", NULL),
    ("{{ text('V') }}", "∅", NULL),
    ("{{ text('V') }}", NULL, NULL),
    ("{{ whole_number('V') }}", "12", "12"),
    ("{{ whole_number('V') }}", "-3", "-3"),
    ("{{ whole_number('V') }}", "0", "0"),
    ("{{ whole_number('V') }}", "12.0", "12"),
    ("{{ whole_number('V') }}", "", NULL),
    ("{{ whole_number('V') }}", "twelve", NULL),
    ("{{ exact_number('V', 10, 2) }}", "12.345", "12.35"),
    ("{{ exact_number('V', 10, 2) }}", "n/a", NULL),
    ("{{ boolean('V') }}", "true", "true"),
    ("{{ boolean('V') }}", "FALSE", "false"),
    ("{{ boolean('V') }}", "1", NULL),
    ("{{ boolean('V') }}", "yes", NULL),
    ("{{ boolean('V') }}", NULL, NULL),
    ("{{ utc_timestamp('V') }}", "2026-01-05T06:20:00Z", "2026-01-05 06:20:00"),
    ("{{ utc_timestamp('V') }}", "2026-01-05 06:20:00Z", "2026-01-05 06:20:00"),
    ("{{ utc_timestamp('V') }}", "2026-01-05T06:20Z", "2026-01-05 06:20:00"),
    ("{{ utc_timestamp('V') }}", "2026-01-05T06:20:00.1Z", "2026-01-05 06:20:00.1"),
    ("{{ utc_timestamp('V') }}", "2026-01-05T06:20:00.123456789Z", "2026-01-05 06:20:00.123456"),
    ("{{ utc_timestamp('V') }}", "2026-01-05T01:04:00+02:00", "2026-01-04 23:04:00"),
    ("{{ utc_timestamp('V') }}", "2026-01-05T01:04:00-0330", "2026-01-05 04:34:00"),
    ("{{ utc_timestamp('V') }}", "2026-01-05T06:20:00", "2026-01-05 06:20:00"),
    ("{{ utc_timestamp('V') }}", " 2026-01-05T06:20:00Z ", "2026-01-05 06:20:00"),
    ("{{ utc_timestamp('V') }}", "2026-01-05", NULL),
    ("{{ utc_timestamp('V') }}", "2026-13-05T06:20:00Z", NULL),
    ("{{ utc_timestamp('V') }}", "epoch", NULL),
    ("{{ utc_timestamp('V') }}", "infinity", NULL),
    ("{{ utc_timestamp('V') }}", "1767594000", NULL),
    ("{{ utc_timestamp('V') }}", "∅", NULL),
    ("{{ json_text('V', 'id') }}", '{"id": "a"}', "a"),
    ("{{ json_text('V', 'id') }}", '{"id": 7}', "7"),
    ("{{ json_text('V', 'id') }}", '{"id": null}', NULL),
    ("{{ json_text('V', 'id') }}", '{"id": ""}', NULL),
    ("{{ json_text('V', 'a.b') }}", '{"a": {"b": "no"}, "a.b": "yes"}', "yes"),
    ("{{ json_text('V', 'id') }}", "[]", NULL),
    ("{{ json_text('V', 'id') }}", '"text"', NULL),
    ("{{ json_text('V', 'id') }}", "{broken", NULL),
    ("{{ custom_field('V', 'chat_widget.app_id') }}", '{"chat_widget.app_id": {"value": "x"}}', "x"),
    ("{{ custom_field('V', 'chat_widget.app_id') }}", '[{"slug": "chat_widget.app_id", "value": "x"}]', "x"),
    ("{{ custom_field('V', 'chat_widget.app_id') }}", '{"chat_widget": {"app_id": {"value": "no"}}}', NULL),
    ("{{ custom_field('V', 'self-servable') }}", '{"self-servable": {"value": "", "values": ["yes", "no"]}}', "yes"),
    ("{{ custom_field('V', 'self-servable') }}", '[{"slug": "self-servable", "values": ["no"]}]', "no"),
    ("{{ custom_field('V', 'self-servable') }}", '{"self-servable": {"value": "", "values": []}}', NULL),
    ("{{ custom_field('V', 'self-servable') }}", '{"self-servable": "yes"}', NULL),
    ("{{ custom_field('V', 'self-servable') }}", '[{"slug": "other", "value": "x"}, "stray"]', NULL),
    ("{{ custom_field('V', 'self-servable') }}", "", NULL),
    ("{{ custom_field('V', 'chat_widget.app_id') }}", '[{"slug": "chat_widget", "value": {"app_id": "no"}}]', NULL),
    ("{{ custom_field('V', 'affected.modules') }}", '{"affected.modules": {"values": ["tax", "pay"]}}', "tax"),
    ("{{ custom_field('V', 'affected.modules') }}", '[{"slug": "affected.modules", "values": ["tax", "pay"]}]', "tax"),
    ("{{ custom_field('V', 'minutes_lost') }}", '{"minutes_lost": {"value": 0}}', "0"),
    ("{{ custom_field('V', 'minutes_lost') }}", '[{"slug": "minutes_lost", "value": 0}]', "0"),
    ("{{ custom_field('V', 'priority') }}", '[{"slug": "priority", "value": "∅"}]', NULL),
    ("{{ json_timestamp('V', 'iso8601') }}", '{"iso8601": "2026-01-05T06:20:00.5Z"}', "2026-01-05 06:20:00.5"),
    ("{{ json_timestamp('V', 'iso8601') }}", '{"iso8601": "2026-01-05T03:20:00-03:00"}', "2026-01-05 06:20:00"),
    (
        "{{ json_timestamp('V', 'respondedAt', 'iso8601') }}",
        '{"respondedAt": {"iso8601": "2026-01-05T06:20Z"}}',
        "2026-01-05 06:20:00",
    ),
    ("{{ json_timestamp('V', 'iso8601') }}", '{"iso8601": null, "unixTimestamp": "1767594000000"}', NULL),
    ("{{ json_timestamp('V', 'iso8601') }}", '{"iso8601": "soon"}', NULL),
    ("{{ json_timestamp('V', 'iso8601') }}", "2026-01-05T06:20:00Z", NULL),
    ("{{ json_timestamp('V', 'iso8601') }}", NULL, NULL),
    ("{{ json_number('V', 'rating') }}", '{"rating": 5}', "5"),
    ("{{ json_number('V', 'rating') }}", '{"rating": "4"}', "4"),
    ("{{ json_number('V', 'rating') }}", '{"rating": 0}', "0"),
    ("{{ json_number('V', 'a', 'b') }}", '{"a": {"b": 3}, "a.b": 4}', "3"),
    ("{{ json_number('V', 'rating') }}", '{"rating": "good"}', NULL),
    ("{{ json_number('V', 'rating') }}", '{"rating": ""}', NULL),
    ("{{ json_number('V', 'rating') }}", '{"rating": null}', NULL),
    ("{{ json_number('V', 'rating') }}", "5", NULL),
    ("{{ json_boolean('V', 'ok') }}", '{"ok": true}', "true"),
    ("{{ json_boolean('V', 'ok') }}", '{"ok": "False"}', "false"),
    ("{{ json_boolean('V', 'ok') }}", '{"ok": 1}', NULL),
    ("{{ json_boolean('V', 'ok') }}", '{"ok": null}', NULL),
    ("{{ json_boolean('V', 'ok') }}", "true", NULL),
    ("{{ json_first('V', 'userId', 'machineUserId') }}", '{"userId": "u", "machineUserId": "m"}', "u"),
    ("{{ json_first('V', 'userId', 'machineUserId') }}", '{"machineUserId": "m"}', "m"),
    ("{{ json_first('V', 'userId', 'machineUserId') }}", '{"userId": "", "machineUserId": "m"}', "m"),
    ("{{ json_first('V', 'userId', ['machineUser', 'id']) }}", '{"machineUser": {"id": "m"}}', "m"),
    ("{{ json_first('V', 'userId', ['machineUser', 'id']) }}", '{"machineUser": {"id": "∅"}}', NULL),
    ("{{ json_first('V', 'userId', 'machineUserId') }}", '{"systemId": "s"}', NULL),
    ("{{ json_first('V', 'userId', 'machineUserId') }}", "{broken", NULL),
    ("{{ thread_field('V', 'category') }}", '[{"key": "category", "stringValue": "bug"}]', "bug"),
    ("{{ thread_field('V', 'a.b') }}", '[{"key": "a", "stringValue": "no"}, {"key": "a.b", "stringValue": "x"}]', "x"),
    ("{{ thread_field('V', 'paid') }}", '[{"key": "paid", "stringValue": null, "booleanValue": false}]', "false"),
    ("{{ thread_field('V', 'lost') }}", '[{"key": "lost", "numberValue": 30}]', "30"),
    (
        "{{ thread_field('V', 'due') }}",
        '[{"key": "due", "dateValue": {"iso8601": "2026-01-05T00:00:00Z"}}]',
        "2026-01-05T00:00:00Z",
    ),
    ("{{ thread_field('V', 'category') }}", '[{"key": "category", "stringValue": " "}]', NULL),
    ("{{ thread_field('V', 'category') }}", '[{"key": "other", "stringValue": "x"}, "stray"]', NULL),
    ("{{ thread_field('V', 'category') }}", '{"key": "category", "stringValue": "x"}', NULL),
    ("{{ thread_field('V', 'category') }}", "", NULL),
    ("{{ iso_date('V') }}", "2026-01-05", "2026-01-05"),
    ("{{ iso_date('V') }}", " 2026-01-05 ", "2026-01-05"),
    ("{{ iso_date('V') }}", "2026-02-30", NULL),
    ("{{ iso_date('V') }}", "2026-1-5", NULL),
    ("{{ iso_date('V') }}", "05/01/2026", NULL),
    ("{{ iso_date('V') }}", "2026-01-05T00:00:00Z", NULL),
    ("{{ iso_date('V') }}", "epoch", NULL),
    ("{{ iso_date('V') }}", "∅", NULL),
    ("{{ array_length(text_array('V')) }}", '["a", "b"]', "2"),
    ("{{ array_length(text_array('V')) }}", "[]", "0"),
    ("{{ array_length(text_array('V')) }}", '{"a": 1}', "0"),
    ("{{ array_length(text_array('V')) }}", NULL, "0"),
    ("{{ json_document('V') }}", '{"a":  1}', '{"a":  1}'),
    ("{{ json_document('V') }}", "{a", NULL),
    ("{{ date_in_zone(utc_timestamp('V'), 'America/Sao_Paulo') }}", "2026-01-05T02:59:59Z", "2026-01-04"),
    ("{{ date_in_zone(utc_timestamp('V'), 'America/Sao_Paulo') }}", "2026-01-05T03:00:00Z", "2026-01-05"),
    ("{{ iso_day_of_week(date_in_zone(utc_timestamp('V'), 'UTC')) }}", "2026-01-04T00:00:00Z", "7"),
]


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """Every case's expression as each engine gets it; neither engine is asked anything."""
    project = Project(tmp_path_factory.mktemp("engine"))
    inline = "\n;;\n".join(expression for expression, _, _ in CASES)
    texts = {}
    for target in ("local", "dev"):
        quietly = ("--no-populate-cache", "--no-introspect")
        outcome = project.run("compile", "--target", target, *quietly, "--inline", inline)
        assert outcome.success, outcome.said()
        texts[target] = outcome.result.results[0].node.compiled_code.split("\n;;\n")
    return texts


@pytest.mark.parametrize("case", range(len(CASES)), ids=[f"{e[3:-3]} of {v!r}" for e, v, _ in CASES])
def test_a_value_is_cast_or_is_null(compiled: dict[str, list[str]], case: int) -> None:
    _, given, wanted = CASES[case]
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'Asia/Tokyo'")  # the session's zone must not matter
        query = f"select cast({compiled['local'][case]} as varchar) from (select cast(? as varchar) as V)"
        assert connection.execute(query, [given]).fetchone() == (wanted,)


@pytest.mark.parametrize("case", range(len(CASES)), ids=[f"{e[3:-3]} of {v!r}" for e, v, _ in CASES])
def test_its_snowflake_text_can_be_read(compiled: dict[str, list[str]], case: int) -> None:
    text = compiled["dev"][case]
    assert "regexp_full_match" not in text
    assert "json_extract" not in text
    sqlglot.parse_one(f"select {text} from T", read="snowflake")
