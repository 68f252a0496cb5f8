"""The filter grammar of Pylon's search endpoints: which field takes which operator, and what it then matches."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from ..world.times import instant

MAX_DEPTH = 3
_TIME = frozenset({"time_is_after", "time_is_before", "time_range"})
_REFERENCE = frozenset({"equals", "in", "not_in", "is_set", "is_unset"})
_CHOICE = frozenset({"equals", "in", "not_in"})
_LIST = frozenset({"contains", "does_not_contain", "in", "not_in"})
_PROSE = frozenset({"string_contains", "string_does_not_contain"})
_CUSTOM = _REFERENCE | _LIST | _PROSE | {"not_equals", "starts_with", "ends_with", "includes_all_of"}
_CUSTOM |= {"greater_than", "less_than", "greater_than_or_equals", "less_than_or_equals"}

ISSUE_FIELDS: dict[str, frozenset[str]] = {
    **dict.fromkeys(("created_at", "updated_at", "resolved_at", "latest_message_activity_at"), _TIME),
    **dict.fromkeys(
        ("account_id", "ticket_form_id", "requester_id", "assignee_id", "issue_type", "workspace_email"), _REFERENCE
    ),
    **dict.fromkeys(
        (
            *("state", "team_id", "follower_user_id", "follower_contact_id", "customer_portal_visible"),
            *("issue_is_issue_group", "slack_channel_id", "reopened"),
        ),
        _CHOICE,
    ),
    "tags": _LIST,
    **dict.fromkeys(("title", "body_html"), _PROSE),
}
ACCOUNT_FIELDS: dict[str, frozenset[str]] = {
    "id": _CHOICE,
    "owner_id": _REFERENCE,
    "name": _CHOICE | _PROSE,
    **dict.fromkeys(("domains", "tags", "external_ids"), _LIST | {"is_set", "is_unset"}),
}
CONTACT_FIELDS: dict[str, frozenset[str]] = {
    "id": _CHOICE,
    "email": _CHOICE | _PROSE,
    "name": _CHOICE | _PROSE,
    "account_id": _REFERENCE,
}
USER_FIELDS: dict[str, frozenset[str]] = {"email": _CHOICE}
SURVEY_FIELDS: dict[str, frozenset[str]] = {"updated_at": _TIME}
AUDIT_FIELDS: dict[str, frozenset[str]] = {"action": _CHOICE, "action_happened_at": _TIME, "object_id": _CHOICE}

# A field's value: an instant, a text, several texts, or nothing.
Value = int | str | tuple[str, ...] | None
Look = Callable[[str], Value]
Predicate = Callable[[Look], bool]


class FilterError(ValueError):
    """The filter breaks the grammar; the message says where."""


@dataclass(frozen=True, slots=True)
class Grammar:
    fields: dict[str, frozenset[str]]
    custom: frozenset[str] = frozenset()
    bounds: str = "half-open"  # closed and open are the other readings of the undocumented ends of a time range
    max_span: int | None = None

    def compile(self, given: Any, depth: int = 1) -> Predicate:
        if not isinstance(given, dict):
            raise FilterError("a filter must be an object")
        if depth > MAX_DEPTH:
            raise FilterError(f"filters may be nested at most {MAX_DEPTH} deep")
        operator = given.get("operator")
        if operator in ("and", "or"):
            parts = given.get("subfilters")
            if not isinstance(parts, list) or not parts:
                raise FilterError(f"operator {operator} needs subfilters")
            tests = [self.compile(part, depth + 1) for part in parts]
            together = all if operator == "and" else any
            return lambda look: together(test(look) for test in tests)
        return self._leaf(given, operator)

    def _leaf(self, given: dict[str, Any], operator: Any) -> Predicate:
        name = given.get("field")
        if not isinstance(name, str) or not name:
            raise FilterError("a filter needs a field and an operator")
        allowed = self.fields.get(name) or (_CUSTOM if name in self.custom else None)
        if allowed is None:
            raise FilterError(f"field {name!r} cannot be filtered on")
        if operator not in allowed:
            raise FilterError(f"operator {operator!r} is not supported for field {name!r}")
        values = _values(given, name, operator)
        if operator in _TIME:
            return self._time(name, operator, values)
        test = _TESTS[operator]
        return lambda look: test(look(name), values)

    def _time(self, name: str, operator: str, values: tuple[str, ...]) -> Predicate:
        needed = 2 if operator == "time_range" else 1
        if len(values) != needed:
            raise FilterError(f"operator {operator} on {name!r} needs {needed} value{'s' * (needed - 1)}")
        try:
            moments = [instant(value) for value in values]
        except ValueError:
            raise FilterError(f"{name!r}: times must be RFC 3339 with an offset, got {list(values)}") from None
        start = moments[0] if operator != "time_is_before" else None
        end = moments[-1] if operator != "time_is_after" else None
        if start is not None and end is not None:
            if end < start:
                raise FilterError(f"{name!r}: the range ends before it starts")
            if self.max_span is not None and end - start > self.max_span:
                raise FilterError(f"{name!r}: the range is longer than {self.max_span // 86_400_000} days")
        # Instants are whole milliseconds, so an end can be moved by one to make it inclusive or exclusive.
        low = -1 if start is None else start + (self.bounds == "open")
        high = 1 << 62 if end is None else end + (self.bounds == "closed")

        def test(look: Look) -> bool:
            value = look(name)
            return isinstance(value, int) and low <= value < high

        return test


def _values(given: dict[str, Any], name: str, operator: str) -> tuple[str, ...]:
    if operator in ("is_set", "is_unset"):
        return ()
    listed = given.get("values")
    values = listed if isinstance(listed, list) and listed else [given.get("value")]
    if not all(isinstance(value, str) for value in values):
        raise FilterError(f"field {name!r}: value must be a string, or values a list of strings")
    return tuple(values)


def _texts(value: Value) -> tuple[str, ...]:
    if value is None:
        return ()
    return value if isinstance(value, tuple) else (str(value),)


def _any(value: Value, test: Callable[[str], bool]) -> bool:
    return any(test(text) for text in _texts(value))


def _compare(value: Value, wanted: Iterable[str], test: Callable[[float, float], bool]) -> bool:
    try:
        return any(test(float(text), float(other)) for text in _texts(value) for other in wanted)
    except ValueError:
        return False


_TESTS: dict[str, Callable[[Value, tuple[str, ...]], bool]] = {
    "equals": lambda value, wanted: _any(value, wanted.__contains__),
    "not_equals": lambda value, wanted: not _any(value, wanted.__contains__),
    "in": lambda value, wanted: _any(value, wanted.__contains__),
    "not_in": lambda value, wanted: not _any(value, wanted.__contains__),
    "contains": lambda value, wanted: _any(value, wanted.__contains__),
    "does_not_contain": lambda value, wanted: not _any(value, wanted.__contains__),
    "includes_all_of": lambda value, wanted: set(wanted) <= set(_texts(value)),
    "is_set": lambda value, _: bool(_texts(value)),
    "is_unset": lambda value, _: not _texts(value),
    "string_contains": lambda value, wanted: _any(value, lambda text: wanted[0].lower() in text.lower()),
    "string_does_not_contain": lambda value, wanted: not _any(value, lambda text: wanted[0].lower() in text.lower()),
    "starts_with": lambda value, wanted: _any(value, lambda text: text.startswith(wanted[0])),
    "ends_with": lambda value, wanted: _any(value, lambda text: text.endswith(wanted[0])),
    "greater_than": lambda value, wanted: _compare(value, wanted, lambda a, b: a > b),
    "less_than": lambda value, wanted: _compare(value, wanted, lambda a, b: a < b),
    "greater_than_or_equals": lambda value, wanted: _compare(value, wanted, lambda a, b: a >= b),
    "less_than_or_equals": lambda value, wanted: _compare(value, wanted, lambda a, b: a <= b),
}
