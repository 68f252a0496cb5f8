"""Who takes part: the company's agents and teams, its customers' accounts and contacts, and what changed about them."""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random

from . import text
from .rng import stream
from .sizes import Size
from .times import DAY, HOUR

PUBLIC_MAIL = ("gmail.com", "hotmail.com", "yahoo.com.br", "outlook.com")
TEAMS = ("Support", "Engineering", "Product")
COMPANY = "Northwind Fiscal"
COMPANY_DOMAIN = "northwind-fiscal.example"


class Segment(StrEnum):
    ENTERPRISE = "enterprise"
    BUSINESS = "business"
    STARTER = "starter"


@dataclass(frozen=True, slots=True)
class Agent:
    index: int
    name: str
    email: str
    team: int
    role: str  # admin, lead or agent
    joined: int
    left: int | None

    def works_at(self, at: int) -> bool:
        return self.joined <= at and (self.left is None or at < self.left)


@dataclass(frozen=True, slots=True)
class AccountChange:
    at: int
    kind: str  # renamed, owner_changed, tagged, disabled or absorbed
    text: str = ""
    other: int = -1


@dataclass(frozen=True, slots=True)
class Account:
    index: int
    name: str
    created: int
    domains: tuple[str, ...]
    segment: Segment
    owner: int | None
    crm_id: str | None
    kind: str  # customer, internal or partner
    changes: tuple[AccountChange, ...]
    merged_into: int | None = None
    merged_at: int | None = None
    contacts: range = field(default=range(0))

    def exists_at(self, at: int) -> bool:
        return self.created <= at and (self.merged_at is None or at < self.merged_at)


@dataclass(frozen=True, slots=True)
class Contact:
    index: int
    account: int
    name: str
    email: str
    created: int
    erased: int | None  # the instant a privacy request removed the person from Plain


@dataclass(frozen=True, slots=True)
class AccountView:
    """One account as it stood at an instant."""

    account: Account
    name: str
    owner: int | None
    tags: tuple[str, ...]
    is_disabled: bool
    domains: tuple[str, ...]
    updated: int


class Directory:
    """Agents, accounts and contacts of one world."""

    def __init__(self, seed: int, size: Size) -> None:
        self.seed = seed
        self.size = size
        self.agents = tuple(_agents(seed, size))
        self.contacts: tuple[Contact, ...]
        self.accounts: tuple[Account, ...]
        self.accounts, self.contacts = _accounts(seed, size, self.agents)
        # Tickets are dealt out over the accounts that exist, so accounts are numbered in order of creation.
        self._created = [account.created for account in self.accounts]
        self._support = tuple(agent for agent in self.agents if agent.team == 0)

    def pick_account(self, rng: Random, at: int) -> Account:
        """An account that exists at an instant; few of them write most of the tickets."""
        known = bisect_right(self._created, at)
        while True:
            account = self.accounts[int(known * rng.random() ** 1.7)]
            if account.exists_at(at):
                return account

    def pick_agent(self, rng: Random, at: int, team: int = 0) -> Agent:
        """An agent of a team who works here at an instant; the first agent never leaves."""
        members = self._support if team == 0 else tuple(a for a in self.agents if a.team == team)
        present = [agent for agent in members if agent.works_at(at)]
        return rng.choice(present) if present else self.agents[0]

    def owner_account(self, index: int, at: int) -> int:
        """The account that stands for an account at an instant: itself, or the one it was merged into."""
        account = self.accounts[index]
        while account.merged_into is not None and account.merged_at is not None and account.merged_at <= at:
            account = self.accounts[account.merged_into]
        return account.index

    def account_at(self, account: Account, at: int) -> AccountView | None:
        """The account as it stood at an instant, or nothing if it was not there."""
        if not account.exists_at(at):
            return None
        name, owner, tags = account.name, account.owner, [account.segment.value]
        domains, disabled, updated = account.domains, False, account.created
        for change in account.changes:
            if change.at > at:
                break
            updated = change.at
            match change.kind:
                case "renamed":
                    name = change.text
                case "owner_changed":
                    owner = change.other
                case "tagged":
                    tags.append(change.text)
                case "disabled":
                    disabled = True
                case "absorbed":
                    extra = self.accounts[change.other].domains
                    domains += tuple(domain for domain in extra if domain not in domains)
        return AccountView(account, name, owner, tuple(tags), disabled, domains, updated)

    def accounts_at(self, at: int) -> Iterator[AccountView]:
        for account in self.accounts:
            view = self.account_at(account, at)
            if view is not None:
                yield view

    def contacts_at(self, at: int) -> Iterator[Contact]:
        return (contact for contact in self.contacts if contact.created <= at)


def _agents(seed: int, size: Size) -> Iterator[Agent]:
    rng = stream(seed, "agents")
    names = text.people(rng, size.agents)
    others = max(2, size.agents // 5)
    for index, name in enumerate(names):
        team = 0 if index < size.agents - others else 1 + index % 2
        joined, left = size.start - rng.randrange(30, 900) * DAY, None
        match index % 6:
            case 3:  # a joiner
                joined = size.start + rng.randrange(3, 25) * DAY + 11 * HOUR
            case 4:  # a leaver before the default clock
                left = size.cut_over + rng.randrange(8, 16) * DAY + 21 * HOUR
            case 5 if index > 6:  # a leaver some time later
                left = size.cut_over + rng.randrange(60, 330) * DAY + 21 * HOUR
        role = "admin" if index == 0 else "lead" if index % 5 == 1 else "agent"
        yield Agent(index, name, f"{text.slug(name, '.')}@{COMPANY_DOMAIN}", team, role, joined, left)


def _accounts(seed: int, size: Size, agents: tuple[Agent, ...]) -> tuple[tuple[Account, ...], tuple[Contact, ...]]:
    rng = stream(seed, "accounts")
    count = size.accounts
    created = sorted(_signed_up(rng, size, index / count) for index in range(count))
    names = text.companies(rng, count)
    owners = [agent.index for agent in agents if agent.role != "agent"]
    losers = _mergers(rng, size, created)
    absorbed: dict[int, list[AccountChange]] = {}
    for loser, (winner, at) in losers.items():
        absorbed.setdefault(winner, []).append(AccountChange(at, "absorbed", other=loser))

    accounts: list[Account] = []
    contacts: list[Contact] = []
    for index in range(count):
        domains = _domains(index, names)
        changes = [*_changes(rng, size, created[index], names[index], owners), *absorbed.get(index, [])]
        winner, merged_at = losers.get(index, (-1, 0))
        first = len(contacts)
        for name in text.people(rng, rng.randrange(2, 7)):
            at_domain = domains[0] if domains else PUBLIC_MAIL[len(contacts) % len(PUBLIC_MAIL)]
            erased = size.cut_over - rng.randrange(1, 9) * DAY if len(contacts) % 37 == 0 else None
            email = f"{text.slug(name, '.')}.{len(contacts)}@{at_domain}"
            contacts.append(Contact(len(contacts), index, name, email, created[index], erased))
        accounts.append(
            Account(
                index=index,
                name=names[index],
                created=created[index],
                domains=domains,
                segment=rng.choices(tuple(Segment), (0.2, 0.5, 0.3))[0],
                owner=rng.choice(owners) if rng.random() < 0.9 else None,
                crm_id=f"001{index:06d}SIM{seed % 1000:03d}AAA" if index % 8 != 5 else None,
                kind=("internal", "partner")[index % 2] if index % 23 == 9 else "customer",
                changes=tuple(sorted(changes, key=lambda change: change.at)),
                merged_into=winner if winner >= 0 else None,
                merged_at=merged_at if winner >= 0 else None,
                contacts=range(first, len(contacts)),
            )
        )
    return tuple(accounts), tuple(contacts)


def _signed_up(rng: Random, size: Size, share: float) -> int:
    """Most customers were there before the history starts, some joined during it, a few have yet to join."""
    if share < 0.7:
        return size.start - rng.randrange(10, 700) * DAY
    begin, end = (size.start, size.clock) if share < 0.93 else (size.clock, size.end)
    return begin + int((end - begin) * rng.random())


def _domains(index: int, names: list[str]) -> tuple[str, ...]:
    own = f"{text.slug(names[index], '-')}.example"
    match index % 12:
        case 3:
            return ()
        case 5:  # people who write from a public mail provider
            return (PUBLIC_MAIL[index // 12 % len(PUBLIC_MAIL)],)
        case 7:  # a holding whose companies share one domain
            return (f"{text.slug(names[index - 1], '-')}.example",)
        case 9:
            return (own, f"{text.slug(names[index], '')}.com.br.example")
    return (own,)


def _mergers(rng: Random, size: Size, created: list[int]) -> dict[int, tuple[int, int]]:
    """Accounts that were merged away: loser to (winner, instant). A winner is never itself a loser."""
    losers: dict[int, tuple[int, int]] = {}
    for number, index in enumerate(range(4, len(created), 15)):
        if created[index] < size.cut_over:
            after = rng.randrange(5, 18) if number == 0 else rng.randrange(5, 300)
            losers[index] = (index - 2, size.cut_over + after * DAY + rng.randrange(12, 20) * HOUR)
    return losers


def _changes(rng: Random, size: Size, created: int, name: str, owners: list[int]) -> Iterator[AccountChange]:
    for _ in range(rng.randrange(4)):
        at = max(created, size.start) + int((size.end - max(created, size.start)) * rng.random())
        match rng.randrange(8):
            case 0 | 1:
                yield AccountChange(at, "renamed", text=f"{name} {rng.choice(('S.A.', 'Ltda.', 'Holding', 'Group'))}")
            case 2 | 3 | 4:
                yield AccountChange(at, "owner_changed", other=rng.choice(owners))
            case 5 | 6:
                yield AccountChange(at, "tagged", text=rng.choice(("at-risk", "expansion", "pilot", "vip")))
            case 7:
                yield AccountChange(at, "disabled")
