"""The custom fields, options and tags of this company. Slugs hold dots and dashes, as real ones do."""

from dataclasses import dataclass

CATEGORIES = (
    *("how-to-question", "platform-bug", "escrituracao-issue", "integration-error", "billing-question"),
    *("feature-request", "access-request", "data-correction", "performance", "outage", "onboarding"),
    *("compliance-question", "other"),
)
HANDLERS = ("sme", "engineer", "product")
RESOLUTIONS = (
    *("manual-action", "explanation", "investigation", "bug-fix", "configuration", "documentation", "no-response"),
)
SELF_SERVABLE = ("yes", "partially", "no")
MODULES = ("nf-e", "sped", "ledger", "payroll", "bank-feeds", "portal")
PRIORITY_OPTIONS = ("urgent", "high", "medium", "low")
TAGS = ("vip", "bug", "needs-docs", "churn-risk", "fiscal", "beta", "março", "a/b")


@dataclass(frozen=True, slots=True)
class Field:
    slug: str
    label: str
    type: str  # Pylon's word: text, number, boolean, select or multiselect
    options: tuple[str, ...] = ()
    object_type: str = "issue"
    description: str = ""


FIELDS: tuple[Field, ...] = (
    Field("priority", "Priority", "select", PRIORITY_OPTIONS),
    Field("category", "Category", "select", CATEGORIES, description="What the question was about"),
    Field("handler", "Handler", "select", HANDLERS),
    Field("resolution-type", "Resolution type", "select", RESOLUTIONS),
    Field("self-servable", "Self-servable", "select", SELF_SERVABLE),
    Field("affected.modules", "Affected modules", "multiselect", MODULES),
    Field("minutes_lost", "Minutes lost", "number"),
    Field("chat_widget.app_id", "App", "text"),
    Field("account.hubspot.annualrevenue", "Annual revenue", "number", object_type="account"),
    Field("account.plan", "Plan", "select", ("enterprise", "business", "starter"), object_type="account"),
    Field("calendar.last_meeting_date", "Last meeting", "date", object_type="account"),
    Field("is.decision_maker", "Decision maker", "boolean", object_type="contact"),
)


def label(option: str) -> str:
    return option.replace("-", " ").replace("_", " ").capitalize()
