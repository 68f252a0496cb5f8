"""The page at /_sim/. Everything shown is escaped: ticket text is whatever a stranger typed."""

from collections.abc import Iterable, Sequence
from html import escape

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; color: #1c2430 }
table { border-collapse: collapse; width: 100%; margin: .5rem 0 1.5rem }
th, td { text-align: left; padding: .25rem .75rem .25rem 0; border-bottom: 1px solid #e3e7ee; vertical-align: top }
th { font-weight: 600; color: #56637a } code { background: #f2f4f8; padding: 0 .25rem } .quiet { color: #76839a }
"""


def table(heads: Sequence[str], rows: Iterable[Sequence[object]], empty: str) -> str:
    body = "".join("<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in row) + "</tr>" for row in rows)
    if not body:
        return f'<p class="quiet">{escape(empty)}</p>'
    head = "".join(f"<th>{escape(name)}</th>" for name in heads)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def page(title: str, clock: str, sections: Iterable[tuple[str, str]]) -> bytes:
    """A whole document out of headings and parts that are HTML already."""
    parts = "".join(f"<h2>{escape(heading)}</h2>{content}" for heading, content in sections)
    return (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>"
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>"
        f"<body><h1>{escape(title)}</h1><p>It is <code>{escape(clock)}</code> there.</p>{parts}</body></html>"
    ).encode()
