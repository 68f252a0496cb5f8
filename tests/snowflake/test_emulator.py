"""The emulator does what Snowflake documents, where our SQL relies on it; and it refuses what it must refuse."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from snowflake.connector import SnowflakeConnection
from snowflake.connector.errors import DatabaseError, Error, ProgrammingError

from tests.snowflake.emulator import Emulator

pytestmark = pytest.mark.integration

LISTED = """'[{"slug": "x", "value": 1}, "stray"]'"""
VALUES: list[tuple[str, Any]] = [
    ("cast(null as timestamp_ntz)", None),
    ("try_to_timestamp_ntz('2026-01-05 06:20:00.5')", datetime(2026, 1, 5, 6, 20, 0, 500000)),
    ("try_to_timestamp_ntz('no time')", None),
    ("cast(convert_timezone('UTC', try_to_timestamp_tz('2026-01-05T01:04:00+02:00')) as timestamp_ntz(6))",
     datetime(2026, 1, 4, 23, 4)),
    ("try_to_timestamp_tz('no time')", None),
    ("cast('2026-01-05' as timestamp_ntz)", datetime(2026, 1, 5)),
    ("try_to_date('2026-01-05', 'YYYY-MM-DD')", date(2026, 1, 5)),
    ("try_to_date('2026-13-05', 'YYYY-MM-DD')", None),
    ("cast(try_to_number('12.0', 38, 0) as bigint)", 12),
    ("try_to_number('twelve', 38, 0)", None),
    ("try_to_decimal('12.345', 10, 2)", Decimal("12.35")),
    ("cast(get(try_parse_json('{\"a.b\": \"yes\", \"a\": {\"b\": \"no\"}}'), 'a.b') as varchar)", "yes"),
    ("cast(get(get(try_parse_json('{\"a\": [\"y\"]}'), 'a'), 0) as varchar)", "y"),
    ("cast(get(try_parse_json('{broken'), 'a') as varchar)", None),
    ("cast(get(try_parse_json('{\"a\": null}'), 'a') as varchar)", None),
    (f"cast(get(get(filter(as_array(try_parse_json({LISTED})), "
     "each -> cast(get(each, 'slug') as varchar) = 'x'), 0), 'value') as varchar)", "1"),
    ("array_size(as_array(try_parse_json('[1, 2]')))", 2),
    ("array_size(as_array(try_parse_json('{}')))", None),
    ("regexp_like('xay', 'a')", False),  # the whole text is matched, not a part
    ("regexp_like('a', 'a')", True),
]  # fmt: skip


@pytest.fixture
def session(emulator: Emulator, request: pytest.FixtureRequest) -> Iterator[SnowflakeConnection]:
    """A session in a schema of the test's own."""
    with emulator.connect("EMULATED", schema=f"S{abs(hash(request.node.name))}") as connection:
        yield connection


def run(session: SnowflakeConnection, sql: str) -> list[tuple[Any, ...]]:
    with session.cursor() as cursor:
        return [tuple(row) for row in cursor.execute(sql).fetchall()]


@pytest.mark.parametrize(("expression", "wanted"), VALUES, ids=[expression for expression, _ in VALUES])
def test_a_value_is_what_snowflake_makes_of_it(session: SnowflakeConnection, expression: str, wanted: Any) -> None:
    assert run(session, f"select {expression}") == [(wanted,)]


def test_the_index_of_an_element_is_its_place(session: SnowflakeConnection) -> None:
    run(
        session,
        "create table LISTS as select '[0,1,2,3,' || (seq4() + 10) || ']' as LIST from table(generator(rowcount => 5000))",
    )
    run(
        session,
        "create table ELEMENTS as select E.INDEX as PLACE, cast(E.VALUE as integer) as VALUE from LISTS "
        "cross join lateral flatten(input => as_array(try_parse_json(LISTS.LIST))) as E",
    )
    assert run(session, "select count(*), count_if(PLACE = VALUE) from ELEMENTS where VALUE < 10") == [(20000, 20000)]


def test_a_sum_of_decimals_is_exact(session: SnowflakeConnection) -> None:
    tenths = "select cast(0.1 as number(12, 2)) as V union all select cast(0.2 as number(12, 2))"
    assert run(session, f"select sum(V) from ({tenths})") == [(Decimal("0.30"),)]


def test_keys_are_not_enforced_and_not_null_is(session: SnowflakeConnection) -> None:
    run(session, "create table T (A integer not null primary key, B varchar, unique (B))")
    assert run(session, "insert into T values (1, 'x'), (1, 'x')") == [(2,)]
    with pytest.raises(Error, match="NOT NULL"):
        run(session, "insert into T values (null, 'x')")


def test_a_typed_table_refuses_null_from_its_query(session: SnowflakeConnection) -> None:
    with pytest.raises(Error, match="NOT NULL"):
        run(session, "create or replace table T (A date not null, primary key (A)) as (select cast(null as date))")


def test_a_merge_counts_what_it_did(session: SnowflakeConnection) -> None:
    run(session, "create table T as select 1 as A, 'old' as B union all select 2, 'same'")
    merge = """
        merge into T as held using (select 1 as A, 'new' as B union all select 3, 'more') as given
        on held.A = given.A
        when matched and held.B is distinct from given.B then update set B = given.B
        when not matched then insert (A, B) values (A, B)
    """
    assert run(session, merge) == [(1, 1)]
    assert run(session, "select * from T order by A") == [(1, "new"), (2, "same"), (3, "more")]


def test_a_merge_refuses_two_rows_for_one_and_does_nothing(session: SnowflakeConnection) -> None:
    run(session, "create table T as select 1 as A, 'old' as B")
    merge = """
        merge into T as held using (select 1 as A, 'x' as B union all select 1, 'y' union all select 2, 'z') as given
        on held.A = given.A
        when matched then update set B = given.B when not matched then insert (A, B) values (given.A, given.B)
    """
    with pytest.raises(ProgrammingError, match="100090"):
        run(session, merge)
    assert run(session, "select * from T") == [(1, "old")]


def test_ddl_ends_the_open_transaction(session: SnowflakeConnection) -> None:
    run(session, "create table T (A integer)")
    for statement in ("begin", "insert into T values (1)", "create table U (A integer)", "rollback"):
        run(session, statement)
    assert run(session, "select count(*) from T") == [(1,)]


def test_a_temporary_table_has_a_full_name_and_goes_with_its_session(emulator: Emulator) -> None:
    with emulator.connect("EMULATED", schema="S") as session:
        run(session, "create or replace temporary table EMULATED.S.SCRATCH as select 1 as A")
        assert run(session, "select A from EMULATED.S.SCRATCH") == [(1,)]
    with emulator.connect("EMULATED", schema="S") as session, pytest.raises(ProgrammingError, match="002003"):
        run(session, "select A from EMULATED.S.SCRATCH")


def test_a_session_that_ends_undoes_what_it_has_not_committed(emulator: Emulator) -> None:
    with emulator.connect("EMULATED", schema="S") as session:
        run(session, "create or replace table EMULATED.S.UNDONE (A integer)")
        run(session, "begin")
        run(session, "insert into EMULATED.S.UNDONE values (1)")
    assert emulator.query("select count(*) from EMULATED.S.UNDONE", "EMULATED") == [(0,)]


def test_a_table_of_another_database_can_be_described(emulator: Emulator, session: SnowflakeConnection) -> None:
    run(session, "create or replace table T (A integer)")
    here = f"EMULATED.{session.schema}.T"
    assert [row[0] for row in emulator.query(f"describe table {here}", "ELSEWHERE")] == ["A"]


@pytest.mark.parametrize(
    "statement",
    [
        "alter session set query_tag = 'x'",
        "grant select on table T to role READER",
        "comment on table T is $$it's; a table$$",
        'alter table T alter "A" comment $$it\'s$$, "B" comment $$b$$',
        "use role READER",
    ],
)
def test_what_has_no_meaning_here_is_accepted(session: SnowflakeConnection, statement: str) -> None:
    run(session, statement)


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ("select A from NOWHERE", "002003"),
        ("selec 1", "001003"),
        ("select count(*) form T", "001003"),
        ("select no_such_function(1)", "002003"),
        ("select cast('x' as integer)", "1000"),
    ],
)
def test_what_is_wrong_is_refused_at_once_and_with_a_reason(
    session: SnowflakeConnection, statement: str, code: str
) -> None:
    with pytest.raises(ProgrammingError, match=code):
        run(session, statement)


def test_a_refusal_can_be_scripted(emulator: Emulator, session: SnowflakeConnection) -> None:
    emulator.fail("select 41", 606, "57P03", "No active warehouse selected in the current session.")
    with pytest.raises(ProgrammingError, match="No active warehouse"):
        run(session, "select 41")
    assert run(session, "select 41") == [(41,)]
    emulator.fail("login", 250001, "08001", "Incorrect username or password was specified.")
    with pytest.raises(DatabaseError, match="Incorrect username"), emulator.connect("EMULATED"):
        pass
