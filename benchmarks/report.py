"""Writes benchmarks/README.md and its plots from benchmarks/results. Runs in the environment of the peers, which has
matplotlib; `make bench` starts it, and `python -m benchmarks --report` does nothing else.

    python report.py            write them
    python report.py --check    say with exit code 1 that they are not what the results say (plots apart)
"""

from __future__ import annotations

import ast
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
RESULTS, PLOTS, PAGE = HERE / "results", HERE / "plots", HERE / "README.md"
HEAD = """# Benchmarks

<!-- Written by benchmarks/report.py from benchmarks/results. Do not edit: run `make bench`. -->

Every number about speed or memory that README and docs name is measured here. What a decision in docs/adr says it found
on its way was taken once, as it says there. `make bench` measures all of it anew (`ONLY=name` one part, `QUICK=1` only
whether it still works) and writes this page. Ratios are of two things measured in turn, in one run, on one machine; the
seconds are of that machine and of that hour. Where a part ends with a loop of Python, that says how quick it
was, to be compared within one build of Python only.
"""


def read_results() -> list[dict[str, Any]]:
    return [json.loads(path.read_text()) for path in sorted(RESULTS.glob("*.json"))]


def is_current() -> bool:
    return PAGE.is_file() and PAGE.read_text() == "\n".join(page(read_results())) + "\n"


def main() -> int:
    if "--check" in sys.argv[1:]:
        return 0 if is_current() else 1
    results = read_results()
    PLOTS.mkdir(exist_ok=True)
    for old in PLOTS.glob("*.svg"):
        old.unlink()
    for result in results:
        for number, curve in enumerate(result["curves"]):
            draw(curve, PLOTS / plot_name(result, number))
    PAGE.write_text("\n".join(page(results)) + "\n")
    return 0


def page(results: list[Mapping[str, Any]]) -> Iterator[str]:
    yield HEAD
    yield "## What was to be reached\n"
    yield "| benchmark | what | measured | bound | |\n|---|---|---|---|---|"
    for result in results:
        for figure in result["figures"]:
            if figure["bound"]:
                verdict = "reached" if figure["reached"] else f"**missed**: {figure['remark']}"
                part_ = f"[{heading(result['name'])}](#{anchor(result['name'])})"
                limit = f"{figure['bound']} {figure['unit']}".strip()
                yield f"| {part_} | {figure['text']} | {value(figure)} | {limit} | {verdict} |"
    for result in results:
        yield from part(result)


def part(result: Mapping[str, Any]) -> Iterator[str]:
    question, _, method = document(result["name"]).partition("\n")
    yield f"\n## {heading(result['name'])}\n"
    yield f"**{question.strip()}**\n"
    yield method.strip() + "\n"
    if result["figures"]:
        yield "| figure | value | bound |\n|---|---|---|"
        for figure in result["figures"]:
            yield f"| {figure['text']} | {value(figure)} | {bound(figure)} |"
        yield ""
    if result["series"]:
        yield "| measured | median | from | to | times |\n|---|---|---|---|---|"
        for series in result["series"]:
            low, high = min(series["values"]), max(series["values"])
            numbers = [f"{number(each)} {series['unit']}".strip() for each in (series["median"], low, high)]
            yield f"| {series['name']} | {' | '.join(numbers)} | {len(series['values'])} |"
        yield ""
    for position, curve in enumerate(result["curves"]):
        yield f"![{curve['title']}](plots/{plot_name(result, position)})\n"
        yield from points(curve)
    for remark in result["remarks"]:
        yield f"- {remark}"
    if result["remarks"]:
        yield ""
    yield f"Input: {', '.join(f'{key} {shown_input(each)}' for key, each in result['inputs'].items()) or 'none'}.\n"
    yield surroundings(result)


def points(curve: Mapping[str, Any]) -> Iterator[str]:
    """What is drawn, as numbers: for who reads, and for who cannot see."""
    xs = sorted({x for line in curve["lines"].values() for x, _ in line})
    yield f"| {curve['x']} | {' | '.join(curve['lines'])} |\n|---|{'---|' * len(curve['lines'])}"
    for x in xs:
        found = [dict(map(tuple, line)).get(x) for line in curve["lines"].values()]
        yield f"| {number(x)} | {' | '.join('' if each is None else number(each) for each in found)} |"
    yield f"\n*{curve['y']}*\n"


def surroundings(result: Mapping[str, Any]) -> str:
    machine = result["machine"]
    versions = {"Python": result["python"], **result["packages"], **result["versions"]}
    return (
        f"<sub>{result['measured_at'][:16].replace('T', ' ')} UTC, commit {result['commit']}, "
        f"{machine['cores']} cores ({machine['processor']}), {machine['memory_gb']} GB, {machine['system']}, "
        f"load before {machine['load_before'][0]}{pace(machine)}; "
        f"{', '.join(f'{name} {each}' for name, each in versions.items())}; "
        f"took {result['took_seconds']:.0f} s</sub>"
    )


def pace(machine: Mapping[str, Any]) -> str:
    """How quick the machine was; earlier results do not say."""
    return ", a loop of Python {} s before and {} s after".format(*machine["loop"]) if "loop" in machine else ""


def document(name: str) -> str:
    """What a benchmark says of itself: its question and its method."""
    return ast.get_docstring(ast.parse((HERE / f"{name}.py").read_text())) or ""


def heading(name: str) -> str:
    return name.replace("_", " ").capitalize()


def anchor(name: str) -> str:
    return name.replace("_", "-")


def plot_name(result: Mapping[str, Any], position: int) -> str:
    return f"{result['name']}_{position + 1}.svg"


def value(figure: Mapping[str, Any]) -> str:
    joint = "" if figure["unit"] in ("×", "%", "") else " "
    return f"{number(figure['value'])}{joint}{figure['unit']}"


def bound(figure: Mapping[str, Any]) -> str:
    if not figure["bound"]:
        return ""
    joint = "" if figure["unit"] in ("×", "%", "") else " "
    return f"{figure['bound']}{joint}{figure['unit']}" + ("" if figure["reached"] else " (missed)")


def number(found: float) -> str:
    """Three digits that count, and thousands apart."""
    if found == 0 or abs(found) >= 100:
        return f"{found:,.0f}"
    return f"{found:.3g}"


def shown_input(found: Any) -> str:
    if isinstance(found, bool | str):
        return str(found)
    if isinstance(found, int | float):
        return f"{found:,}"
    if isinstance(found, list | tuple):
        return " and ".join(shown_input(each) for each in found)
    return json.dumps(found)


def draw(curve: Mapping[str, Any], file: Path) -> None:
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams.update({"svg.hashsalt": "benchmarks", "font.size": 10, "axes.spines.top": False})
    from matplotlib import pyplot
    from matplotlib.ticker import LogFormatter

    figure, axes = pyplot.subplots(figsize=(6.4, 3.4))
    for name, line in curve["lines"].items():
        axes.plot([x for x, _ in line], [y for _, y in line], marker="o", label=name)
    if curve["logarithmic"]:
        axes.set_xscale("log")
        axes.set_yscale("log")
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_formatter(lambda tick, _: number(tick))
            axis.set_minor_formatter(LogFormatter(minor_thresholds=(1, 0.4)))
    else:
        axes.set_ylim(bottom=0)
    axes.set(title=curve["title"], xlabel=curve["x"], ylabel=curve["y"])
    axes.grid(visible=True, alpha=0.3)
    axes.spines["right"].set_visible(False)
    if len(curve["lines"]) > 4:  # no room among the lines
        axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    elif len(curve["lines"]) > 1:
        axes.legend(frameon=False)
    figure.savefig(file, format="svg", bbox_inches="tight", metadata={"Date": None})
    pyplot.close(figure)


if __name__ == "__main__":
    sys.exit(main())
