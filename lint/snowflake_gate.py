"""Is this text Snowflake's SQL? Two grammars and a list of functions must all know it.

    .venv-lint/bin/python lint/snowflake_gate.py FILE_OR_FOLDER ...      exit 1 and the reasons if anything is not
    .venv-lint/bin/python lint/snowflake_gate.py --score valid.sql invalid.sql

The emulator of the tests runs what DuckDB understands, so it takes much that Snowflake would refuse. This reads the
text only: sqlglot and SQLFluff each have a grammar of Snowflake's, neither complete, and neither knows the functions;
their names are in snowflake_functions.txt. What passes here may still be refused for its types or its privileges.
"""

from __future__ import annotations

import argparse
import logging
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from itertools import pairwise
from pathlib import Path

import sqlglot
from sqlfluff.core import Linter
from sqlglot import exp
from sqlglot.tokens import Token, TokenType

# SQLFluff needs a second for some 6000 characters. What is longer is made by macros that shorter texts use as well.
LONGEST = 60_000

FUNCTIONS = frozenset(Path(__file__).with_name("snowflake_functions.txt").read_text().split())

# Words that may stand before a parenthesis and are no functions.
WORDS = frozenset(
    re.findall(
        r"\S+",
        """ADD ALL AND ANY ARRAY AS ASC AT BEFORE BETWEEN BY CASE CLUSTER COLUMN COMMENT COPY CUBE DEFAULT DESC
    DISTINCT ELSE EXCEPT EXCLUDE EXISTS FILES FILE_FORMAT FOR FORMAT FROM FUNCTION GROUP GROUPING HAVING IDENTIFIER
    ILIKE IN INSERT INTERSECT INTO IS JOIN KEY LATERAL LIKE LIMIT MAP MATCH_CONDITION MINUS NOT NULL NULL_IF OBJECT ON
    OR ORDER OVER OVERWRITE PARTITION PIVOT PREDICATE PRIMARY QUALIFY RECURSIVE REFERENCES RENAME REPLACE RETURNS RLIKE
    ROLLUP SAMPLE SELECT SET SETS SOME TABLE TABLESAMPLE THEN UNION UNIQUE UNPIVOT USING VALUES VARIANT VECTOR VIEW WHEN
    WHERE WITH WITHIN""",
    )
)
TYPES = frozenset(
    re.findall(
        r"\S+",
        """BIGINT BINARY BOOLEAN CHAR CHARACTER DATE DATETIME DEC DECIMAL DOUBLE FLOAT GEOGRAPHY GEOMETRY INT INTEGER
    NCHAR NUMBER NUMERIC NVARCHAR REAL SMALLINT STRING TEXT TIME TIMESTAMP TIMESTAMPLTZ TIMESTAMPNTZ TIMESTAMPTZ
    TIMESTAMP_LTZ TIMESTAMP_NTZ TIMESTAMP_TZ TINYINT VARBINARY VARCHAR""",
    )
)
KINDS_OF_TYPE = frozenset(
    {
        *(exp.DType.ARRAY, exp.DType.BIGINT, exp.DType.BINARY, exp.DType.BOOLEAN, exp.DType.CHAR, exp.DType.DATE),
        *(exp.DType.DATETIME, exp.DType.DECIMAL, exp.DType.DOUBLE, exp.DType.FLOAT, exp.DType.GEOGRAPHY),
        *(exp.DType.GEOMETRY, exp.DType.INT, exp.DType.MAP, exp.DType.NCHAR, exp.DType.NVARCHAR, exp.DType.OBJECT),
        *(exp.DType.SMALLINT, exp.DType.TEXT, exp.DType.TIME, exp.DType.TIMESTAMP, exp.DType.TIMESTAMPLTZ),
        *(exp.DType.TIMESTAMPNTZ, exp.DType.TIMESTAMPTZ, exp.DType.TINYINT, exp.DType.VARBINARY, exp.DType.VARCHAR),
        *(exp.DType.VARIANT, exp.DType.VECTOR, exp.DType.NULL, exp.DType.FILE),
    }
)
# Operators of other engines, that one of the grammars lets through.
OPERATORS = frozenset(
    {"==", "->>", "#>", "#>>", "**", "~", "~*", "!~", "~~", "~~*", "^@", "@>", "<@", "&&", "<=>", "?|"}
)
FOREIGN = {
    exp.Filter: "FILTER (WHERE …) after an aggregate",
    exp.AtTimeZone: "AT TIME ZONE",
    exp.SimilarTo: "SIMILAR TO",
    exp.Glob: "GLOB",
    exp.OnConflict: "ON CONFLICT",
    exp.Returning: "RETURNING",
    exp.Comprehension: "a list comprehension",
    exp.Unnest: "UNNEST in FROM",
}
# Statements that one grammar does not know and the other does: nothing was understood of them but their first word.
OWN_STATEMENTS = frozenset(
    re.findall(
        r"\S+",
        """ALTER BEGIN CALL COMMENT CREATE DROP EXECUTE EXPLAIN GET GRANT LIST LS PUT REMOVE RESUME REVOKE RM SHOW
    SUSPEND TRUNCATE UNDROP UNSET USE""",
    )
)


@cache
def linter() -> Linter:
    return Linter(dialect="snowflake", rules=("LT01",))


def check(sql: str) -> list[str]:
    """Why a text is not Snowflake's; nothing if it is."""
    try:
        statements = [each for each in sqlglot.parse(sql, read="snowflake") if each is not None]
        tokens = sqlglot.tokenize(sql, read="snowflake")
    except sqlglot.errors.SqlglotError as error:
        return [f"sqlglot: {str(error).splitlines()[0][:140]}"]
    found = [
        *(f"function {name} is unknown" for name in sorted(functions(tokens) - FUNCTIONS)),
        *(f"operator {token.text}" for token in tokens if token.text.upper() in OPERATORS and _is_operator(token)),
        *misspelt(tokens),
        *(reason for statement in statements for reason in foreign(statement)),
    ]
    if len(sql) <= LONGEST:
        found += [f"sqlfluff: {str(violation)[:140]}" for violation in linter().parse_string(sql).violations]
    return list(dict.fromkeys(found))


def functions(tokens: Sequence[Token]) -> set[str]:
    """Every name that is called."""
    called = set()
    for number, (name, following) in enumerate(pairwise(tokens)):
        if following.token_type is not TokenType.L_PAREN or not re.fullmatch(r"[A-Za-z_][\w$]*", name.text):
            continue
        if name.token_type in (TokenType.STRING, TokenType.IDENTIFIER, TokenType.PARAMETER):
            continue
        before = tokens[number - 1] if number else None
        if _is_no_call(before) or name.text.upper() in WORDS | TYPES:
            continue
        called.add(name.text.upper())
    return called


def _is_no_call(before: Token | None) -> bool:
    """Whether what follows is a table with columns, or a name that is given to something."""
    if before is None:
        return False
    names = (TokenType.DOT, TokenType.TABLE, TokenType.INTO, TokenType.VIEW, TokenType.WITH, TokenType.ALIAS)
    return before.token_type in (*names, TokenType.R_PAREN) or before.text.upper() in (
        "RECURSIVE",
        "FUNCTION",
        "EXISTS",
    )


def misspelt(tokens: Sequence[Token]) -> Iterator[str]:
    """What sqlglot reads as it is meant, although it is not said as Snowflake wants it."""
    for token, following in pairwise(tokens):
        if token.token_type is TokenType.INTERVAL and following.token_type is TokenType.NUMBER:
            yield "INTERVAL without quotes"
        if token.token_type is TokenType.MAP and following.token_type is TokenType.L_BRACE:
            yield "MAP {…}"


def _is_operator(token: Token) -> bool:
    return token.token_type not in (TokenType.STRING, TokenType.IDENTIFIER, TokenType.RAW_STRING)


def foreign(statement: exp.Expr) -> Iterator[str]:
    """What sqlglot reads although Snowflake has it not."""
    if isinstance(statement, exp.Command) and str(statement.this).upper() not in OWN_STATEMENTS:
        yield f"statement {statement.this} is unknown"
    if isinstance(statement, (exp.Pragma, exp.Attach, exp.Detach, exp.Summarize)):
        yield f"statement {statement.key.upper()} is unknown"
    for node in statement.walk():
        for kind, name in FOREIGN.items():
            if isinstance(node, kind):
                yield name
        match node:
            case exp.Select():
                if (distinct := node.args.get("distinct")) and distinct.args.get("on"):
                    yield "DISTINCT ON"
                if node.args.get("windows"):
                    yield "a WINDOW clause"
                if not node.expressions:
                    yield "FROM without SELECT"
            case exp.Join():
                if node.kind.upper() in ("SEMI", "ANTI", "POSITIONAL") or node.side.upper() in ("SEMI", "ANTI"):
                    yield f"{node.kind or node.side} JOIN"
            case exp.DataType() if node.this not in KINDS_OF_TYPE:
                yield f"type {node.sql()}"
            case exp.Order() if isinstance(node.parent, exp.AggFunc) and not isinstance(
                node.parent, exp.WithinGroup | exp.GroupConcat
            ):
                yield "ORDER BY inside an aggregate"
            case exp.Insert() if node.args.get("by_name") or node.args.get("alternative"):
                yield "INSERT BY NAME or INSERT OR …"
            case exp.Create() if node.kind in ("MACRO", "TYPE"):
                yield f"CREATE {node.kind}"


def statements_of(text: str) -> list[str]:
    """The statements of a list, one after each semicolon at a line's end, without comments of whole lines."""
    lines = [line for line in text.splitlines() if not line.strip().startswith("--")]
    return [each.strip() for each in re.split(r";[ \t]*(?:\n|$)", "\n".join(lines) + "\n") if each.strip()]


def score(valid: Path, invalid: Path) -> tuple[list[str], list[str]]:
    """The valid statements that are refused, and the invalid ones that pass."""
    with ProcessPoolExecutor() as pool:
        good, bad = (statements_of(path.read_text()) for path in (valid, invalid))
        refused = [each for each, found in zip(good, pool.map(check, good), strict=True) if found]
        passed = [each for each, found in zip(bad, pool.map(check, bad), strict=True) if not found]
    print(f"{len(good) - len(refused)} of {len(good)} valid statements pass, "
          f"{len(bad) - len(passed)} of {len(bad)} invalid ones are refused")  # fmt: skip
    for title, statements in (("valid and refused", refused), ("invalid and passed", passed)):
        for each in statements:
            print(f"  {title}: {' '.join(each.split())[:200]}")
            for reason in check(each):
                print(f"      {reason}")
    return refused, passed


def shape(sql: str) -> str:
    """A text without its names and values: texts of one shape are right or wrong together.

    A name that the language reserves stays, because that is what may be wrong with it.
    """
    reserved = linter().config.get("dialect_obj").sets("reserved_keywords")

    def masked(word: re.Match[str]) -> str:
        text = word[0].upper()
        return text if text in reserved | FUNCTIONS or text in WORDS | TYPES else "NAME"

    without_values = re.sub(r"'(?:[^']|'')*'", "''", re.sub(r"/\*.*?\*/", "", sql, flags=re.DOTALL))
    return " ".join(re.sub(r"[A-Za-z_][\w$]*", masked, without_values).split())


def files_in(paths: Iterable[Path]) -> list[Path]:
    return sorted(file for path in paths for file in (path.rglob("*.sql") if path.is_dir() else [path]))


def _check_file(file: Path) -> list[str]:
    return check(file.read_text())


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--score", action="store_true", help="the two files are a list of valid and one of invalid SQL")
    parser.add_argument("paths", nargs="+", type=Path)
    args = parser.parse_args(argv)
    logging.getLogger("sqlglot").setLevel(logging.ERROR)  # it warns of what it cannot parse, which is reported here
    if args.score:
        score(*args.paths)
        return 0
    files = files_in(args.paths)
    if not files:
        parser.error("there is no SQL in what was given")
    texts = {shape(file.read_text()): file for file in reversed(files)}
    wrong = 0
    with ProcessPoolExecutor() as pool:
        for file, found in zip(texts.values(), pool.map(_check_file, texts.values(), chunksize=8), strict=True):
            if found:
                wrong += 1
                print(file, *found, sep="\n    ")
    print(f"{len(files)} files of {len(texts)} shapes, {wrong} of them not Snowflake's")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
