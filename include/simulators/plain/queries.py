"""The root of the schema: what each query answers at an instant."""

import json
from collections.abc import Callable, Iterable
from typing import Any

from ..world.directory import Segment
from ..world.fields import TAGS
from ..world.lifecycle import Kind
from ..world.plan import System
from .connection import connection
from .filters import Row, company_matches, in_window, sort_value, tenant_matches, thread_test
from .people import THREAD_FIELDS, Facts, Fields, People, moment
from .threads import Threads

Key = tuple[Any, str]
DEFAULT_SORT = {"field": "CREATED_AT", "direction": "DESC"}


class Queries:
    """One request's view of the world. The names of its methods are the names of the queries."""

    def __init__(
        self,
        facts: Facts,
        at: int,
        permissions: tuple[str, ...],
        found: dict[str, list[tuple[Key, int]]],
        *,
        spam_hidden: bool = False,
        drift: bool = False,
    ) -> None:
        self.facts = facts
        self.world = facts.world
        self.at = at
        self.people = People(facts, at)
        self.all_threads = Threads(self.people, drift=drift)
        self._permissions = permissions
        self._found = found  # the results of searches, kept over the pages of a scan
        self._spam_hidden = spam_hidden
        self._snapshot = self.world.snapshot(System.PLAIN, at)

    # -- threads

    def threads(self, _info: Any, filters: Fields | None = None, sortBy: Fields | None = None, **paging: Any) -> Fields:
        return connection(self._search(filters or {}, sortBy or DEFAULT_SORT), "threads", _key, self._node, paging)

    def _search(self, filters: Fields, sort: Fields) -> list[tuple[Key, int]]:
        if self._spam_hidden and filters.get("isMarkedAsSpam") is None:
            filters = {**filters, "isMarkedAsSpam": False}
        asked = json.dumps([self.at, filters, sort], sort_keys=True)
        found = self._found.get(asked)
        if found is None:
            test = thread_test(self.all_threads, filters)
            rows = (
                Row(self.all_threads, self.world.tickets[index], updated)
                for index, updated in zip(self._snapshot.tickets, self._snapshot.updated, strict=True)
            )
            found = [
                ((sort_value(row, sort), self.world.thread_id(row.ticket.index)), row.ticket.index)
                for row in rows
                if test(row)
            ]
            found.sort(reverse=sort["direction"] == "DESC")
            if len(self._found) >= 8:
                self._found.pop(next(iter(self._found)))
            self._found[asked] = found
        return found

    def _node(self, item: tuple[Key, int]) -> Fields:
        return self.all_threads.thread(self.world.state(item[1], self.at))

    def _thread_where(self, wanted: Callable[[int], bool]) -> Fields | None:
        index = next((index for index in self._snapshot.tickets if wanted(index)), None)
        return None if index is None else self.all_threads.thread(self.world.state(index, self.at))

    def thread(self, _info: Any, threadId: str) -> Fields | None:
        index = self.facts.thread_index.get(threadId)
        return None if index is None else self._thread_where(index.__eq__)

    def threadByRef(self, _info: Any, ref: str) -> Fields | None:
        return self._thread_where(lambda index: f"T-{self.world.tickets[index].number}" == ref)

    def threadByExternalId(self, _info: Any, customerId: str, externalId: str) -> Fields | None:
        for index in self._external(externalId):
            if self.facts.customer_id(self.world.tickets[index].contact) == customerId:
                return self.all_threads.thread(self.world.state(index, self.at))
        return None

    def _external(self, external_id: str) -> list[int]:
        prefix, _, number = external_id.partition("-")
        index = int(number) if prefix == "ext" and number.isdigit() else -1
        known = index in self._snapshot.position and self.world.tickets[index].channel in ("form", "import")
        return [index] if known else []

    def threadsByExternalId(self, _info: Any, externalId: str, **paging: Any) -> Fields:
        found = [((0, self.world.thread_id(index)), index) for index in self._external(externalId)]
        return connection(found, "threads", _key, self._node, paging)

    def deletedThreads(self, _info: Any, filters: Fields | None = None, **paging: Any) -> Fields:
        """Deletions since the log was switched on. Threads that went with their customer are not in it."""
        window = in_window((filters or {}).get("deletedAt") or {}, "deletedAt")
        gone = [
            (at, self.world.thread_id(index))
            for index, (at, kind) in self.world.timelines[System.PLAIN].gone.items()
            if kind is Kind.DELETED and self.world.deletions_logged_from <= at <= self.at and window(at)
        ]
        return connection(
            sorted(gone),
            "deleted_threads",
            lambda item: item,
            lambda item: {"threadId": item[1], "deletedAt": moment(item[0])},
            paging,
        )

    def timelineEntries(self, _info: Any, customerId: str, **paging: Any) -> Fields:
        return self.all_threads.timelines.connection(self._customer_timeline(customerId), None, paging)

    def _customer_timeline(self, customer_id: str) -> list[Fields]:
        entries = [
            entry
            for index in self._snapshot.tickets
            if self.facts.customer_id(self.world.tickets[index].contact) == customer_id
            for entry in self.all_threads.timelines.of(self.world.state(index, self.at))
        ]
        return sorted(entries, key=lambda entry: (entry["timestamp"]["iso8601"], entry["id"]))

    def timelineEntry(self, _info: Any, customerId: str, timelineEntryId: str) -> Fields | None:
        return next((e for e in self._customer_timeline(customerId) if e["id"] == timelineEntryId), None)

    # -- customers and their companies

    def customers(
        self, _info: Any, filters: Fields | None = None, sortBy: Fields | None = None, **paging: Any
    ) -> Fields:
        filters = filters or {}
        window = in_window(filters.get("updatedAt") or {}, "updatedAt")
        spam, companies, tenants = (
            filters.get(k) for k in ("isMarkedAsSpam", "companyIdentifiers", "tenantIdentifiers")
        )
        nobody = any(filters.get(name) for name in ("customerGroupIds", "customerGroupKeys", "slackChannelId"))
        found = [
            contact
            for contact in self.people.customers()
            if not nobody
            and window(self.people.customer_updated(contact))
            and (spam is None or (self.people.spam_since(contact.index) is not None) is spam)
            and (companies is None or company_matches(self.people, contact.account, companies))
            and (tenants is None or tenant_matches(self.people, contact.account, tenants))
        ]
        down = sortBy is not None and sortBy["direction"] == "DESC"
        keyed = sorted(((c.name, self.facts.customer_id(c.index)), c.index) for c in found)
        contacts = self.world.directory.contacts
        return connection(
            keyed[::-1] if down else keyed,
            "customers",
            _key,
            lambda item: self.people.customer(contacts[item[1]]),
            paging,
        )

    def _customer_where(self, wanted: Callable[[Any], bool]) -> Fields | None:
        return next((self.people.customer(c) for c in self.people.customers() if wanted(c)), None)

    def customer(self, _info: Any, customerId: str) -> Fields | None:
        return self._customer_where(lambda contact: self.facts.customer_id(contact.index) == customerId)

    def customerByEmail(self, _info: Any, email: str) -> Fields | None:
        return self._customer_where(lambda contact: contact.email == email)

    def customerByExternalId(self, _info: Any, externalId: str) -> Fields | None:
        return self._customer_where(lambda contact: contact.index % 2 and externalId == f"contact-{contact.index}")

    def companies(self, _info: Any, filters: Fields | None = None, **paging: Any) -> Fields:
        filters = filters or {}
        window = in_window(filters.get("updatedAt") or {}, "updatedAt")
        ids, deleted = filters.get("companyIds"), filters.get("isDeleted")
        found = [
            account
            for account in self.people.companies()
            if window(self.people.account_updated(account))
            and (ids is None or self.facts.company_id(account.index) in ids)
            and (deleted is None or self.people.is_merged(account) is deleted)
        ]
        return _listed("companies", (self.people.company(account) for account in found), paging)

    def company(self, _info: Any, companyId: str) -> Fields | None:
        return _one((self.people.company(account) for account in self.people.companies()), companyId)

    def tenants(self, _info: Any, filters: Fields | None = None, **paging: Any) -> Fields:
        filters = filters or {}
        window = in_window(filters.get("updatedAt") or {}, "updatedAt")
        ids, deleted, tiers = (filters.get(k) for k in ("tenantIds", "isDeleted", "tierIdentifiers"))
        found = [
            account
            for account in self.people.tenants()
            if window(self.people.account_updated(account))
            and not filters.get("tenantFields")
            and (ids is None or self.facts.tenant_id(account.index) in ids)
            and (deleted is None or self.people.is_merged(account) is deleted)
            and (tiers is None or any(t.get("externalId") == account.segment.value for t in tiers))
        ]
        return _listed("tenants", (self.people.tenant(account) for account in found), paging)

    def tenant(self, _info: Any, tenantId: str) -> Fields | None:
        return _one((self.people.tenant(account) for account in self.people.tenants()), tenantId)

    def tiers(self, _info: Any, **paging: Any) -> Fields:
        return _listed("tiers", (self.people.tier(segment) for segment in Segment), paging)

    def tier(self, _info: Any, tierId: str) -> Fields | None:
        return _one((self.people.tier(segment) for segment in Segment), tierId)

    # -- the company's own people and settings

    def users(self, _info: Any, filters: Fields | None = None, **paging: Any) -> Fields:
        refused = any(value is False for value in (filters or {}).values())
        return _listed("users", (self.people.user(agent) for agent in self.people.users() if not refused), paging)

    def user(self, _info: Any, userId: str) -> Fields | None:
        return _one((self.people.user(agent) for agent in self.people.users()), userId)

    def userByEmail(self, _info: Any, email: str) -> Fields | None:
        return next((self.people.user(agent) for agent in self.people.users() if agent.email == email), None)

    def machineUsers(self, _info: Any, filters: Fields | None = None, **paging: Any) -> Fields:
        kind = (filters or {}).get("type")
        found = (user for user in self.people.machine_users if kind in (None, user["type"]))
        return _listed("machine_users", found, paging)

    def machineUser(self, _info: Any, machineUserId: str) -> Fields | None:
        return _one(self.people.machine_users, machineUserId)

    def myMachineUser(self, _info: Any) -> Fields:
        return self.people.machine_users[0]

    def labelTypes(self, _info: Any, filters: Fields | None = None, **paging: Any) -> Fields:
        archived = (filters or {}).get("isArchived")
        found = (label for label in map(self.people.label_type, TAGS) if archived in (None, label["isArchived"]))
        return _listed("label_types", found, paging)

    def labelType(self, _info: Any, labelTypeId: str) -> Fields | None:
        return _one(map(self.people.label_type, TAGS), labelTypeId)

    def threadFieldSchemas(self, _info: Any, **paging: Any) -> Fields:
        return _listed("thread_field_schemas", map(self.people.field_schema, THREAD_FIELDS), paging)

    def threadFieldSchema(self, _info: Any, threadFieldSchemaId: str) -> Fields | None:
        return _one(map(self.people.field_schema, THREAD_FIELDS), threadFieldSchemaId)

    def customerSurveys(self, _info: Any, **paging: Any) -> Fields:
        return _listed("customer_surveys", [self.people.survey()], paging)

    def customerSurvey(self, _info: Any, id: str) -> Fields | None:  # noqa: A002 - the schema calls it so
        return _one([self.people.survey()], id)

    def myWorkspace(self, _info: Any) -> Fields:
        return self.people.workspace()

    def myPermissions(self, _info: Any) -> Fields:
        return {"permissions": list(self._permissions)}


def _key(item: tuple[Key, int]) -> Key:
    return item[0]


def _listed(name: str, nodes: Iterable[Fields], paging: Fields) -> Fields:
    """A connection without an order of its own: as created."""
    ordered = sorted(nodes, key=lambda node: (node["createdAt"]["iso8601"], node["id"]))
    return connection(ordered, name, lambda node: (node["createdAt"]["iso8601"], node["id"]), lambda node: node, paging)


def _one(nodes: Iterable[Fields], identifier: str) -> Fields | None:
    return next((node for node in nodes if node["id"] == identifier), None)
