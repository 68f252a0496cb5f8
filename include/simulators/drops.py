"""The files other departments drop: roster, Salesforce accounts, QA reviews, workforce agent-days.

The first two are complete every time. The other two come as one file per day, and a day's workforce file may be
corrected two days later, as such files are.
"""

import csv
import io
import json
import os
from collections.abc import Callable, Iterable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from .pylon.records import Records
from .world.calendar import is_business_day, next_business_instant
from .world.directory import PUBLIC_MAIL, TEAMS, Agent
from .world.lifecycle import Kind
from .world.plan import System
from .world.rng import stream
from .world.times import DAY, HOUR, iso, local_date, local_midnight
from .world.world import World

Row = dict[str, Any]

FORMATS = ("csv", "ndjson", "parquet")
DEFAULT_FORMATS = {
    "roster": "csv",
    "salesforce_accounts": "csv",
    "qa_reviews": "ndjson",
    "workforce_agent_days": "parquet",
}
_CORRECTED_AFTER = 2
_ARR = {"enterprise": 480_000, "business": 52_000, "starter": 3_600}


class Drops:
    """The files of one world. Reviews are worked out once, as they do not depend on when one looks."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._reviews = list(qa_reviews(world))

    def write(self, at: int, out: Path, *, only: str | None = None, since: int | None = None) -> list[Path]:
        """Write every file as it would lie there at an instant; with since, only what can differ from then."""
        world, chosen = self.world, DEFAULT_FORMATS if only is None else dict.fromkeys(DEFAULT_FORMATS, only)
        written = []
        for name, rows in (("roster", roster(world, at)), ("salesforce_accounts", salesforce_accounts(world, at))):
            written.append(_write(out / name / f"{name}.{chosen[name]}", list(rows)))
        reviews: dict[date, list[Row]] = {}
        for reviewed, row in self._reviews:
            reviews.setdefault(local_date(reviewed), []).append(row)
        begin = local_date(world.size.start if since is None else since) - timedelta(days=_CORRECTED_AFTER + 1)
        day = max(begin, local_date(world.size.start))
        while day < local_date(at):  # a day's files are dropped when the day is over
            for name, found in (
                ("qa_reviews", reviews.get(day, [])),
                ("workforce_agent_days", list(agent_days(world, day, at))),
            ):
                if found:
                    written.append(_write(out / name / f"{name}_{day.isoformat()}.{chosen[name]}", found))
            day += timedelta(days=1)
        return written


# -- what is in them


def employee_id(agent: Agent) -> str:
    return f"E{agent.index + 1:04d}"


def roster(world: World, at: int) -> Iterator[Row]:
    """Everyone hired by then. One agent is not on it, one is spelt differently, one person is on it who has no user."""
    agents = world.directory.agents
    for agent in agents:
        if agent.joined > at or agent.index == 2:
            continue
        left = agent.left if agent.left is not None and agent.left <= at else None
        yield {
            "employee_id": employee_id(agent),
            "full_name": agent.name,
            "email": agent.email.upper() if agent.index == 1 else agent.email,
            "team": TEAMS[agent.team],
            "role": agent.role,
            "manager_employee_id": "" if agent.index == 0 else employee_id(agents[0]),
            "hire_date": local_date(agent.joined).isoformat(),
            "termination_date": "" if left is None else local_date(left).isoformat(),
            "employment_status": "active" if left is None else "terminated",
            "wave": f"W{agent.index // 4 + 1}",
            "location": ("São Paulo", "Recife", "Remote")[agent.index % 3],
        }
    yield {
        "employee_id": "E9001",
        "full_name": "Zilda Nogueira",
        "email": "zilda.nogueira@northwind-fiscal.example",
        "team": "Support",
        "role": "agent",
        "manager_employee_id": employee_id(agents[0]),
        "hire_date": local_date(world.size.start).isoformat(),
        "termination_date": "",
        "employment_status": "active",
        "wave": "W9",
        "location": "Recife",
    }


def salesforce_accounts(world: World, at: int) -> Iterator[Row]:
    """Accounts as Salesforce has them: some domains twice, some none, some only a public mail provider's."""
    for view in world.directory.accounts_at(at):
        account = view.account
        if account.crm_id is None:
            continue
        domain = account.domains[0] if account.domains else ""
        owner = None if view.owner is None else world.directory.agents[view.owner]
        yield {
            "account_id": account.crm_id,
            "account_name": view.name,
            "website": f"https://www.{domain}/" if domain and domain not in PUBLIC_MAIL else "",
            "domain": domain,
            "segment": account.segment.value,
            "arr": str(_ARR[account.segment.value]),
            "owner_email": "" if owner is None else owner.email,
            "billing_country": "BR",
            "created_date": iso(account.created),
            "last_modified_date": iso(view.updated),
        }


def qa_reviews(world: World) -> Iterator[tuple[int, Row]]:
    """Every review of a resolved ticket, with the instant it was made; those of the future are among them."""
    records = Records(world)
    for ticket in world.tickets:
        rng = stream(world.seed, "qa", ticket.index)
        if rng.random() >= 0.12:
            continue
        events = world.events(ticket.index)
        answer = next((e for e in events if e.kind is Kind.MESSAGE and e.actor.role == "agent"), None)
        closed = next((e for e in events if e.kind is Kind.STATE and e.value in ("closed", "resolved")), None)
        if answer is None or closed is None:
            continue
        reviewed = next_business_instant(closed.at + rng.randrange(DAY, 6 * DAY)) + rng.randrange(8 * HOUR)
        pylon = ticket.system is System.PYLON
        score = min(100, max(0, int(rng.gauss(84, 12))))
        yield (
            reviewed,
            {
                "review_id": f"QA-{ticket.index:07d}",
                "reviewed_at": iso(reviewed),
                "system": ticket.system.value,
                "ticket_id": records.issue_id(ticket.index) if pylon else world.thread_id(ticket.index),
                "channel": ticket.channel,
                "agent_email": world.directory.agents[answer.actor.who].email,
                "reviewer_email": world.directory.agents[0].email,
                "score": score,
                "max_score": 100,
                "critical_error": score < 55,
                "comment": world.prose_for("qa", ticket.index) if rng.random() < 0.5 else None,
            },
        )


def agent_days(world: World, day: date, at: int) -> Iterator[Row]:
    """What the workforce tool says about each support agent on a day; a few rows are corrected two days later."""
    noon = local_midnight(day) + 12 * HOUR
    for agent in world.directory.agents:
        rng = stream(world.seed, "workforce", agent.index, day.toordinal())
        at_work = rng.random() < (0.93 if is_business_day(day) else 0.12)
        if agent.team or not agent.works_at(noon) or not at_work:
            continue
        scheduled = 8 * 3_600 if is_business_day(day) else 4 * 3_600
        active = int(scheduled * rng.uniform(0.7, 1.02))
        if rng.random() < 0.04 and local_date(at) > day + timedelta(days=_CORRECTED_AFTER):
            active = int(active * 0.9)
        yield {
            "employee_id": employee_id(agent),
            "work_date": day.isoformat(),
            "scheduled_seconds": scheduled,
            "active_seconds": active,
            "handle_seconds": int(active * rng.uniform(0.5, 0.8)),
            "after_contact_work_seconds": int(active * rng.uniform(0.05, 0.15)),
            "break_seconds": max(0, scheduled - active),
        }


# -- how they are written


def _write(path: Path, rows: list[Row]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    draft.write_bytes(_WRITERS[path.suffix[1:]](rows))
    draft.replace(path)
    return path


def _csv(rows: list[Row]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, fieldnames=list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def _ndjson(rows: Iterable[Row]) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def _parquet(rows: list[Row]) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), buffer)
    return buffer.getvalue()


_WRITERS: dict[str, Callable[[list[Row]], bytes]] = {"csv": _csv, "ndjson": _ndjson, "parquet": _parquet}
