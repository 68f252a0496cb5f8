"""Pylon's wire shape of everything in the world. What is null and what is left out follows recorded replies."""

from collections.abc import Iterable
from typing import Any

from ..world import ids
from ..world.calendar import business_instant, business_seconds
from ..world.directory import COMPANY, COMPANY_DOMAIN, TEAMS, Account, AccountView, Agent, Contact
from ..world.fields import FIELDS, TAGS, Field, label
from ..world.lifecycle import Actor, Role
from ..world.plan import Overlap, Ticket
from ..world.state import Link, Message, State
from ..world.statuses import STATUSES
from ..world.times import DAY, HOUR, MINUTE, iso, local_date
from ..world.world import World

Record = dict[str, Any]

# Replaced by a signature of its own in every reply, as the vendor's attachment links differ on every read.
SIGNATURE = b"%SIGNATURE%"
_SIGNATURE = SIGNATURE.decode()
_HAS_MAIL = frozenset({"email"})
_TARGETS = {"urgent": (1, 4), "high": (4, 10), "medium": (10, 30), "low": (30, 50)}  # business hours
_REVENUE = {"enterprise": 48_000_000, "business": 5_200_000, "starter": 0}
REDACTED = "This message has been redacted."


class Records:
    def __init__(self, world: World) -> None:
        self.world = world
        self.seed = world.seed
        self._people = world.directory

    # -- identifiers

    def organisation(self) -> str:
        return ids.uuid(self.seed, "organisation")

    def issue_id(self, index: int) -> str:
        return ids.uuid(self.seed, "issue", index)

    def account_id(self, index: int) -> str:
        return ids.uuid(self.seed, "account", index)

    def contact_id(self, index: int) -> str:
        return ids.uuid(self.seed, "contact", index)

    def user_id(self, index: int) -> str:
        return ids.uuid(self.seed, "user", index)

    def team_id(self, index: int) -> str:
        return ids.uuid(self.seed, "team", index)

    def message_id(self, ticket: int, position: int) -> str:
        return ids.uuid(self.seed, "message", ticket, position)

    def thread_id(self, ticket: int) -> str:
        """The internal thread of an issue, where its private notes are."""
        return ids.uuid(self.seed, "notes", ticket)

    # -- issues

    def issue(self, state: State) -> Record:
        ticket = state.ticket
        record: Record = {
            "id": self.issue_id(ticket.index),
            "number": ticket.number,
            "title": self.world.title(ticket),
            "link": f"https://app.usepylon.com/issues?issueNumber={ticket.number}",
            "body_html": self._body(state),
            "state": state.status,
            "source": ticket.channel,
            "type": "ticket" if ticket.index % 3 == 0 else "conversation",
            "created_at": iso(ticket.created),
            "updated_at": iso(state.updated),
            "account": self._mini_account(state.account) if ticket.account_known else None,
            "assignee": None if state.assignee is None else {"id": self.user_id(state.assignee)},
            # Whoever writes down a call for somebody else does not always say for whom.
            "requester": None if by_hand(ticket) else {"id": self.contact_id(ticket.contact)},
            "team": None if state.team is None else {"id": self.team_id(state.team)},
            "tags": list(state.tags) or None,
            "custom_fields": self._issue_fields(state),
            "number_of_touches": state.touches,
            "customer_portal_visible": ticket.channel in ("customer_portal", "form"),
            "author_unverified": ticket.index % 41 == 7,
            "is_issue_group": False,
            "latest_message_time": iso(max(m.stamp for m in state.messages)) if state.messages else None,
        }
        self._add_clocks(record, state)
        self._add_optional(record, state)
        return record

    def _body(self, state: State) -> str:
        first = next((m for m in state.messages if m.position == 0 and m.ticket == state.ticket.index), None)
        body = self.html(first) if first is not None else ""
        if state.ticket.overlap is Overlap.MARKER:
            body += f"<p>[external-{self.world.thread_id(state.ticket.origins[0])}]</p>"
        return body

    def _mini_account(self, index: int) -> Record:
        crm = self._people.accounts[index].crm_id
        external = [{"external_id": crm, "label": "salesforce"}] if crm else None
        return {"id": self.account_id(index), "external_ids": external}

    def _issue_fields(self, state: State) -> Record:
        values: Record = {}
        if state.priority is not None:
            values["priority"] = {"value": state.priority}
        for slug, given in state.fields.items():
            values[slug] = {"value": "", "values": list(given)} if slug == "affected.modules" else {"value": given[0]}
        return values

    def _add_clocks(self, record: Record, state: State) -> None:
        """First response and resolution as the vendor reports them: a bot's answer counts, holidays do not."""
        created = state.ticket.created
        first, resolved = state.first_response, state.resolved
        record["first_response_time"] = None if first is None else iso(first)
        record["resolution_time"] = None if resolved is None else iso(resolved)
        # Issues from before the vendor kept first resolutions were never filled in.
        keeps_first = state.resolutions and not state.ticket.imported
        record["first_resolution_time"] = iso(state.resolutions[0].at) if keeps_first else None
        if first is not None:
            record["first_response_seconds"] = (first - created) // 1000
            record["business_hours_first_response_seconds"] = business_seconds(created, first, holidays=False)
        if resolved is not None:
            record["resolution_seconds"] = (resolved - created) // 1000
            record["business_hours_resolution_seconds"] = business_seconds(created, resolved, holidays=False)
        target = _TARGETS.get(state.priority or "")
        if target is not None:
            due = [business_instant(created, hours * HOUR, holidays=False) for hours in target]
            if first is None or first > due[0]:
                record["first_response_breach_time"] = iso(due[0])
            if resolved is None or resolved > due[1]:
                record["resolution_breach_time"] = iso(due[1])
        if not state.ticket.imported:
            spent = {slug: spent // 1000 for slug, spent in state.time_in_status.items()}
            record["time_in_status_seconds"] = spent
            record["business_hours_time_in_status_seconds"] = {slug: seconds // 4 for slug, seconds in spent.items()}

    def _add_optional(self, record: Record, state: State) -> None:
        """Everything the vendor leaves out when there is nothing to say."""
        ticket = state.ticket
        if state.snoozed_until is not None:
            record["snoozed_until_time"] = iso(state.snoozed_until)
        if state.links:
            record["external_issues"] = [self._external_issue(link) for link in state.links]
        if state.incidents:
            record["external_incidents"] = [
                {"source": source, "reference": reference, "external_id": reference.lower(), "link": link}
                for source, reference, link in state.incidents
            ]
        answered = [survey for survey in state.surveys if survey.answered is not None]
        if answered:
            record["csat_responses"] = [
                {"score": s.score, "comment": self._comment(ticket)} if s.comment else {"score": s.score}
                for s in answered
            ]
        files = [url for message in state.messages if message.is_public for url in self._files(message)]
        if files:
            record["attachment_urls"] = files
        if ticket.channel == "slack":
            record["slack"] = {
                "workspace_id": "T0SIM00001",
                "channel_id": f"C{ticket.account:09d}",
                "message_ts": f"{ticket.created // 1000}.{ticket.index % 1_000_000:06d}",
            }
        if ticket.channel == "chat_widget":
            record["chat_widget_info"] = {"page_url": f"https://app.{COMPANY_DOMAIN}/invoices?page={ticket.index % 9}"}
        if ticket.channel == "email":
            record["workspace_email"] = f"support@{COMPANY_DOMAIN}"
        if state.team is not None and state.priority is not None:
            record["team_slas"] = [self._team_sla(record, state)]
        if state.touches:
            active = state.touches * 190 + ticket.index % 60
            agent = state.assignee if state.assignee is not None else 0
            shares = {"active_time_seconds": active, "business_hours_active_time_seconds": active * 3 // 4}
            record |= shares
            record["active_time_by_user"] = [{"user_id": self.user_id(agent), **shares}]

    def _team_sla(self, record: Record, state: State) -> Record:
        sla: Record = {"team_id": self.team_id(state.team or 0)}
        if state.first_response is not None:
            sla["first_response"] = {
                "time": record["first_response_time"],
                "seconds": max(0, record["first_response_seconds"] - 45),
                "business_hours_seconds": record["business_hours_first_response_seconds"],
            }
        if state.resolved is not None:
            sla["resolution"] = {"time": record["resolution_time"], "seconds": record["resolution_seconds"]}
        return sla

    def _external_issue(self, link: Link) -> Record:
        if link.source != "plain":
            return {"source": link.source, "external_id": link.key, "link": link.link}
        thread = self.world.thread_id(link.origin)
        url = f"https://app.plain.com/workspace/{self.world.workspace_id}/thread/{thread}/"
        match link.overlap:
            case Overlap.LINK_ONLY:
                return {"source": "plain", "external_id": f"T-{self.world.tickets[link.origin].number}", "link": url}
            case Overlap.DANGLING:
                lost = ids.ulid(self.seed, "th", self.world.tickets[link.origin].created, link.origin, 1)
                return {"source": "plain", "external_id": lost, "link": url.replace(thread, lost)}
        return {"source": "plain", "external_id": thread, "link": url}

    def _comment(self, ticket: Ticket) -> str:
        return self.world.prose_for("csat", ticket.index, 0)

    # -- messages

    def html(self, message: Message) -> str:
        if message.redacted is not None:
            return f"<p>{REDACTED}</p>"
        return self.paragraphs(message)

    def paragraphs(self, message: Message) -> str:
        origin = self._written_as(message)
        parts = [self.world.prose_for("body", *origin, part) for part in range(1 + sum(origin) % 3)]
        if message.edited is not None:
            parts.append("(edited)")
        return "".join(f"<p>{part}</p>" for part in parts)

    def _written_as(self, message: Message) -> tuple[int, int]:
        """The first message of a re-created ticket repeats the one it had in Plain."""
        origins = self.world.tickets[message.ticket].origins
        return (origins[0] if origins and message.position == 0 else message.ticket, message.position)

    def _files(self, message: Message) -> list[str]:
        if (message.ticket + message.position) % 9 != 4 or message.redacted is not None:
            return []
        name = f"{self.message_id(message.ticket, message.position)[:8]}.png"
        return [f"https://assets.usepylon.com/{self.organisation()}/{name}?X-Signature={_SIGNATURE}"]

    def message(self, state: State, message: Message) -> Record:
        record: Record = {
            "id": self.message_id(message.ticket, message.position),
            "message_html": self.html(message),
            "timestamp": iso(message.stamp),
            "source": state.ticket.channel,
            "is_private": message.visibility == "private",
            "author_unverified": False,
        }
        author = self._author(message.author)
        if author is not None:
            record["author"] = author
        if message.visibility == "private":
            record["thread_id"] = self.thread_id(message.ticket)
        files = self._files(message)
        if files:
            record["file_urls"] = files
        if state.ticket.channel in _HAS_MAIL and message.visibility != "private":
            record["email_info"] = self._email_info(state, message)
        return record

    def _author(self, actor: Actor) -> Record | None:
        match actor.role:
            case Role.CONTACT:
                contact = self._people.contacts[actor.who]
                return {"name": contact.name, "contact": {"id": self.contact_id(contact.index)}}
            case Role.AGENT:
                agent = self._people.agents[actor.who]
                url = f"https://assets.usepylon.com/avatars/{agent.index}.png"
                return {"name": agent.name, "avatar_url": url, "user": {"id": self.user_id(agent.index)}}
            case Role.BOT:
                return {"name": "Assistant"}
        return None

    def _email_info(self, state: State, message: Message) -> Record:
        contact = self._people.contacts[state.ticket.contact].email
        desk = f"support@{COMPANY_DOMAIN}"
        inbound = message.author.role is Role.CONTACT
        info: Record = {
            "from_email": contact if inbound else desk,
            "to_emails": [desk if inbound else contact],
            "message_id": f"<{self.message_id(message.ticket, message.position)}@mail.example>",
            "sender_authentication_status": "pass" if message.position % 7 else "unknown",
        }
        opened = message.stamp + 90 * MINUTE
        if not inbound and opened <= state.at and message.position % 2:
            info["opens"] = [{"email": contact, "time": iso(opened)}]
        return info

    def thread(self, state: State) -> list[Record]:
        issue = self.issue_id(state.ticket.index)
        if not any(message.visibility == "private" for message in state.messages):
            return []
        return [{"id": self.thread_id(state.ticket.index), "issue_id": issue, "name": "Internal notes"}]

    def followers(self, state: State) -> list[Record]:
        users = {m.author.who for m in state.messages if m.author.role is Role.AGENT}
        people = [{"id": self.user_id(index), "type": "user"} for index in sorted(users)]
        return [*people, {"id": self.contact_id(state.ticket.contact), "type": "contact"}]

    # -- surveys

    def survey(self) -> Record:
        return {
            "id": ids.uuid(self.seed, "survey"),
            "name": "How did we do?",
            "type": "csat",
            "updated_at": iso(self.world.size.start),
        }

    def survey_responses(self, state: State) -> list[Record]:
        issue, survey_id = self.issue_id(state.ticket.index), self.survey()["id"]
        found: list[Record] = []
        for number, survey in enumerate(state.surveys):
            record: Record = {
                "id": ids.uuid(self.seed, "response", state.ticket.index, number),
                "survey_id": survey_id,
                "survey_instance_id": ids.uuid(self.seed, "instance", state.ticket.index, number),
                "survey_type": "csat",
                "issue_id": issue,
                "contact_id": self.contact_id(state.ticket.contact),
                "answers": [],
            }
            if state.ticket.account_known:
                record["account_id"] = self.account_id(state.account)
            if survey.answered is not None:
                record["submitted_at"] = iso(survey.answered)
                record["answers"] = list(self._answers(state, survey.score, survey.comment))
            found.append(record)
        return found

    def _answers(self, state: State, score: int | None, comment: str) -> Iterable[Record]:
        question = ids.uuid(self.seed, "question", 0)
        yield {"question_id": question, "question_type": "score", "prompt": "How was our help?", "value": str(score)}
        if comment:
            text = self._comment(state.ticket)
            question = ids.uuid(self.seed, "question", 1)
            yield {"question_id": question, "question_type": "comment", "prompt": "Tell us more", "value": text}

    # -- directory

    def me(self) -> Record:
        user = {"id": ids.uuid(self.seed, "api-user"), "email": ""}
        return {"id": self.organisation(), "name": COMPANY, "user": user}

    def account(self, view: AccountView, at: int) -> Record:
        account = view.account
        owner = None if view.owner is None else {"id": self.user_id(view.owner)}
        record: Record = {
            "id": self.account_id(account.index),
            "name": view.name,
            "type": account.kind,
            "created_at": iso(account.created),
            "updated_at": iso(view.updated),
            "is_disabled": view.is_disabled,
            "logo_url": "",
            "domain": view.domains[0] if view.domains else "",
            "primary_domain": view.domains[0] if view.domains else "",
            "domains": list(view.domains),
            "owner": owner,
            "channels": self._channels(view),
            "tags": list(view.tags) or None,
            "custom_fields": self._account_fields(view, at),
            "external_ids": self._mini_account(account.index)["external_ids"],
            "parent_account_id": None,
            "subaccount_ids": [],
            # Not always a time: an account nobody ever wrote from has an empty string here.
            "latest_customer_activity_time": "" if account.index % 9 == 4 else iso(_last_step(account, 9 * DAY, at)),
        }
        if account.crm_id:
            record["crm_settings"] = {"details": [{"id": account.crm_id, "source": "salesforce"}]}
        return record

    def _channels(self, view: AccountView) -> list[Record]:
        if view.account.index % 3:
            return []
        return [
            {
                "channel_id": f"C{view.account.index:09d}",
                "channel_name": f"ext-{view.account.index}",
                "channel_url": f"https://slack.example/archives/C{view.account.index:09d}",
                "source": "slack",
                "is_primary": True,
                "is_internal": False,
            }
        ]

    def _account_fields(self, view: AccountView, at: int) -> Record:
        values: Record = {
            "account.plan": {"value": view.account.segment.value},
            "account.hubspot.annualrevenue": {"value": str(_REVENUE[view.account.segment])},
        }
        if view.account.index % 4 == 0:
            values["calendar.last_meeting_date"] = {
                "value": local_date(_last_step(view.account, 30 * DAY, at)).isoformat()
            }
        return values

    def contact(self, contact: Contact, at: int) -> Record:
        account = self._people.owner_account(contact.account, at)
        record: Record = {
            "id": self.contact_id(contact.index),
            "name": contact.name,
            "avatar_url": "",
            "portal_role": ("no_access", "member", "admin")[contact.index % 3],
            "email": contact.email,
            "emails": [contact.email],
            "account": self._mini_account(account),
            "custom_fields": {"is.decision_maker": {"value": "true" if contact.index % 4 == 0 else "false"}},
        }
        if contact.index % 5 == 0:
            record["primary_phone_number"] = f"+55119{contact.index:08d}"
            record["phone_numbers"] = [record["primary_phone_number"]]
        if contact.index % 3 == 0:
            record["integration_user_ids"] = [{"id": f"U{contact.index:09d}", "source": "slack"}]
        return record

    def user(self, agent: Agent, at: int) -> Record:
        role = {"id": ids.uuid(self.seed, "role", *agent.role.encode()), "name": agent.role.title(), "slug": agent.role}
        return {
            "id": self.user_id(agent.index),
            "name": agent.name,
            "email": agent.email,
            "emails": [agent.email],
            "avatar_url": f"https://assets.usepylon.com/avatars/{agent.index}.png",
            "status": "active" if agent.works_at(at) and agent.index % 4 else "",
            "is_deactivated": agent.left is not None and agent.left <= at,
            "role": role,
            "role_id": role["id"],
            "roles": [role],
            "role_ids": [role["id"]],
        }

    def roles(self) -> list[Record]:
        return [
            {"id": ids.uuid(self.seed, "role", *slug.encode()), "name": slug.title(), "slug": slug}
            for slug in ("admin", "lead", "agent")
        ]

    def team(self, index: int, at: int) -> Record:
        members = [agent for agent in self._people.agents if agent.team == index and agent.works_at(at)]
        return {
            "id": self.team_id(index),
            "name": TEAMS[index],
            "users": [{"id": self.user_id(agent.index)} for agent in members],
            "assignment_configuration": {
                "assignment_method": "routing",
                "only_assign_if_user_active": True,
                "override_existing_assignee": False,
            },
        }

    def tag(self, index: int) -> Record:
        return {
            "id": ids.uuid(self.seed, "tag", index),
            "value": TAGS[index],
            "object_type": "issue",
            "hex_color": f"#{(index * 2_111_111) % 0xFFFFFF:06x}",
        }

    # -- definitions

    def custom_field(self, field: Field) -> Record:
        position = FIELDS.index(field)
        record: Record = {
            "id": ids.uuid(self.seed, "field", position),
            "slug": field.slug,
            "label": field.label,
            "description": field.description,
            "type": field.type,
            "object_type": field.object_type,
            "source": "hubspot" if "hubspot" in field.slug else "pylon",
            "is_read_only": "." in field.slug,
            "created_at": iso(self.world.size.start - 90 * DAY),
            "updated_at": iso(self.world.size.start - 30 * DAY),
        }
        if field.options:
            record["select_metadata"] = {"options": [{"slug": o, "label": label(o)} for o in field.options]}
        if field.type == "number":
            record["number_metadata"] = {"format": "number", "decimal_places": 0}
        return record

    def statuses(self) -> list[Record]:
        return [
            {
                "slug": status.slug,
                "label": status.label,
                "category": status.category,
                "is_default_status": status.is_standard,
                "is_archived": status.is_archived,
            }
            for status in STATUSES.values()
        ]

    def ticket_form(self) -> Record:
        fields = [
            {
                "slug": field.slug,
                "name": field.label,
                "type": field.type,
                "required": field.slug == "category",
                "hidden": False,
                "description_html": "",
            }
            for field in FIELDS[:2]
        ]
        return {
            "id": ids.uuid(self.seed, "form"),
            "name": "Contact support",
            "slug": "contact-support",
            "url": f"https://help.{COMPANY_DOMAIN}/forms/contact-support",
            "is_public": True,
            "description_html": "<p>Tell us what happened.</p>",
            "fields": fields,
        }


def by_hand(ticket: Ticket) -> bool:
    return ticket.channel == "manual" and ticket.index % 2 == 0


def _last_step(account: Account, period: int, at: int) -> int:
    """The last of an account's regular occasions; each account has its own rhythm."""
    return account.created + (at - account.created) // period * period
