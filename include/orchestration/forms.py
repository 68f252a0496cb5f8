"""What may be typed into a trigger form, and what it stands for. Pure: every wrong combination is one sentence."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from include.bronze.batch import Batch
from include.orchestration.dbt_call import downstream_of
from include.settings import Client


class FormError(ValueError):
    """A form was filled in in a way that makes no sense."""


# command → what it understands besides a selection
COMMANDS: Mapping[str, frozenset[str]] = {
    "build": frozenset({"full_refresh", "vars"}),
    "run": frozenset({"full_refresh", "vars"}),
    "seed": frozenset({"full_refresh"}),
    "test": frozenset({"vars"}),
    "compile": frozenset({"vars"}),
    "list": frozenset(),
}
NO_SELECTOR = "(none)"

# What a selection may be made of: names, methods (tag:x), graph operators (+, @, *), unions and intersections.
_SELECTION = re.compile(r"[A-Za-z0-9_@+*:,./ -]*")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def dbt_arguments(form: Mapping[str, Any], selectors: tuple[str, ...]) -> list[str]:
    """The dbt arguments of a filled form. Raises FormError, one sentence, on what makes no sense."""
    command = str(form.get("command"))
    if command not in COMMANDS:
        raise FormError(f"command is {command!r}; choose one of {', '.join(COMMANDS)}")
    select, exclude = (_selection(field, form.get(field)) for field in ("select", "exclude"))
    selector = form.get("selector") or NO_SELECTOR
    if selector not in (NO_SELECTOR, *selectors):
        raise FormError(f"selector is {selector!r}; choose one of {', '.join(selectors)}")
    if select and selector != NO_SELECTOR:
        raise FormError("select and selector are both filled in; dbt takes only one of them")
    if exclude and selector != NO_SELECTOR:
        raise FormError("exclude goes with select; a selector says by itself what it leaves out")
    if not select and selector == NO_SELECTOR:
        raise FormError("nothing is selected; fill in select (for example fct_def_tickets+), or choose a selector")
    arguments = [command, *(["--selector", selector] if selector != NO_SELECTOR else ["--select", *select])]
    if exclude:
        arguments += ["--exclude", *exclude]
    if form.get("full_refresh"):
        if "full_refresh" not in COMMANDS[command]:
            raise FormError(f"dbt {command} builds nothing, so it cannot refresh anything in full; choose build or run")
        arguments.append("--full-refresh")
    variables = _variables(form.get("vars"))
    if variables:
        if "vars" not in COMMANDS[command]:
            raise FormError(f"dbt {command} reads no vars here; leave the field empty")
        arguments += ["--vars", json.dumps(variables, sort_keys=True)]
    return arguments


def _selection(field: str, value: Any) -> list[str]:
    text = "" if value is None else value
    if not isinstance(text, str) or not _SELECTION.fullmatch(text):
        raise FormError(f"{field} may hold names, tag:x, path:x, +, @, *, commas and spaces; it is {text!r}")
    words = text.split()
    for word in words:
        if word.startswith("-"):
            raise FormError(f"{field} holds {word!r}, which dbt would take for an option; name models only")
    return words


def _variables(value: Any) -> dict[str, Any]:
    if not value:
        return {}
    if not isinstance(value, dict):
        raise FormError('vars is one JSON object, such as {"name": "value"}')
    for name, content in value.items():
        if not _VARIABLE.fullmatch(name):
            raise FormError(f"vars names {name!r}; a variable's name is letters, digits and underscores")
        if not isinstance(content, str | int | float | bool):
            raise FormError(f"vars gives {name} a {type(content).__name__}; give it text, a number or true or false")
    return value


OF_THE_BATCH = "(as the batch says)"
REPLAY, REEXTRACT = "replay what is landed", "ask the vendor again"


@dataclass(frozen=True)
class Rerun:
    """What to load again: a batch and, with it, the same window of every stream that is read for its records."""

    client: str
    batches: tuple[str, ...]
    asks_again: bool
    may_shrink: bool
    select: tuple[str, ...]


def rerun_of(
    form: Mapping[str, Any], clients: Mapping[str, Client], landed: Callable[[Client, str], Sequence[Batch]]
) -> Rerun:
    """The request of a filled form. Raises FormError, one sentence, on what makes no sense.

    `landed` gives the batches of a client's stream that are in landing.
    """
    text = str(form.get("batch_id") or "").strip()
    if not text:
        raise FormError("batch_id is empty; copy one from `attempts`, from INGEST_BATCHES or from a load task's log")
    batch = Batch.parse(text)
    for field, meant in (("client", batch.client), ("stream", batch.stream)):
        chosen = form.get(field, OF_THE_BATCH)
        if chosen not in (OF_THE_BATCH, meant):
            raise FormError(f"{field} is {chosen} and the batch is one of {meant}; correct one of the two")
    if batch.client not in clients:
        raise FormError(f"there is no client '{batch.client}'; there are {', '.join(clients)}")
    client = clients[batch.client]
    stream = client.stream(batch.stream)
    known = landed(client, stream.name)
    if batch not in known:
        listed = ", ".join(other.id for other in batch.nearest(known)) or "none at all"
        raise FormError(f"batch {batch.id} is not in landing; the nearest there are: {listed}")
    how = form.get("how", REPLAY)
    if how not in (REPLAY, REEXTRACT):
        raise FormError(f"how is {how!r}; choose '{REPLAY}' or '{REEXTRACT}'")
    may_shrink = bool(form.get("may_shrink"))
    if may_shrink and how == REPLAY:
        raise FormError(f"may_shrink goes with '{REEXTRACT}'; a replay loads just what was loaded")
    streams = [stream, *client.children(stream.name)]
    batches = [Batch(client.code, other.name, batch.window) for other in streams]
    return Rerun(
        client.code,
        tuple(one.id for one in batches if one == batch or one in landed(client, one.stream)),
        asks_again=how == REEXTRACT,
        may_shrink=may_shrink,
        select=tuple(map(downstream_of, client.affected_by(stream.name))),
    )
