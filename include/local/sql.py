"""`make sql`: a prompt, or one query, on the published copy. Read-only; a newer copy is picked up by itself."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import duckdb

from include.local.console import table
from include.local.folder import Refused, shown
from include.settings import load_settings

HELP = "End a statement with ;   .tables lists what there is   .quit or Ctrl-D leaves"
TABLES = (
    "select table_schema as schema, table_name as name, table_type as type, "
    "(select count(*) from information_schema.columns c "
    "where c.table_schema = t.table_schema and c.table_name = t.table_name) as columns "
    "from information_schema.tables t order by all"
)


class Published:
    """The published copy, opened for each statement: a publish in between is seen, and none is ever held up."""

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise Refused(f"nothing is published yet ({shown(path)} does not exist); make run builds and publishes it")
        self.path = path

    def ask(self, statement: str) -> list[str]:
        """One statement's result as lines."""
        with duckdb.connect(str(self.path), read_only=True) as connection:
            answer = connection.execute(statement)
            if not answer.description:
                return ["ok"]
            header = [column[0] for column in answer.description]
            numeric = [i for i, column in enumerate(answer.description) if str(column[1]) in NUMBERS]
            rows = answer.fetchall()
        lines = table(header, [[shown_value(value) for value in row] for row in rows], right=numeric)
        rule = "-" * max(len(line) for line in lines)
        return [lines[0], rule, *lines[1:], f"({len(rows):,} row{'' if len(rows) == 1 else 's'})"]


NUMBERS = ("NUMBER", "BIGINT", "INTEGER", "HUGEINT", "DOUBLE", "FLOAT", "SMALLINT", "TINYINT")


def shown_value(value: object) -> str:
    return "NULL" if value is None else str(value).replace("\n", " ")


def prompt(published: Published, read: Callable[[str], str] = input) -> int:
    """Read statements until the end of input."""
    person = read is input and sys.stdin.isatty()
    if person:
        print(f"{shown(published.path)}, read-only. {HELP}")
    pending = ""
    while True:
        try:
            line = read(("   ...> " if pending else "support> ") if person else "")
        except EOFError:
            if person:
                print()
            return 0
        except KeyboardInterrupt:
            print()
            pending = ""
            continue
        command = line.strip().lower()
        if not pending and command in (".quit", ".exit", "quit", "exit"):
            return 0
        if not pending and command in (".help", "help"):
            print(HELP)
            continue
        statement = TABLES + ";" if not pending and command == ".tables" else f"{pending}\n{line}".strip()
        if not statement.endswith(";"):
            pending = statement
            continue
        pending = ""
        answer(published, statement)


def answer(published: Published, statement: str) -> int:
    try:
        print("\n".join(published.ask(statement)))
    except duckdb.Error as error:
        print(f"sql: {error}", file=sys.stderr)
        return 1
    return 0


def sql(statement: str) -> int:
    """Answer one statement, or prompt."""
    published = Published(load_settings().published_copy)
    if statement:
        return answer(published, statement)
    if sys.stdin.isatty():
        import readline  # noqa: F401  # gives input() a history and line editing
    return prompt(published)
