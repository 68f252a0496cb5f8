"""The medallion's rules, checked on dbt's manifest.

    .venv/bin/python lint/manifest_rules.py .data/lint/target/manifest.json
    .venv/bin/python lint/manifest_rules.py --list

Each rule is a function of the project that yields (where, what is wrong); its docstring is the rule, its name is what
a finding is reported under, and RULES is all of them. A rule that generic tools know is in dbt-bouncer.yml instead.
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

Finding = tuple[str, str]
Rule = Callable[["Project"], Iterator[Finding]]

# layer → the folder its models live in, how they are built, and in which schema
FOLDER = {
    "silver": "silver",
    "int": "intermediate",
    "fct": "gold",
    "dim": "gold",
    "agg": "gold",
    "rpt": "gold",
    "exp": "gold",
    "compat": "compat",
}
MATERIALISED = {
    "silver": "incremental",
    "int": "ephemeral",
    "fct": "table",
    "dim": "table",
    "agg": "table",
    "rpt": "view",
    "exp": "view",
}
SCHEMA = {
    "silver": "SILVER",
    "fct": "GOLD",
    "dim": "GOLD",
    "agg": "GOLD",
    "rpt": "GOLD",
    "exp": "GOLD",
    "compat": "GOLD",
}

# reader → what it may read; agg_ may also read dim_calendar, and rpt_ may pass another rpt_ through unchanged
READS = {
    "silver": {"source"},
    "int": {"silver", "int", "dim", "seed"},
    "fct": {"silver", "int", "fct", "dim", "seed"},
    "dim": {"silver", "dim", "seed"},
    "agg": {"fct"},
    "rpt": {"agg", "dim"},
    "exp": {"agg", "dim"},
    "compat": {"int", "agg", "rpt", "dim", "compat"},
}

AGG_GRAINS = ("daily", "ticket")
RPT_GRAINS = ("daily", "weekly", "monthly", "quarterly", "wow", "mom", "qoq", "yoy", "current")
NAME = {
    "silver": r"{client}_[a-z0-9_]+",
    "int": r"int_{client}_[a-z0-9_]+",
    "fct": r"fct_{client}_[a-z0-9_]+",
    "dim": r"dim_[a-z0-9_]+",
    "agg": rf"agg_{{client}}_[a-z0-9_]+_({'|'.join(AGG_GRAINS)})",
    "rpt": rf"rpt_({{client}}|master)_[a-z0-9_]+_({'|'.join(RPT_GRAINS)})",
    "exp": r"exp_{client}_[a-z0-9_]+",
}

CLIENT = "[a-z]{3}|core"
SOURCE_CATEGORIES = {1, 2, 3}
SOURCE_META = {
    "input_kind": ("event_stream", "record_set"),
    "load_strategy": ("full_refresh", "incremental", "historical", "batch_replace"),
}

NOT_A_SUM = re.compile(r"\b(avg|mean|median|mode|quantile\w*|percentile\w*|stddev\w*|var(iance|_\w+))\s*\(", re.I)
NUMBER = re.compile(r"^(bigint|integer|smallint|double|float|real|number|numeric|decimal)\b", re.I)
ADDITIVITY = ("additive", "semi:date", "non")
CHANNEL_ALIASES = {"interaction_type"}  # what a source calls its channel where the word itself is not in the name
AVERAGE_NAME = re.compile(r"(^|_)(avg|average|mean|median|pct|percent|rate|ratio)(_|$)")
ROLLED_UP = re.compile(r"date_trunc\s*\(\s*'?(week|month|quarter|year)\b", re.I)
DATABASE_NAME = re.compile(rf"\b({CLIENT})_db_(local|ci|cicd|dev|prod)\b", re.I)
DATABASE_CONFIG = re.compile(r"\bconfig\s*\([^)]*\bdatabase\s*=", re.I | re.S)
PASS_THROUGH = re.compile(r"^\s*select\s+\*\s+from\s+\{\{\s*ref\([^)]*\)\s*\}\}\s*;?\s*$", re.I)
BUSINESS_COLUMN = re.compile(r"^(is_support_agent|is_xo_agent|tenure_\w+|wave_\w+)$")
LABEL_COLUMN = re.compile(r"^((agent|employee|assignee|account|customer|company)_name|team|team_name|leader(_name)?)$")
SUMMED_NAME = re.compile(r"_(sum|count|met|eligible|change|created|resolved|answered)$")
METADATA = ("RECORD_KEY", "RECORD_HASH", "DATE_TO_WAREHOUSE", "SOURCE_FILE", "BATCH_ID", "PIPELINE_RUN_ID")
LISTED = ("state", "priority", "support_system", "channel")  # what a fact has from a list somebody keeps
GROUPED_FROM = 12  # a Silver model with more columns than this says which are ids, strings, timestamps
JOINED_TO_ROSTER = re.compile(
    r"\binner\s+join\s+(?:\{\{\s*ref\(\s*')?(agents|employees|roster|dim_employee|int_\w+_agents)", re.I
)
MORE_THAN_TYPING = re.compile(r"\b(join|where|group\s+by|having|union|intersect|except|distinct|limit)\b", re.I)
ENGINES_OWN = re.compile(
    r"::|\b(try_cast|try_to_\w+|iff|parse_json|json_extract\w*|json_value|from_json|unnest|flatten|strptime|strftime"
    r"|epoch\w*|date_?diff|date_?add|convert_timezone|timezone|list_\w+|array_size|to_timestamp\w*)\s*\(",
    re.I,
)
UPPER_CASE_KEYWORD = re.compile(
    r"\b(SELECT|FROM|WHERE|JOIN|GROUP BY|ORDER BY|PARTITION BY|CASE WHEN|UNION|MERGE INTO)\b"
)
ENDS_IN_ONE_SELECT = re.compile(r"\bselect\s+\*\s+from\s+(\w+|\{\{\s*ref\([^)]*\)\s*\}\})\s*$", re.I)
COMMENTS = re.compile(r"--[^\n]*|/\*.*?\*/|\{#.*?#\}", re.S)


@dataclass(frozen=True)
class Check:
    """What is asked of one model: by which data test or constraint, of which column, and whether breaking it stops the
    build."""

    name: str
    column: str
    severity: str
    has_condition: bool = False
    is_constraint: bool = False


@dataclass(frozen=True)
class Model:
    """What the rules need to know of a model."""

    unique_id: str
    name: str
    client: str
    folder: str
    layer: str
    path: str
    documented_in: str
    materialised: str
    database: str
    schema: str
    access: str
    config: Mapping[str, Any]
    meta: Mapping[str, Any]
    columns: tuple[str, ...]
    measures: Mapping[str, str]  # its numeric columns, with the additivity their meta states
    description: str
    header: str
    text: str  # as written, with its comments
    sql: str
    reads: tuple[str, ...]
    tests: tuple[Check, ...]


def layer_of(name: str, folder: str) -> str:
    """The layer a model belongs to: its prefix decides in gold, its folder everywhere else ('' when neither knows)."""
    if folder in ("silver", "compat"):
        return folder
    prefix = name.split("_", 1)[0]
    return prefix if prefix in FOLDER and FOLDER[prefix] == folder else ""


def _header(sql: str) -> str:
    """The comments before a model's first line of code."""
    found = re.match(rf"(?:\s*(?:{COMMENTS.pattern}))*", sql, COMMENTS.flags)
    return found.group(0) if found else ""


def is_held_by_the_engine(config: Mapping[str, Any]) -> bool:
    """Whether a model's constraints are the engine's to hold: those of a table with a contract."""
    return config.get("materialized") == "table" and bool((config.get("contract") or {}).get("enforced"))


def constraints(node: Mapping[str, Any]) -> Iterator[Check]:
    """What the columns of a model are said to be held to."""
    severity = "error" if is_held_by_the_engine(node["config"]) else "none"
    for column, each in node["columns"].items():
        for constraint in each.get("constraints") or ():
            yield Check(constraint["type"], column.lower(), severity, is_constraint=True)


class Project:
    """A manifest, read once into what the rules ask for."""

    def __init__(self, manifest: Mapping[str, Any]) -> None:
        self.name: str = manifest["metadata"]["project_name"]
        self._nodes: Mapping[str, Any] = manifest["nodes"]
        self._macros: Mapping[str, Any] = manifest.get("macros", {})
        self.sources: Mapping[str, Any] = manifest.get("sources", {})
        self.exposures: Mapping[str, Any] = manifest.get("exposures", {})

    @cached_property
    def models(self) -> dict[str, Model]:
        tests: dict[str, list[Check]] = {}
        for node in self._nodes.values():
            if node["resource_type"] == "test" and node.get("attached_node") and node.get("test_metadata"):
                check = Check(
                    name=node["test_metadata"]["name"],
                    column=(node.get("column_name") or "").lower(),
                    severity=str(node["config"].get("severity", "ERROR")).lower(),
                    has_condition=bool(node["config"].get("where")),
                )
                tests.setdefault(node["attached_node"], []).append(check)
        return {
            unique_id: self._model(node, [*tests.get(unique_id, []), *constraints(node)])
            for unique_id, node in self._nodes.items()
            if node["resource_type"] == "model" and node["package_name"] == self.name
        }

    def _model(self, node: Mapping[str, Any], tests: Sequence[Check]) -> Model:
        path = PurePosixPath(node["original_file_path"])
        folders = path.parts[1:-1]  # models/{client}/{folder}/[…]/{name}.sql
        client, folder = (*folders, "", "")[:2]
        return Model(
            unique_id=node["unique_id"],
            name=node["name"],
            client=client,
            folder=folder,
            layer=layer_of(node["name"], folder),
            path=str(path),
            documented_in=(node.get("patch_path") or "").split("://")[-1],
            materialised=node["config"].get("materialized", ""),
            database=node.get("database") or "",
            schema=node.get("schema") or "",
            access=node.get("access") or "protected",
            config=node["config"],
            meta=node["config"].get("meta") or {},
            columns=tuple(column.lower() for column in node.get("columns", {})),
            measures={
                name.lower(): ((column.get("config") or {}).get("meta") or {}).get("additivity") or ""
                for name, column in node.get("columns", {}).items()
                if NUMBER.match(column.get("data_type") or "")
            },
            description=node.get("description") or "",
            header=_header(node.get("raw_code") or ""),
            text=node.get("raw_code") or "",
            sql=COMMENTS.sub("", node.get("raw_code") or ""),
            reads=tuple(node["depends_on"].get("nodes", [])),
            tests=tuple(tests),
        )

    def of(self, *layers: str) -> Iterator[Model]:
        return (model for model in self.models.values() if model.layer in layers)

    def kind(self, unique_id: str) -> str:
        """The layer of a model, or `seed`, `source`, … for what is not one."""
        model = self.models.get(unique_id)
        return model.layer if model else unique_id.split(".", 1)[0]

    def own_code(self) -> Iterator[tuple[str, str, str]]:
        """All SQL the project wrote, as (name, path, code without comments): models, singular tests and macros."""
        for node in self._nodes.values():
            if node["resource_type"] in ("model", "test", "analysis") and node["package_name"] == self.name:
                yield node["name"], node["original_file_path"], COMMENTS.sub("", node.get("raw_code") or "")
        for macro in self._macros.values():
            if macro["package_name"] == self.name:
                yield macro["name"], macro["original_file_path"], COMMENTS.sub("", macro["macro_sql"])

    def sql_with_macros(self, model: Model) -> str:
        """The model's own SQL and that of every project macro it reaches."""
        reached: dict[str, str] = {}
        todo = list(self._nodes[model.unique_id]["depends_on"].get("macros", []))
        while todo:
            macro = self._macros.get(todo.pop())
            if macro and macro["package_name"] == self.name and macro["unique_id"] not in reached:
                reached[macro["unique_id"]] = COMMENTS.sub("", macro["macro_sql"])
                todo.extend(macro["depends_on"].get("macros", []))
        return "\n".join([model.sql, *reached.values()])


def layer_is_known(project: Project) -> Iterator[Finding]:
    """Every model lives in models/{client}/{silver|intermediate|gold|compat} and gold knows no prefix but its own."""
    for model in project.models.values():
        if not re.fullmatch(CLIENT, model.client) or not model.layer:
            yield (
                model.name,
                f"{model.path} is in no layer: expected models/{{client}}/{{folder}}/ with the layer's prefix",
            )


def names_tell_the_grain(project: Project) -> Iterator[Finding]:
    """Names are {client}_…, int_/fct_/exp_{client}_…, dim_…, agg_{client}_…_{grain} and rpt_{client}_…_{grain}."""
    for model in project.of(*NAME):
        pattern = NAME[model.layer].format(client=model.client)
        if not re.fullmatch(pattern, model.name):
            yield model.name, f"does not match {pattern}"


def built_as_its_layer_says(project: Project) -> Iterator[Finding]:
    """Silver is incremental, int_ ephemeral, fct_, dim_ and agg_ tables, rpt_ and exp_ views."""
    for model in project.of(*MATERIALISED):
        if model.materialised != MATERIALISED[model.layer]:
            yield model.name, f"is {model.materialised or 'nothing'}, {model.layer} is {MATERIALISED[model.layer]}"


def built_where_its_layer_says(project: Project) -> Iterator[Finding]:
    """A model is built in {CLIENT}_DB_{ENV}.SILVER or .GOLD (on a developer's own schemas {PREFIX}_SILVER)."""
    for model in project.of(*SCHEMA):
        if model.materialised == "ephemeral":
            continue
        if not re.fullmatch(rf"{model.client.upper()}_DB_[A-Z]+", model.database):
            yield model.name, f"is built in database {model.database}, not in {model.client.upper()}_DB_{{ENV}}"
        if not re.fullmatch(rf"([A-Z0-9_]+_)?{SCHEMA[model.layer]}", model.schema):
            yield model.name, f"is built in schema {model.schema}, not in {SCHEMA[model.layer]}"


def bronze_is_loaded_not_built(project: Project) -> Iterator[Finding]:
    """dbt never builds anything in a BRONZE schema."""
    for model in project.models.values():
        if model.schema.upper().endswith("BRONZE"):
            yield model.name, f"would be built in {model.database}.{model.schema}, which belongs to the loader"


def silver_has_the_canonical_config(project: Project) -> Iterator[Finding]:
    """Silver merges on RECORD_KEY and follows the schema; only event streams (meta.input_kind) take another path."""
    wanted = {"incremental_strategy": "merge", "unique_key": "record_key", "on_schema_change": "sync_all_columns"}
    for model in project.of("silver"):
        if model.meta.get("input_kind") == "event_stream":
            continue
        for key, value in wanted.items():
            if str(model.config.get(key)).lower() != value:
                yield model.name, f"{key} is {model.config.get(key)!r}, silver's is {value!r}"


def silver_only_types_and_cleans(project: Project) -> Iterator[Finding]:
    """A Silver model neither filters, joins nor aggregates; which rows are current is decided in the shared macros."""
    for model in project.of("silver"):
        if match := MORE_THAN_TYPING.search(_body(model.sql)):
            yield model.name, f"uses {' '.join(match.group(1).lower().split())}; Silver only types and cleans"


def silver_holds_no_business_columns(project: Project) -> Iterator[Finding]:
    """Agent flags, tenure and waves are gold's: Silver types, cleans and deduplicates."""
    for model in project.of("silver"):
        for column in filter(BUSINESS_COLUMN.match, model.columns):
            yield model.name, f"column {column} is a business attribute; attach it in a fct_"


def silver_tests_stop_the_build(project: Project) -> Iterator[Finding]:
    """A test of Silver is an error, never a warning; only a value the vendor's own list lacks may pass with one."""
    for model in project.of("silver"):
        for test in model.tests:
            if test.name != "accepted_values" and test.severity != "error":
                yield model.name, f"{test.name} on {test.column or 'its rows'} only warns"


def layers_read_what_they_may(project: Project) -> Iterator[Finding]:
    """Silver reads sources, fct_ and int_ read Silver, agg_ reads fct_ and dim_calendar, rpt_ reads agg_ and dim_."""
    for model in project.of(*READS):
        for parent in model.reads:
            kind = project.kind(parent)
            name = parent.rsplit(".", 1)[-1]
            if kind in READS[model.layer] or (model.layer == "agg" and name.startswith("dim_calendar")):
                continue
            if model.layer == "rpt" and kind == "rpt" and PASS_THROUGH.match(_body(model.sql)):
                continue
            if model.layer == "exp" and kind == "fct" and model.meta.get("reads_fct_reason"):
                continue
            yield model.name, f"reads {kind} {name}; {model.layer} may read {', '.join(sorted(READS[model.layer]))}"


def _body(sql: str) -> str:
    """A model's SQL without its config block."""
    return re.sub(r"\{\{\s*config\(.*?\)\s*\}\}", "", sql, flags=re.S)


def built_tables_are_refs(project: Project) -> Iterator[Finding]:
    """source() is for what this project does not build; a model or seed is reached by ref()."""
    built = {(model.database.upper(), model.schema.upper(), model.name.upper()) for model in project.models.values()}
    for source in project.sources.values():
        place = tuple(str(source[key] or "").upper() for key in ("database", "schema", "identifier"))
        if place in built:
            yield f"{source['source_name']}.{source['name']}", "is declared as a source and built by a model; use ref()"


def sources_are_bronze(project: Project) -> Iterator[Finding]:
    """A source is {client}_bronze with tables {SOURCE}_{OBJECT}; a stream says its input kind and load strategy."""
    for source in project.sources.values():
        where = f"{source['source_name']}.{source['name']}"
        meta = source["config"].get("meta") or source.get("meta") or {}
        if not re.fullmatch(rf"({CLIENT})_bronze", source["source_name"]):
            yield where, "sources are called {client}_bronze"
        if not re.fullmatch(r"[A-Z0-9]+(_[A-Z0-9]+)+", source["identifier"]):
            yield where, f"{source['identifier']} is not {{SOURCE}}_{{OBJECT}} in upper case"
        for key, allowed in SOURCE_META.items():
            if not _is_ledger(source) and meta.get(key) not in allowed:
                yield where, f"meta.{key} is {meta.get(key)!r}, allowed are {', '.join(allowed)}"


def _is_ledger(source: Mapping[str, Any]) -> bool:
    """INGEST_* are the loader's own books, not something delivered."""
    return str(source["identifier"]).upper().startswith("INGEST_")


def streams_say_what_a_row_is(project: Project) -> Iterator[Finding]:
    """A stream has the six metadata columns, says if it is append-only, and as a record set what its key is."""
    for source in project.sources.values():
        if _is_ledger(source):
            continue
        where = f"{source['source_name']}.{source['name']}"
        meta = source["config"].get("meta") or {}
        if missing := [name for name in METADATA if name not in source.get("columns", {})]:
            yield where, f"lacks {', '.join(missing)}"
        if not isinstance(meta.get("is_append_only"), bool):
            yield where, "meta.is_append_only is neither true nor false"
        if meta.get("input_kind") == "record_set" and not meta.get("record_key"):
            yield where, "is a record set without meta.record_key"


def streams_are_watched(project: Project) -> Iterator[Finding]:
    """Every Bronze stream has a freshness it is held to."""
    for source in project.sources.values():
        if not _is_ledger(source) and not any((source.get("freshness") or {}).values()):
            yield f"{source['source_name']}.{source['name']}", "declares no freshness"


def silver_groups_its_columns(project: Project) -> Iterator[Finding]:
    """A long Silver model says in comments which of its columns are ids, strings, timestamps and so on."""
    for model in project.of("silver"):
        if len(model.columns) > GROUPED_FROM and not re.search(r"^\s*-- ids\b", model.text, re.M):
            yield model.name, f"has {len(model.columns)} columns and no groups of them (-- ids, -- strings, …)"


def no_text_is_kept_twice(project: Project) -> Iterator[Finding]:
    """No two models have the same SQL: one owns it, the other passes it through."""
    seen: dict[str, Model] = {}
    for model in project.models.values():
        first = seen.setdefault(" ".join(model.sql.lower().split()), model)
        if first is not model:
            yield model.name, f"is the text of {first.name} again; pass that through"


def intermediate_logic_is_shared(project: Project) -> Iterator[Finding]:
    """An int_ has two consumers or more; logic used once is a CTE."""
    consumers = Counter(parent for model in project.models.values() for parent in set(model.reads))
    for model in project.of("int"):
        if consumers[model.unique_id] < 2:
            yield model.name, f"has {consumers[model.unique_id]} consumer(s); make it a CTE of the model that reads it"


def facts_add_something(project: Project) -> Iterator[Finding]:
    """A fact is no copy of a Silver table: beside a key it has a column that nothing it reads of Silver has."""
    for model in project.of("fct"):
        read = {
            column.lower()
            for parent in model.reads
            if project.kind(parent) == "silver"
            for column in project.models[parent].columns
        }
        own = [column for column in model.columns if column.lower() not in read and not column.endswith("_key")]
        if read and not own:
            yield model.name, "has the columns of what it reads and no other; read Silver, or derive something"


def facts_state_their_category(project: Project) -> Iterator[Finding]:
    """A fct_ states at its top and in meta its source's category (1, 2, 3), how agents are filtered and joined."""
    for model in project.of("fct"):
        if model.meta.get("source_category") not in SOURCE_CATEGORIES:
            yield model.name, f"meta.source_category is {model.meta.get('source_category')!r}, allowed are 1, 2, 3"
        for key in ("source_category", "xo_filter_strategy", "join_key"):
            if not model.meta.get(key):
                yield model.name, f"meta.{key} is missing"
            if f"{key}:" not in model.header:
                yield model.name, f"the comment at the top does not state {key}:"


def roster_is_joined_as_the_category_says(project: Project) -> Iterator[Finding]:
    """Category 3 joins the roster inner, 1 and 2 left: there a row whose agent is unknown stays, and is seen."""
    for model in project.of("fct"):
        inner = JOINED_TO_ROSTER.search(model.sql)
        if model.meta.get("source_category") == 3 and not inner:
            yield model.name, "has everybody's agents in it and does not join the roster inner"
        elif model.meta.get("source_category") in (1, 2) and inner:
            yield model.name, f"loses the rows of unknown agents: {' '.join(inner.group(0).split())}"


def unknown_agents_are_seen(project: Project) -> Iterator[Finding]:
    """A fct_ with an eid tests it for NULL: as a warning where unknown agents are kept."""
    for model in project.of("fct"):
        if "eid" in model.columns and ("eid", "not_null") not in _tested(model):
            yield model.name, "does not test eid for NULL"


def grains_are_never_null(project: Project) -> Iterator[Finding]:
    """The day and the channel of an agg_ or rpt_ are kept from being NULL."""
    for model in project.of("agg", "rpt"):
        for column in ("metric_date", "channel"):
            if column in model.columns and (column, "not_null") not in _tested(model):
                yield model.name, f"lets {column} be NULL"


def lists_are_tested(project: Project) -> Iterator[Finding]:
    """What a fct_ takes from a list (state, priority, support_system, channel) is tested against the list."""
    for model in project.of("fct"):
        for column in LISTED:
            against = {(column, "accepted_values"), (column, "relationships")}
            if column in model.columns and not against & _tested(model):
                yield model.name, f"does not test {column} against its list"


def _tested(model: Model) -> set[tuple[str, str]]:
    return {(test.column, test.name) for test in model.tests}


def dimensions_hold_no_sums(project: Project) -> Iterator[Finding]:
    """A dim_ describes: what is counted or summed is an agg_'s."""
    for model in project.of("dim"):
        for column in filter(SUMMED_NAME.search, model.measures):
            yield model.name, f"column {column} reads like a sum; sums are an agg_'s"


def productivity_is_apart_from_performance(project: Project) -> Iterator[Finding]:
    """Rates over an agent's whole day have no channel, and stand beside a report by channel, for every client."""
    reports = {model.name for model in project.of("rpt")}
    for model in project.of("rpt"):
        if model.name.endswith("_agent_productivity_daily") and "channel" in model.columns:
            yield model.name, "has a channel, over which an agent's day cannot be told apart"
        pair = ("_agent_performance_channel_daily", "_agent_productivity_daily")
        for one, other in (pair, pair[::-1]):
            if model.name.endswith(one) and (twin := model.name.removesuffix(one) + other) not in reports:
                yield model.name, f"stands without {twin}"


def labels_are_joined_late(project: Project) -> Iterator[Finding]:
    """Names, teams and leaders come from dims in rpt_; fct_ and agg_ carry keys."""
    for model in project.of("fct", "agg"):
        for column in filter(LABEL_COLUMN.match, model.columns):
            yield model.name, f"column {column} is a label; keep its key and join the label in the rpt_"


def sla_status_is_computed_when_read(project: Project) -> Iterator[Finding]:
    """SLA status changes with the clock, so only views show it; tables store the due instants."""
    for model in project.of("silver", "fct", "agg"):
        if "sla_status" in model.columns:
            yield model.name, "stores sla_status; store due and at-risk instants and compute the status in the rpt_"


def aggregates_keep_the_channel(project: Project) -> Iterator[Finding]:
    """An agg_ has a channel column when a fact it reads has one, or says why not in meta.channel_collapsed."""
    for model in project.of("agg"):
        facts = [project.models[parent] for parent in model.reads if project.kind(parent) == "fct"]
        has_channel = any("channel" in column.split("_") or column in CHANNEL_ALIASES for column in model.columns)
        for fact in facts:
            if "channel" in fact.columns and not has_channel and not model.meta.get("channel_collapsed"):
                yield model.name, f"drops the channel of {fact.name}"


def aggregates_hold_sums_and_counts(project: Project) -> Iterator[Finding]:
    """An agg_ never stores an average, a rate or a percentile: it stores what they are computed from."""
    for model in project.of("agg"):
        if match := NOT_A_SUM.search(project.sql_with_macros(model)):
            yield model.name, f"uses {match.group(1).lower()}(), which does not add up; store the sum and the count"
        for column in filter(AVERAGE_NAME.search, model.columns):
            yield model.name, f"column {column} reads like an average or a rate; those belong in the rpt_"


def measures_say_how_they_add_up(project: Project) -> Iterator[Finding]:
    """A number in agg_, rpt_ or exp_ says in meta.additivity if it is additive, semi:date or non; a rate is non."""
    for model in project.of("agg", "rpt", "exp"):
        for column, additivity in model.measures.items():
            if additivity not in ADDITIVITY:
                yield (
                    model.name,
                    f"column {column}: meta.additivity is {additivity!r}, allowed are {', '.join(ADDITIVITY)}",
                )
            elif column.endswith("_agent_day") and additivity != "non":
                yield model.name, f"column {column} repeats on every channel of the day and is called {additivity}"
            elif AVERAGE_NAME.search(column) and additivity != "non":
                yield model.name, f"column {column} reads like a rate and is called {additivity}; rates never add up"


def agents_reports_by_channel_hold_sums(project: Project) -> Iterator[Finding]:
    """An rpt_ by agent and channel has no rate: its rows are added up over agents and channels, and divided then."""
    for model in project.of("rpt"):
        if {"eid", "channel"} <= set(model.columns):
            for column in filter(AVERAGE_NAME.search, model.columns):
                yield (
                    model.name,
                    f"column {column} is a rate; keep the sum and the count, or move it to a view by agent and day",
                )


def clients_have_the_same_columns(project: Project) -> Iterator[Finding]:
    """The agg_ and rpt_ of one KPI have the same columns for every client: the macro that makes them is one."""
    seen: dict[str, Model] = {}
    for model in project.of("agg", "rpt"):
        kpi = re.sub(rf"^(agg|rpt)_{model.client}_", r"\1_", model.name)
        first = seen.setdefault(kpi, model)
        if first.columns != model.columns:
            yield (
                model.name,
                f"has other columns than {first.name}: {', '.join(sorted({*first.columns} ^ {*model.columns}))}",
            )


def aggregates_are_daily(project: Project) -> Iterator[Finding]:
    """An agg_ keeps the daily grain; weeks and months are rolled up in rpt_."""
    for model in project.of("agg"):
        if match := ROLLED_UP.search(project.sql_with_macros(model)):
            yield model.name, f"truncates to the {match.group(1).lower()}; aggregate by day and roll up in the rpt_"


def aggregates_filter_agents_or_say_why_not(project: Project) -> Iterator[Finding]:
    """An agg_ over a fact that knows is_support_agent filters on it, or has meta.agent_filter: none and a reason."""
    for model in project.of("agg"):
        knows = any(
            "is_support_agent" in project.models[parent].columns
            for parent in model.reads
            if project.kind(parent) == "fct"
        )
        declared = model.meta.get("agent_filter") == "none" and model.meta.get("agent_filter_reason")
        if knows and not declared and "is_support_agent" not in project.sql_with_macros(model).lower():
            yield model.name, "does not filter is_support_agent; filter, or set meta.agent_filter: none with a reason"


def reports_over_several_aggregates_have_a_spine(project: Project) -> Iterator[Finding]:
    """An rpt_ over two aggregates or more starts from the `union`, not `union all`, of their keys: no day is lost."""
    for model in project.of("rpt"):
        if sum(project.kind(parent) == "agg" for parent in set(model.reads)) < 2:
            continue
        unions = re.findall(r"\bunion(\s+all)?\b", project.sql_with_macros(model), re.I)
        if not unions:
            yield model.name, "reads several aggregates without a spine over all of them"
        elif any(unions):
            yield model.name, "builds its spine with union all, which doubles the days both aggregates have"


def gold_has_contracts(project: Project) -> Iterator[Finding]:
    """fct_, dim_, agg_ and rpt_ enforce a contract, so a changed column is a failed build and not a surprise."""
    for model in project.of("fct", "dim", "agg", "rpt"):
        if not (model.config.get("contract") or {}).get("enforced"):
            yield model.name, "enforces no contract"


def reports_are_public(project: Project) -> Iterator[Finding]:
    """An rpt_ is tagged `report` and has public access: its columns are promised to readers."""
    for model in project.of("rpt"):
        if "report" not in model.config.get("tags", []):
            yield model.name, "is not tagged report"
        if model.access != "public":
            yield model.name, f"has {model.access} access, a report is public"


def experiments_promise_nothing(project: Project) -> Iterator[Finding]:
    """An exp_ is tagged `exp` and is not public."""
    for model in project.of("exp"):
        if "exp" not in model.config.get("tags", []):
            yield model.name, "is not tagged exp"
        if model.access == "public":
            yield model.name, "is public; promote it to an rpt_ or make it protected"


def compat_names_what_it_replaces(project: Project) -> Iterator[Finding]:
    """A model in compat/ says in meta.replaces whose name it keeps alive."""
    for model in project.of("compat"):
        if not model.meta.get("replaces"):
            yield model.name, "meta.replaces is missing"


def exposures_read_reports(project: Project) -> Iterator[Finding]:
    """A dashboard reads rpt_ views, nothing behind them, and no old name that only passes another one through."""
    for exposure in project.exposures.values():
        for parent in exposure["depends_on"]["nodes"]:
            if project.kind(parent) != "rpt":
                yield exposure["name"], f"reads {parent.rsplit('.', 1)[-1]}; read the rpt_ over it"
            elif PASS_THROUGH.match(project.models[parent].sql):
                yield exposure["name"], f"reads {parent.rsplit('.', 1)[-1]}, an old name; read the rpt_ it stands for"


def exposures_name_their_tool(project: Project) -> Iterator[Finding]:
    """A dashboard says in meta.tool what it is made with, so that nothing in a rpt_ has to be of one tool."""
    for exposure in project.exposures.values():
        if not (exposure["config"].get("meta") or {}).get("tool"):
            yield exposure["name"], "meta.tool is missing"


def description_starts_with_the_grain(project: Project) -> Iterator[Finding]:
    """The first sentence of a model's description says what one row is: "One row per …"."""
    for model in project.models.values():
        first = re.split(r"(?<=[.!?])\s", model.description.strip(), maxsplit=1)[0]
        if "one row per" not in " ".join(first.split()).lower():
            yield model.name, f"the description begins {first[:60]!r}, not with its grain (One row per …)"


def tables_are_held_by_the_engine(project: Project) -> Iterator[Finding]:
    """What must not be NULL in a table with a contract is a constraint, and nowhere else: broken, it fails the model
    and leaves the old table, where a test would find it in the new one. What warns or has a condition stays a test."""
    for model in project.models.values():
        for test in model.tests:
            stops = test.severity == "error" and not test.has_condition
            if test.is_constraint and test.severity == "none":
                yield model.name, f"holds {test.column} to {test.name}, which no engine does for it; make that a test"
            elif test.name == "not_null" and stops and not test.is_constraint and is_held_by_the_engine(model.config):
                yield model.name, f"tests {test.column} for NULL; make that a constraint of its contract"


def primary_key_is_tested(project: Project) -> Iterator[Finding]:
    """Everything built has a column that is tested unique and kept from being NULL, both as errors."""
    for model in project.models.values():
        if model.materialised == "ephemeral":
            continue
        strict = {(test.column, test.name) for test in model.tests if test.severity == "error"}
        if not any((column, "not_null") in strict for column, name in strict if name == "unique" and column):
            yield model.name, "no column is both unique and not_null at severity error"


def one_yaml_per_model(project: Project) -> Iterator[Finding]:
    """A model's YAML is the file of the same name beside it."""
    for model in project.models.values():
        expected = str(PurePosixPath(model.path).with_suffix(".yml"))
        if model.documented_in != expected:
            yield model.name, f"is documented in {model.documented_in or 'no file'}, expected {expected}"


def databases_are_never_hard_coded(project: Project) -> Iterator[Finding]:
    """No model, test or macro spells a database name such as DEF_DB_PROD."""
    for name, _, code in project.own_code():
        if match := DATABASE_NAME.search(code):
            yield name, f"spells {match.group(0)}; use ref(), source() or target"


def databases_are_set_in_one_place(project: Project) -> Iterator[Finding]:
    """No model sets `database` in its own config: dbt_project.yml sets it per client folder."""
    for model in project.models.values():
        if DATABASE_CONFIG.search(model.sql):
            yield model.name, "sets database in its config; dbt_project.yml does that for the client's folder"


def engines_differ_in_one_folder(project: Project) -> Iterator[Finding]:
    """A function that only one engine has is called in macros/engine and nowhere else."""
    for name, path, code in project.own_code():
        if not path.startswith("macros/engine/") and (match := ENGINES_OWN.search(code)):
            yield name, f"uses {match.group(0)} itself; give it a macro in macros/engine"


def macros_write_keywords_in_lower_case(project: Project) -> Iterator[Finding]:
    """Keywords are lower-case in macros too, whose text sqlfluff does not see."""
    for name, path, code in project.own_code():
        if path.startswith("macros/") and (match := UPPER_CASE_KEYWORD.search(code)):
            yield name, f"writes {match.group(0)} in capitals"


def models_end_in_one_select(project: Project) -> Iterator[Finding]:
    """A model reads top to bottom: its last line is `select * from` the last step."""
    for model in project.models.values():
        if "select" in model.sql.lower() and not ENDS_IN_ONE_SELECT.search(model.sql.rstrip("; \n")):
            yield model.name, "does not end in `select * from` its last step"


RULES: tuple[Rule, ...] = (
    layer_is_known,
    names_tell_the_grain,
    built_as_its_layer_says,
    built_where_its_layer_says,
    bronze_is_loaded_not_built,
    silver_has_the_canonical_config,
    silver_only_types_and_cleans,
    silver_holds_no_business_columns,
    silver_tests_stop_the_build,
    layers_read_what_they_may,
    built_tables_are_refs,
    sources_are_bronze,
    streams_say_what_a_row_is,
    streams_are_watched,
    silver_groups_its_columns,
    no_text_is_kept_twice,
    intermediate_logic_is_shared,
    facts_add_something,
    facts_state_their_category,
    roster_is_joined_as_the_category_says,
    unknown_agents_are_seen,
    grains_are_never_null,
    lists_are_tested,
    dimensions_hold_no_sums,
    productivity_is_apart_from_performance,
    labels_are_joined_late,
    sla_status_is_computed_when_read,
    aggregates_keep_the_channel,
    aggregates_hold_sums_and_counts,
    measures_say_how_they_add_up,
    agents_reports_by_channel_hold_sums,
    clients_have_the_same_columns,
    aggregates_are_daily,
    aggregates_filter_agents_or_say_why_not,
    reports_over_several_aggregates_have_a_spine,
    gold_has_contracts,
    reports_are_public,
    experiments_promise_nothing,
    compat_names_what_it_replaces,
    exposures_read_reports,
    exposures_name_their_tool,
    description_starts_with_the_grain,
    tables_are_held_by_the_engine,
    primary_key_is_tested,
    one_yaml_per_model,
    databases_are_never_hard_coded,
    databases_are_set_in_one_place,
    engines_differ_in_one_folder,
    macros_write_keywords_in_lower_case,
    models_end_in_one_select,
)


def check(manifest: Mapping[str, Any]) -> list[str]:
    """Every finding of every rule, a line each."""
    project = Project(manifest)
    return [f"{rule.__name__}: {where} {what}" for rule in RULES for where, what in rule(project)]


def main(argv: Sequence[str]) -> int:
    if list(argv) == ["--list"]:
        for rule in RULES:
            print(f"{rule.__name__:<42} {rule.__doc__}")
        return 0
    if len(argv) != 1:
        print("usage: manifest_rules.py MANIFEST | --list", file=sys.stderr)
        return 2
    try:
        manifest = json.loads(Path(argv[0]).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        print(f"{argv[0]} is no manifest ({error}); `dbt parse` writes one", file=sys.stderr)
        return 2
    findings = check(manifest)
    print("\n".join(findings or [f"{len(RULES)} rules hold"]))
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
