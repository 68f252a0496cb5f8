"""Where fakesnow 0.12.1 differs from what Snowflake documents, and what our SQL meets: each put right, one by one.

All of it replaces private parts of that one version (requirements-dev.txt pins it). Nothing here knows the project.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from string import Template
from typing import Any

import duckdb
import fakesnow.arrow
import fakesnow.cursor
import fakesnow.macros
import fakesnow.server
import fakesnow.transforms.transforms
import pyarrow as pa
import pyarrow.compute as pc
import sqlglot
from fakesnow.cursor import FakeSnowflakeCursor as Cursor
from fakesnow.transforms import stage
from snowflake.connector.errors import ProgrammingError
from sqlglot import exp

from tests.snowflake.emulator.server import check_refusals

# What has no meaning without accounts, roles, warehouses and documentation: accepted, and forgotten.
WITHOUT_MEANING = [
    r"\s*alter\s+session\s+(set|unset)\s+(?!autocommit)",
    r"\s*(grant|revoke)\s",
    r"\s*(create|alter|drop)\s+(or\s+replace\s+)?(warehouse|role|user)\b",
    r"\s*use\s+(secondary\s+roles?|role|warehouse)\b",
    r"\s*comment\s+on\b",
    r"\s*comment\s+if\s+exists\s+on\b",
    r"\s*alter\s+(table|view)\s+\S+\s+alter\s+\S+\s+comment\s",
    r"\s*alter\s+(table|view)\s+\S+\s+(set|unset)\s+comment\b",
]

TEXTS = (exp.DType.VARCHAR, exp.DType.TEXT)

# What dbt asks of the session, which has neither grants nor tags.
ASKED = {
    r"\s*show\s+parameters\s+like\s+'query_tag'": "select 'QUERY_TAG' as \"key\", '' as \"value\"",
    r"\s*show\s+grants\b": (
        'select cast(null as varchar) as "privilege", cast(null as varchar) as "granted_to", '
        'cast(null as varchar) as "grantee_name" where false'
    ),
}


def apply() -> None:
    """Put everything right, once for the process."""
    fakesnow.server.shared_fs.nop_regexes = WITHOUT_MEANING
    _null_timestamps()
    _exact_sums()
    _describe_anywhere()
    _flattened_places()
    _statements()
    _execution()
    _stages()


def _null_timestamps() -> None:
    """A NULL timestamp arrives as NULL, not as 1970."""
    convert = fakesnow.arrow.timestamp_to_sf_struct

    def converted(instants: Any) -> Any:
        if isinstance(instants, pa.ChunkedArray):
            instants = instants.combine_chunks()
        if not instants.null_count:
            return convert(instants)
        zero = pa.scalar(0, pa.int64()).cast(instants.type)
        filled = convert(pc.fill_null(instants, zero))
        parts = [filled.field(i) for i in range(filled.type.num_fields)]
        return pa.StructArray.from_arrays(parts, fields=list(filled.type), mask=pc.is_null(instants))

    fakesnow.arrow.timestamp_to_sf_struct = converted


def _exact_sums() -> None:
    """Sums of decimals are decimals; fakesnow computes them in binary floating point."""
    fakesnow.cursor.transforms.numeric_agg_implicit_cast = lambda expression: expression


def _describe_anywhere() -> None:
    """A table of another database than the session's own can be described."""
    text = fakesnow.transforms.transforms.SQL_DESCRIBE_TABLE.template
    everywhere = text.replace("FROM _fs_information_schema.", "FROM _fs_global._fs_information_schema.")
    assert everywhere != text
    fakesnow.transforms.transforms.SQL_DESCRIBE_TABLE = Template(everywhere)


def _flattened_places() -> None:
    """INDEX is an element's place in its array; fakesnow numbers the rows, in whatever order they come."""
    text = fakesnow.macros.FS_FLATTEN.template
    for old, new in (
        ("lambda x:", "lambda x, i:"),
        ("v := CAST(TO_JSON(input) -> x AS JSON))", "v := CAST(TO_JSON(input) -> x AS JSON), n := i - 1)"),
        ("v := x)", "v := x, n := i - 1)"),
        ("(row_number() OVER () - 1)", "e.n"),
        ("AS e(k, v)", "AS e(k, v, n)"),
    ):
        assert old in text
        text = text.replace(old, new)
    fakesnow.macros.FS_FLATTEN = Template(text)


# -- statements, before fakesnow translates them


def _statements() -> None:
    translate = Cursor._transform

    def translated(self: Cursor, expression: exp.Expr, params: Any) -> exp.Expr:
        if isinstance(expression, exp.Create):
            _scope_temporary(self, expression)
            _drop_unenforced(expression)
        return translate(self, _said_for_duckdb(expression), params)

    Cursor._transform = translated

    explode = Cursor._transform_explode

    def exploded(self: Cursor, expression: exp.Expr) -> list[exp.Expr]:
        if isinstance(expression, exp.Merge):
            return [expression]
        if isinstance(expression, exp.Create) and isinstance(expression.this, exp.Schema):
            _drop_column_comments(expression)
            if expression.kind == "TABLE" and expression.expression:
                return _typed_table(expression)
        return explode(self, expression)

    Cursor._transform_explode = exploded


def _said_for_duckdb(statement: exp.Expr) -> exp.Expr:
    """A statement with every node, from the innermost out, put so that DuckDB does what Snowflake would."""
    for node in reversed(list(statement.walk())):
        said = _put_for_duckdb(node)
        if node is statement:
            return said
        if said is not node:
            node.replace(said)
    return statement


def _put_for_duckdb(node: exp.Expr) -> exp.Expr:
    match node:
        case exp.Cast(this=exp.Anonymous(this="json_extract") as found) if node.to.this in TEXTS:
            # a string in a variant becomes its text, without quotes
            return _call("json_extract_string", *found.expressions)
        case exp.GetExtract():
            return _call("json_extract", node.this, _path(node.expression))
        case exp.ArrayFilter():
            elements = exp.Cast(this=node.this, to=_duckdb_type("JSON[]"))
            return _call("to_json", _call("list_filter", elements, node.expression))
        case exp.Anonymous() if node.name.upper() == "AS_ARRAY":
            (value,) = node.expressions
            is_array = exp.EQ(this=_call("json_type", value.copy()), expression=exp.Literal.string("ARRAY"))
            return exp.Case(ifs=[exp.If(this=is_array, true=value)])
        case exp.Anonymous() if node.name.upper() in ("TRY_TO_TIMESTAMP_TZ", "TRY_TO_TIMESTAMP_LTZ"):
            return exp.TryCast(this=node.expressions[0], to=_duckdb_type("TIMESTAMPTZ"))
        case exp.Anonymous() if node.name.upper() in ("TRY_TO_TIMESTAMP", "TRY_TO_TIMESTAMP_NTZ"):
            return exp.TryCast(this=node.expressions[0], to=_duckdb_type("TIMESTAMP"))
        case exp.Cast() if node.to.this in (exp.DType.TIMESTAMP, exp.DType.TIMESTAMPNTZ):
            # fakesnow reads a whole number in such a cast as seconds, also where it is the text of a date
            kind = exp.TryCast if isinstance(node, exp.TryCast) else exp.Cast
            return kind(this=node.this, to=_duckdb_type("TIMESTAMP"))
        case _:
            return node


def _call(name: str, *arguments: exp.Expr) -> exp.Anonymous:
    return exp.Anonymous(this=name, expressions=list(arguments))


def _path(member: exp.Expr) -> exp.Expr:
    """A member's name or an element's number as a path; a name may hold dots."""
    assert isinstance(member, exp.Literal), "GET is only understood with a literal"
    return exp.Literal.string(f'$."{member.name}"' if member.is_string else f"$[{member.name}]")


def _duckdb_type(name: str) -> exp.DataType:
    """A type by DuckDB's own name, which no later translation touches."""
    return exp.DataType(this=exp.DType.USERDEFINED, kind=name)


def _scope_temporary(cursor: Cursor, create: exp.Create) -> None:
    """A temporary table stands in the schema it is named in, until its session ends; DuckDB's stand in none."""
    properties, table = create.args.get("properties"), create.find(exp.Table)
    if properties is None or table is None or not table.db:
        return
    kept = [each for each in properties.expressions if not isinstance(each, exp.TemporaryProperty)]
    if len(kept) < len(properties.expressions):
        properties.set("expressions", kept)
        session = cursor._conn
        if not hasattr(session, "temporary"):
            session.temporary = set()
        session.temporary.add(table.sql("duckdb"))


def _typed_table(create: exp.Create) -> list[exp.Expr]:
    """A table made with typed columns from a query holds those types and refuses NULL where it is declared so."""
    columns = [each.this.copy() for each in create.this.expressions if isinstance(each, exp.ColumnDef)]
    rows = create.expression.copy()
    into = exp.Schema(this=create.this.this.copy(), expressions=columns)
    empty = create.copy()
    empty.set("expression", None)
    return [empty, exp.Insert(this=into, expression=rows)]


def _drop_column_comments(create: exp.Create) -> None:
    for column in create.this.expressions:
        if isinstance(column, exp.ColumnDef):
            kept = [each for each in column.constraints if not isinstance(each.kind, exp.CommentColumnConstraint)]
            column.set("constraints", kept)


def _drop_unenforced(create: exp.Create) -> None:
    """Keys are declared and not enforced: only NOT NULL is."""
    if not isinstance(create.this, exp.Schema):
        return
    unenforced = (exp.PrimaryKey, exp.ForeignKey, exp.UniqueColumnConstraint, exp.Constraint)
    create.this.set("expressions", [each for each in create.this.expressions if not isinstance(each, unenforced)])
    inline = (exp.PrimaryKeyColumnConstraint, exp.UniqueColumnConstraint, exp.Reference)
    for column in create.this.expressions:
        if isinstance(column, exp.ColumnDef):
            kept = [each for each in column.constraints if not isinstance(each.kind, inline)]
            column.set("constraints", kept)


# -- execution


def _execution() -> None:
    execute, run = Cursor.execute, Cursor._execute

    def executed(self: Cursor, command: str, *arguments: Any, **named: Any) -> Cursor:
        check_refusals(command)
        for asked, instead in ASKED.items():
            if re.match(asked, command, re.IGNORECASE):
                command = instead
        return execute(self, command, *arguments, **named)

    def ran(self: Cursor, statement: exp.Expr, params: Any = None) -> None:
        if _is_ddl(statement):
            # It ends the open transaction first; DuckDB could roll it back.
            with suppress(duckdb.Error):
                self._duck_conn.commit()
            self._conn._in_transaction = False
        with _snowflakes_errors():
            if isinstance(statement, exp.Merge):
                _merge(self, statement, params, run)
            elif isinstance(statement, exp.Command) and str(statement.this).upper() in ("REMOVE", "RM"):
                _remove(self, statement, run)
            else:
                run(self, statement, params)

    Cursor.execute, Cursor._execute = executed, ran


def _is_ddl(statement: exp.Expr) -> bool:
    return isinstance(statement, (exp.Create, exp.Drop, exp.Alter)) or "create_stage_name" in statement.args


class _snowflakes_errors:
    """An error of DuckDB that fakesnow lets through becomes one that Snowflake's connector understands."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if not isinstance(error, duckdb.Error):
            return
        said = " ".join(str(error).split())
        match error:
            case duckdb.ConstraintException() if "NOT NULL" in said:
                errno, sqlstate = 100072, "22000"
            case duckdb.ConstraintException():
                errno, sqlstate = 100183, "23000"
            case duckdb.TransactionException():
                errno, sqlstate = 625, "57014"
            case duckdb.ConversionException():
                errno, sqlstate = 100038, "22018"
            case duckdb.CatalogException():
                errno, sqlstate = 2003, "42S02"
            case duckdb.BinderException():
                errno, sqlstate = 904, "42000"
            case _:
                errno, sqlstate = 100183, "XX000"
        raise ProgrammingError(msg=f"{type(error).__name__}: {said}", errno=errno, sqlstate=sqlstate) from error


def _merge(cursor: Cursor, merge: exp.Merge, params: Any, run: Callable[..., None]) -> None:
    """One statement, all or nothing, that refuses two source rows for one target row; fakesnow's is neither."""
    source, target = merge.args["using"], merge.this
    done = set()
    for when in merge.args["whens"].expressions:
        then = when.args["then"]
        done.add(_clause(when, then))
        if isinstance(then, exp.Update):
            for assignment in then.expressions:
                assignment.this.set("table", None)
        elif isinstance(then, exp.Insert):
            # DuckDB takes the target's columns bare, and an unqualified value for the target's
            for column in then.this.expressions if then.this is not None else ():
                column.set("table", None)
            for column in then.expression.find_all(exp.Column):
                if not column.table:
                    column.set("table", exp.to_identifier(source.alias_or_name, quoted=True))
    if done & {"updated", "deleted"}:
        condition = merge.args["on"].sql("duckdb")
        twice = (
            f"select 1 from {target.sql('duckdb')} join {source.sql('duckdb')} on {condition} "
            f'group by "{target.alias_or_name}".rowid having count(*) > 1 limit 1'
        )
        if cursor._duck_conn.execute(twice, params).fetchone():
            raise ProgrammingError(msg="Duplicate row detected during DML action", errno=100090, sqlstate="42P18")
    rows = cursor._duck_conn.execute(f"{merge.sql('duckdb')} returning merge_action", params).fetchall()
    actions = [action for (action,) in rows]
    counted = {"inserted": "INSERT", "updated": "UPDATE", "deleted": "DELETE"}
    columns = [
        f'cast({actions.count(action)} as bigint) as "number of rows {name}"'
        for name, action in counted.items()
        if name in done
    ]
    answer = sqlglot.parse_one(f"select {', '.join(columns)}", read="duckdb")
    answer.set("merge_counts", True)
    run(cursor, answer, None)


def _clause(when: exp.When, then: exp.Expr) -> str:
    if not when.args.get("matched"):
        return "inserted"
    return "updated" if isinstance(then, exp.Update) else "deleted"


# -- stages


def _remove(cursor: Cursor, statement: exp.Command, run: Callable[..., None]) -> None:
    """REMOVE, which fakesnow does not know: the files under a stage's path go."""
    place = statement.expression.name.strip().removeprefix("@")
    name, _, path = place.partition("/")
    database, schema, name = stage.parts_from_var(name, cursor._conn.database, cursor._conn.schema)
    found = cursor._duck_conn.execute(stage.stage_lookup_sql(database, schema, name, cursor._conn.table_stages))
    row = found.fetchone()
    if row is None:
        raise stage.not_found_error(f"{database}.{schema}.{name}")
    folder = Path(stage.internal_dir(row[0]))
    for file in [each for each in folder.rglob("*") if each.is_file()]:
        if str(file.relative_to(folder)).startswith(path):
            file.unlink()
    run(cursor, sqlglot.parse_one("select 'removed' as result", read="duckdb"), None)


def _stages() -> None:
    """PUT can replace a file, and a file that was replaced can be loaded again."""
    describe, store, put = fakesnow.server.gcs_stage_info, fakesnow.server._write_bucket_file, stage.put_stage

    def described(request: Any, expression: exp.Expr, upload: Any) -> dict[str, Any]:
        info = {"region": "local", "endPoint": None, "isClientSideEncrypted": False, "path": ""}
        upload["overwrite"] = bool(expression.args.get("put_overwrite"))
        return info | describe(request, expression, upload)

    def stored(path: str, content: bytes) -> str | None:
        target = store(path, content)
        if target:
            database = path.split("/")[0]
            with fakesnow.server.shared_fs.duck_conn.cursor() as session, suppress(duckdb.Error):
                session.execute(
                    f'delete from "{database}"._fs_information_schema._fs_load_history where file_name = ?', [target]
                )
        return target

    def placed(expression: exp.Expr, *arguments: Any) -> exp.Expr:
        result = put(expression, *arguments)
        if isinstance(expression, exp.Put):
            result.set("put_overwrite", "OVERWRITE=TRUE" in expression.sql("snowflake").upper().replace(" ", ""))
        return result

    fakesnow.server.gcs_stage_info = described
    fakesnow.server._write_bucket_file = stored
    fakesnow.cursor.transforms.put_stage = placed
