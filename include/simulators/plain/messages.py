"""Messages as entries of a timeline: each channel has a type of its own."""

from ..world import ids
from ..world.directory import COMPANY_DOMAIN
from ..world.lifecycle import Event, Kind, Role
from ..world.plan import Ticket
from ..world.state import Message, State
from .people import Fields, People, maybe, moment

CHANNELS = {
    "email": "EMAIL",
    "slack": "SLACK",
    "chat_widget": "CHAT",
    "form": "API",
    "microsoft_teams": "MS_TEAMS",
    "discord": "DISCORD",
    "import": "IMPORT",
}


class Messages:
    def __init__(self, people: People) -> None:
        self.people = people
        self.facts = people.facts
        self.world = people.facts.world
        self.at = people.at

    def text(self, message: Message) -> str:
        if message.redacted is not None:
            return "[redacted]"
        text = self.world.prose_for("body", message.ticket, message.position, 0)
        return f"{text} (edited)" if message.edited is not None else text

    def entry(self, state: State, event: Event | None, message: Message | None) -> Fields | None:
        ticket = state.ticket
        if message is None:
            return self._removed_entry(ticket, event) if event is not None and state.ended is None else None
        text = self.text(message)
        if message.visibility == "private":
            return {
                "__typename": "NoteEntry",
                "noteId": self._id("n", message),
                "text": text,
                "markdown": None if message.position % 5 == 4 else text,
                "isEdited": message.edited is not None,
                "editedAt": maybe(message.edited),
                "editedBy": self.people.actor(message.author) if message.edited is not None else None,
                "attachments": [],
            }
        match ticket.channel:
            case "slack":
                return self._slack_entry(ticket, message, text)
            case "chat_widget":
                return {
                    "__typename": "ChatEntry",
                    "chatId": self._id("ch", message),
                    "text": None if (message.ticket + message.position) % 29 == 3 else text,
                    "customerReadAt": None,
                    "attachments": [],
                }
            case "microsoft_teams":
                return {
                    "__typename": "MSTeamsMessageEntry",
                    "msTeamsMessageId": self._id("ms", message),
                    "msTeamsMessageLink": f"https://teams.example/{ticket.index}/{message.position}",
                    "text": text,
                    "markdownContent": text,
                    "customerId": self.facts.customer_id(ticket.contact),
                    "hasUnprocessedAttachments": False,
                    "lastEditedOnMsTeamsAt": maybe(message.edited),
                    "deletedOnMsTeamsAt": None,
                    "attachments": [],
                }
            case "discord":
                return {
                    "__typename": "DiscordMessageEntry",
                    "discordMessageId": self._id("di", message),
                    "discordMessageLink": f"https://discord.example/{ticket.index}/{message.position}",
                    "markdownContent": text,
                    "customerId": self.facts.customer_id(ticket.contact),
                    "lastEditedOnDiscordAt": maybe(message.edited),
                    "deletedOnDiscordAt": None,
                    "attachments": [],
                }
            case "form" if message.position == 0:
                return {
                    "__typename": "CustomEntry",
                    "title": self.world.title(ticket),
                    "externalId": None,
                    "type": "contact-form",
                    "components": [
                        {"__typename": "ComponentText", "text": text, "textSize": "M", "textColor": "NORMAL"}
                    ],
                    "attachments": [],
                }
        return self._email_entry(ticket, message, text)

    def _id(self, prefix: str, message: Message) -> str:
        return ids.ulid(self.world.seed, prefix, message.stamp, message.ticket, message.position)

    def _slack_entry(self, ticket: Ticket, message: Message, text: str) -> Fields:
        link = f"https://slack.example/archives/C{ticket.account:09d}/p{message.stamp}"
        return {
            "__typename": "SlackReplyEntry" if message.position else "SlackMessageEntry",
            "text": text,
            "customerId": self.facts.customer_id(ticket.contact),
            "slackMessageLink": link,
            "slackWebMessageLink": link,
            "lastEditedOnSlackAt": maybe(message.edited),
            "deletedOnSlackAt": None,
            "reactions": [],
            "attachments": [],
        }

    def _removed_entry(self, ticket: Ticket, event: Event) -> Fields | None:
        """A message deleted in Slack stays as an entry that says so; elsewhere, or after a purge, it is just gone."""
        if ticket.channel != "slack" or event.value == "private":
            return None
        removed = next(
            (
                later
                for later in self.world.events(ticket.index)
                if event.at < later.at <= self.at
                and (later.kind is Kind.PURGED or (later.kind is Kind.REMOVED and later.number == event.number))
            ),
            None,
        )
        if removed is None or removed.kind is Kind.PURGED:
            return None
        message = Message(ticket.index, event.number, event.actor, event.value, event.stamp, event.at)
        return self._slack_entry(ticket, message, "") | {"deletedOnSlackAt": moment(removed.at)}

    def _email_entry(self, ticket: Ticket, message: Message, text: str) -> Fields:
        contact = self.world.directory.contacts[ticket.contact]
        inbound = message.author.role is Role.CONTACT
        customer = {
            "name": contact.name,
            "email": contact.email,
            "emailActor": {
                "__typename": "CustomerEmailActor",
                "customerId": self.facts.customer_id(contact.index),
                "customer": lambda _info: self.people.customer(contact),
            },
        }
        address = f"support@{COMPANY_DOMAIN}"
        desk = {
            "name": None,
            "email": address,
            "emailActor": {"__typename": "SupportEmailAddressEmailActor", "supportEmailAddress": address},
        }
        sent = None if inbound else moment(message.stamp)
        return {
            "__typename": "EmailEntry",
            "emailId": self._id("em", message),
            "from": customer if inbound else desk,
            "to": desk if inbound else customer,
            "additionalRecipients": [],
            "hiddenRecipients": [],
            "subject": self.world.title(ticket),
            "textContent": text,
            "markdownContent": text,
            "fullTextContent": text,
            "fullMarkdownContent": text,
            "hasMoreTextContent": False,
            "hasMoreMarkdownContent": False,
            "category": "MESSAGING",
            "authenticity": "PASS" if message.position % 7 else "UNKNOWN",
            "receivedAt": moment(message.stamp) if inbound else None,
            "sentAt": sent,
            # Some outbound mail has no status, though it was sent.
            "sendStatus": None if inbound or message.position % 4 == 3 else "SENT",
            "bounces": [],
            "isStartOfThread": message.position == 0,
            "attachments": [],
        }
