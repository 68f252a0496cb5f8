"""The gate refuses what another engine's SQL does, and takes Snowflake's. What the emulator takes too easily fails here."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LINT_PYTHON = ROOT / ".venv-lint" / "bin" / "python"
ASK = "import json, sys; from snowflake_gate import check; print(json.dumps([check(s) for s in json.load(sys.stdin)]))"

FOREIGN = {
    "select distinct on (A) A, B from T order by A": "DISTINCT ON",
    "select count(*) filter (where A > 1) from T": "FILTER",
    "select A at time zone 'UTC' from T": "AT TIME ZONE",
    "select strftime(A, '%Y') from T": "STRFTIME",
    "select A ->> 'x' from T": "->>",
    "select json_extract(A, '$.x') from T": "JSON_EXTRACT",
    "from T select A": "sqlfluff",
    "select A::hugeint from T": "type",
    "select cast(A as json) from T": "type",
    "select * from unnest([1, 2])": "UNNEST",
    "insert into T by name select 1 as A": "BY NAME",
    "insert into T values (1) on conflict do nothing": "ON CONFLICT",
    "delete from T returning A": "sqlglot",
    "select * from range(5)": "RANGE",
    "select A ** 2 from T": "sqlglot",
    "select A from T semi join S on T.A = S.A": "SEMI",
    "select sum(A) over W from T window W as (partition by B)": "sqlglot",
    "select string_agg(A, ',') from T": "STRING_AGG",
    "select array_agg(A order by B) from T": "ORDER BY inside",
    "select current_date + interval 1 day": "INTERVAL",
    "select [X for X in A] from T": "comprehension",
    "create macro F(X) as X + 1": "sqlfluff",
    "select cast(null as varchar) as order": "sqlfluff",
    "pragma table_info('T')": "PRAGMA",
    "selec 1": "sqlglot",
}
OWN = [
    "select A, B from T where A is distinct from B qualify row_number() over (partition by A order by B nulls last) = 1",
    "select * exclude (A) rename (B as C) from T",
    "select V:a.b[0]::number(10, 2), iff(A > 1, 'x', 'y') from T, lateral flatten(input => T.V) F",
    "select get(filter(as_array(try_parse_json(A)), X -> cast(get(X, 'k') as varchar) = 'v'), 0) from T",
    "select listagg(distinct A, ',') within group (order by A) from T group by all",
    "select * from table(generator(rowcount => 10))",
    "merge into T as D using S on D.ID = S.ID when matched and D.X <> S.X then update set X = S.X "
    "when not matched then insert (ID, X) values (S.ID, S.X)",
    "create or replace transient table A.B.C cluster by (X) copy grants as select 1 as X",
    "create table if not exists T (A varchar not null, B timestamp_ntz(6), C variant, D array)",
    "put 'file:///x/y.parquet' @DB.SC.%T/p/ auto_compress = false overwrite = true",
    "remove @DB.SC.%T/p/",
    "alter session set query_tag = 'x'",
    "select $$it's; fine$$ as A",
    "create secure view V as select 1 as X",
]


@pytest.fixture(scope="module")
def found() -> dict[str, list[str]]:
    """What the gate has against each statement."""
    statements = [*FOREIGN, *OWN]
    done = subprocess.run(
        [str(LINT_PYTHON), "-c", ASK],
        input=json.dumps(statements),
        cwd=ROOT / "lint",
        capture_output=True,
        text=True,
        check=True,
    )
    return dict(zip(statements, json.loads(done.stdout), strict=True))


@pytest.mark.parametrize("statement", FOREIGN)
def test_what_is_not_snowflakes_is_refused_with_the_reason(found: dict[str, list[str]], statement: str) -> None:
    assert any(FOREIGN[statement] in reason for reason in found[statement]), found[statement]


@pytest.mark.parametrize("statement", OWN)
def test_what_is_snowflakes_passes(found: dict[str, list[str]], statement: str) -> None:
    assert found[statement] == []


def score_of(folder: Path) -> str:
    """What the gate says of the two lists of a folder."""
    command = [str(LINT_PYTHON), "lint/snowflake_gate.py", "--score", folder / "valid.sql", folder / "invalid.sql"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout


def test_a_list_is_scored_statement_by_statement(tmp_path: Path) -> None:
    (tmp_path / "valid.sql").write_text("-- a page\nselect 1 as A;\nselect json_extract(A, '$')\nfrom T;\n")
    (tmp_path / "invalid.sql").write_text("select ';' as A;\nselec 1;\n")
    said = score_of(tmp_path)
    assert said.startswith("1 of 2 valid statements pass, 1 of 2 invalid ones are refused\n")
    assert "valid and refused: select json_extract(A, '$') from T" in said
    assert "invalid and passed: select ';' as A" in said


def test_the_published_score_is_the_one_it_has() -> None:
    score = score_of(ROOT / "tests" / "snowflake" / "statements").splitlines()[0]
    assert int(score.split(" of ")[1].split()[0]) >= 80  # lists that are long enough to mean something
    assert int(score.split(" of ")[2].split()[0]) >= 60
    page = " ".join((ROOT / "docs" / "snowflake.md").read_text().split())
    assert f"**{score}**" in page
