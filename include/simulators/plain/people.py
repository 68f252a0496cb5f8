"""Everyone and everything Plain knows besides threads: customers, companies, tenants, tiers, users, labels, fields."""

from collections.abc import Iterator
from functools import cached_property
from typing import Any

from ..world import ids
from ..world.directory import COMPANY, COMPANY_DOMAIN, PUBLIC_MAIL, Account, Agent, Contact, Segment
from ..world.fields import FIELDS, PRIORITY_OPTIONS, TAGS, Field
from ..world.lifecycle import Actor, Role
from ..world.plan import Fate, System, Ticket
from ..world.state import State
from ..world.times import DAY, iso_ms
from ..world.world import World

Fields = dict[str, Any]

# Minutes of working time to the first response, by Plain's number for a priority.
FIRST_RESPONSE_MINUTES = {0: 60, 1: 240, 2: 600, 3: 1_800}
ARCHIVED_TAG = "beta"
PRIORITY_NUMBER = {name: number for number, name in enumerate(PRIORITY_OPTIONS)}
THREAD_FIELDS = tuple(field for field in FIELDS if field.object_type == "issue" and field.slug != "priority")


def moment(at: int) -> Fields:
    return {"iso8601": iso_ms(at), "unixTimestamp": str(at // 1000)}


def maybe(at: int | None) -> Fields | None:
    return None if at is None else moment(at)


class Facts:
    """What about Plain's people does not depend on the instant; made once per world."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.spammers: dict[int, int] = {}  # when a contact was marked as spam, which hides all their threads
        for ticket in world.tickets:
            if ticket.system is System.PLAIN and ticket.fate is Fate.SPAM:
                known = self.spammers.get(ticket.contact, ticket.fate_at)
                self.spammers[ticket.contact] = min(known, ticket.fate_at)
        self.company_of: dict[str, int] = {}  # the first account that came with a domain stands for its company
        for account in world.directory.accounts:
            for domain in account.domains:
                if domain not in PUBLIC_MAIL:
                    self.company_of.setdefault(domain, account.index)
        # Customers were still taken on in Plain for as long as people wrote there.
        self.last_newcomer = world.size.cut_over + 45 * DAY

        plain = (ticket.index for ticket in world.tickets if ticket.system is System.PLAIN)
        self.thread_index = {world.thread_id(index): index for index in plain}

    def customer_id(self, contact: int) -> str:
        return ids.ulid(self.world.seed, "c", self.world.directory.contacts[contact].created, contact)

    def company_id(self, account: int) -> str:
        return ids.ulid(self.world.seed, "co", self.world.directory.accounts[account].created, account)

    def tenant_id(self, account: int) -> str:
        return ids.ulid(self.world.seed, "te", self.world.directory.accounts[account].created, account)

    def user_id(self, agent: int) -> str:
        return ids.ulid(self.world.seed, "u", self.world.directory.agents[agent].joined, agent)

    def tier_id(self, segment: Segment) -> str:
        return ids.ulid(self.world.seed, "tier", self.began, list(Segment).index(segment))

    def label_type_id(self, tag: str) -> str:
        return ids.ulid(self.world.seed, "lt", self.began, TAGS.index(tag))

    def sla_id(self, priority: int) -> str:
        return ids.ulid(self.world.seed, "sla", self.began, priority)

    def machine_user_id(self, number: int) -> str:
        return ids.ulid(self.world.seed, "mu", self.began, number)

    @property
    def survey_id(self) -> str:
        return ids.ulid(self.world.seed, "cs", self.began, 0)

    def response_id(self, ticket: Ticket, sent: int) -> str:
        return ids.ulid(self.world.seed, "sr", sent, ticket.index)

    @property
    def began(self) -> int:
        """When the workspace was set up."""
        return self.world.size.start - 800 * DAY

    def company_account(self, account: Account, at: int) -> Account | None:
        """The account whose company a customer of an account belongs to at an instant."""
        owner = self.world.directory.accounts[self.world.directory.owner_account(account.index, at)]
        domain = next((domain for domain in owner.domains if domain not in PUBLIC_MAIL), None)
        return None if domain is None else self.world.directory.accounts[self.company_of[domain]]


class People:
    """Plain's directory as it stands at an instant."""

    def __init__(self, facts: Facts, at: int) -> None:
        self.facts = facts
        self.at = at
        self._directory = facts.world.directory

    # -- actors

    def actor(self, actor: Actor) -> Fields:
        match actor.role:
            case Role.CONTACT:
                contact = self._directory.contacts[actor.who]
                customer_id = self.facts.customer_id(actor.who)
                if contact.erased is not None and contact.erased <= self.at:
                    return {"__typename": "DeletedCustomerActor", "customerId": customer_id}
                return {
                    "__typename": "CustomerActor",
                    "customerId": customer_id,
                    "customer": lambda _info: self.customer(contact),
                }
            case Role.AGENT:
                return self.user_actor(actor.who)
            case Role.BOT:
                return {
                    "__typename": "MachineUserActor",
                    "machineUserId": self.facts.machine_user_id(1),
                    "machineUser": lambda _info: self.machine_users[1],
                }
        return self.system

    def user_actor(self, agent: int) -> Fields:
        return {
            "__typename": "UserActor",
            "userId": self.facts.user_id(agent),
            "user": lambda _info: self.user(self._directory.agents[agent]),
        }

    @property
    def system(self) -> Fields:
        return {"__typename": "SystemActor", "systemId": "thread_triage_handler", "workflow": None}

    def stamps(self, created: int, updated: int | None = None, by: Fields | None = None) -> Fields:
        author = by or self.system
        return {
            "createdAt": moment(created),
            "createdBy": author,
            "updatedAt": moment(updated or created),
            "updatedBy": author,
        }

    # -- customers and their companies

    def customers(self) -> Iterator[Contact]:
        for contact in self._directory.contacts:
            erased = contact.erased is not None and contact.erased <= self.at
            if contact.created <= min(self.at, self.facts.last_newcomer) and not erased:
                yield contact

    def spam_since(self, contact: int) -> int | None:
        since = self.facts.spammers.get(contact)
        return since if since is not None and since <= self.at else None

    def customer_updated(self, contact: Contact) -> int:
        merged = self._directory.accounts[contact.account].merged_at
        moves = [merged] if merged is not None and merged <= self.at else []
        return max(contact.created, self.spam_since(contact.index) or 0, *moves)

    def customer(self, contact: Contact) -> Fields:
        spam = self.spam_since(contact.index)
        account = self._directory.accounts[contact.account]
        verified = contact.index % 4 != 3
        return {
            "id": self.facts.customer_id(contact.index),
            "fullName": contact.name,
            "shortName": contact.name.split()[0],
            "externalId": f"contact-{contact.index}" if contact.index % 2 else None,
            "email": {
                "email": contact.email,
                "isVerified": verified,
                "verifiedAt": moment(contact.created) if verified else None,
            },
            "company": lambda _info: self.company_of(account),
            "identities": [{"__typename": "EmailCustomerIdentity", "email": contact.email}],
            "isAnonymous": False,
            "markedAsSpamAt": maybe(spam),
            "markedAsSpamBy": self.user_actor(0) if spam is not None else None,
            "customerGroupMemberships": lambda _info, **_paging: EMPTY,
            **self.stamps(contact.created, self.customer_updated(contact)),
        }

    def company_of(self, account: Account) -> Fields | None:
        company = self.facts.company_account(account, self.at)
        return None if company is None else self.company(company)

    def companies(self) -> Iterator[Account]:
        for index in dict.fromkeys(self.facts.company_of.values()):
            account = self._directory.accounts[index]
            if account.created <= min(self.at, self.facts.last_newcomer):
                yield account

    def is_merged(self, account: Account) -> bool:
        return account.merged_at is not None and account.merged_at <= self.at

    def account_updated(self, account: Account) -> int:
        stamps = [change.at for change in account.changes if change.at <= self.at]
        merged = [account.merged_at] if account.merged_at is not None and self.is_merged(account) else []
        return max([account.created, *stamps, *merged])

    def _name(self, account: Account) -> str:
        view = self._directory.account_at(account, self.at)
        return view.name if view is not None else account.name

    def company(self, account: Account) -> Fields:
        deleted = self.is_merged(account)
        return {
            "id": self.facts.company_id(account.index),
            "name": self._name(account),
            "domainName": next(domain for domain in account.domains if domain not in PUBLIC_MAIL),
            "contractValue": (account.index + 1) * 120_000 if account.index % 3 else None,
            "accountOwner": None if account.owner is None else lambda _info: self._owner(account),
            "tier": lambda _info: self.tier(account.segment),
            "logoUrl": None,
            "threadChannelAssociations": [],
            "isDeleted": deleted,
            "deletedAt": maybe(account.merged_at if deleted else None),
            "deletedBy": self.user_actor(0) if deleted else None,
            **self.stamps(account.created, self.account_updated(account)),
        }

    def _owner(self, account: Account) -> Fields | None:
        return None if account.owner is None else self.user(self._directory.agents[account.owner])

    def tenants(self) -> Iterator[Account]:
        for account in self._directory.accounts:
            if account.crm_id is not None and account.created <= min(self.at, self.facts.last_newcomer):
                yield account

    def tenant(self, account: Account) -> Fields:
        return {
            "id": self.facts.tenant_id(account.index),
            "externalId": account.crm_id,
            "name": self._name(account),
            "source": "SALESFORCE",
            "url": f"https://crm.example/{account.crm_id}",
            "primaryDomain": account.domains[0] if account.domains else None,
            "alternateDomains": list(account.domains[1:]),
            "isDomainAutoJoinEnabled": False,
            "threadChannelAssociations": [],
            "logoUrl": None,
            "tier": lambda _info: self.tier(account.segment),
            **self.stamps(account.created, self.account_updated(account)),
        }

    def tier(self, segment: Segment) -> Fields:
        return {
            "id": self.facts.tier_id(segment),
            "name": segment.value.title(),
            "externalId": segment.value,
            "color": "#5a67d8",
            "isDefault": segment is Segment.STARTER,
            "isMachineTier": False,
            "defaultPriority": 2,
            "defaultThreadPriority": 2,
            "memberships": lambda _info, **_paging: EMPTY,
            "serviceLevelAgreements": lambda _info: [self.sla(priority) for priority in FIRST_RESPONSE_MINUTES],
            **self.stamps(self.facts.began),
        }

    def sla(self, priority: int) -> Fields:
        return {
            "__typename": "FirstResponseTimeServiceLevelAgreement",
            "id": self.facts.sla_id(priority),
            "firstResponseTimeMinutes": FIRST_RESPONSE_MINUTES[priority],
            "useBusinessHoursOnly": True,
            "threadPriorityFilter": [priority],
            "threadLabelTypeIdFilter": None,
            "breachActions": [],
            **self.stamps(self.facts.began),
        }

    # -- the company's own people

    def users(self) -> Iterator[Agent]:
        return (agent for agent in self._directory.agents if agent.joined <= self.at)

    def user(self, agent: Agent) -> Fields:
        gone = agent.left is not None and agent.left <= self.at
        role = {
            "id": f"role_{agent.role}",
            "key": "ADMIN" if agent.role == "admin" else "SUPPORT",
            "name": agent.role.title(),
            "description": None,
            "permissions": [],
            "assignableBillingSeats": ["MEMBER"],
            "isAssignableToCustomer": True,
            "isAssignableToTask": True,
            "isAssignableToThread": True,
            "requiresBillableSeat": True,
        }
        return {
            "id": self.facts.user_id(agent.index),
            "fullName": agent.name,
            "publicName": agent.name.split()[0],
            "email": agent.email,
            "avatarUrl": None,
            "status": "OFFLINE" if gone or agent.index % 3 == 2 else "ONLINE",
            "statusChangedAt": moment(agent.left if gone and agent.left else agent.joined),
            "isDeleted": gone,
            "deletedAt": maybe(agent.left if gone else None),
            "deletedBy": self.user_actor(0) if gone else None,
            "role": role,
            "roles": [role],
            "labels": [],
            "slackIdentities": [],
            **self.stamps(agent.joined, agent.left if gone else None),
        }

    @cached_property
    def machine_users(self) -> list[Fields]:
        return [
            {
                "id": self.facts.machine_user_id(number),
                "fullName": name,
                "publicName": name,
                "description": description,
                "type": kind,
                "isDeleted": deleted,
                "deletedAt": moment(self.facts.began + 90 * DAY) if deleted else None,
                "deletedBy": self.user_actor(0) if deleted else None,
                **self.stamps(self.facts.began, self.facts.began + 90 * DAY if deleted else None),
            }
            for number, (name, description, kind, deleted) in enumerate(
                (
                    ("Warehouse loader", "Reads everything", "API_USER", False),
                    ("Assistant", None, "AI_AGENT", False),
                    ("Old importer", "Replaced", "API_USER", True),
                )
            )
        ]

    def assignee(self, agent: int | None) -> Fields | None:
        if agent is None:
            return None
        return {"__typename": "User", **self.user(self._directory.agents[agent])}

    # -- labels, fields, surveys, workspace

    def label(self, state: State, tag: str) -> Fields:
        """A tag on a thread; its type is what the tag is called."""
        added = state.tagged_at or state.ticket.created
        return {
            "id": ids.ulid(self.facts.world.seed, "l", added, state.ticket.index, TAGS.index(tag)),
            "labelType": self.label_type(tag),
            **self.stamps(added),
        }

    def label_type(self, tag: str) -> Fields:
        archived_at = self.facts.world.size.cut_over
        archived = tag == ARCHIVED_TAG and archived_at <= self.at
        return {
            "id": self.facts.label_type_id(tag),
            "name": tag,
            "description": None,
            "color": "#ee7733",
            "icon": "tag",
            "externalId": None,
            "type": "DEFAULT",
            "position": f"a{TAGS.index(tag)}",
            "isExcludedFromAi": False,
            "isArchived": archived,
            "archivedAt": moment(archived_at) if archived else None,
            "archivedBy": self.user_actor(0) if archived else None,
            **self.stamps(self.facts.began, archived_at if archived else None),
        }

    def field_schema(self, field: Field) -> Fields:
        position = THREAD_FIELDS.index(field)
        return {
            "id": ids.ulid(self.facts.world.seed, "tfs", self.facts.began, position),
            "key": field.slug,
            "label": field.label,
            "description": field.description,
            "order": position,
            "type": field_type(field),
            "enumValues": list(field.options),
            "isRequired": False,
            "isAiAutoFillEnabled": field.slug == "category",
            "isAvailableToAgents": True,
            "isClientReadonly": "." in field.slug,
            "dependsOnLabels": [],
            **self.stamps(self.facts.began),
        }

    def survey(self) -> Fields:
        return {
            "id": self.facts.survey_id,
            "name": "How did we do?",
            "isEnabled": True,
            "order": 0,
            "responseDelayMinutes": 5,
            "customerIntervalDays": 0,
            "conditions": [],
            "conditionsOperator": "AND",
            "template": {
                "__typename": "CsatCustomerSurveyTemplate",
                "type": "CSAT",
                "questionText": "How was our help?",
            },
            **self.stamps(self.facts.began),
        }

    def workspace(self) -> Fields:
        return {
            "id": self.facts.world.workspace_id,
            "name": COMPANY,
            "publicName": COMPANY,
            "isDemoWorkspace": False,
            "domainName": COMPANY_DOMAIN,
            "domainNames": [COMPANY_DOMAIN],
            "workspaceEmailSettings": {
                "isEnabled": True,
                "workspaceEmailDomainSettings": None,
                "bccEmailAddresses": [],
            },
            "workspaceChatSettings": {"isEnabled": True},
            **self.stamps(self.facts.began),
        }


def field_type(field: Field) -> str:
    return {"select": "ENUM", "multiselect": "STRING", "number": "NUMBER", "boolean": "BOOL"}.get(field.type, "STRING")


NO_PAGE = {"hasNextPage": False, "hasPreviousPage": False, "startCursor": None, "endCursor": None}
EMPTY: Fields = {"edges": [], "pageInfo": NO_PAGE, "totalCount": 0}
