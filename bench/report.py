"""Writes docs/performance.md."""

import os
import platform
import re
from collections.abc import Sequence
from math import inf
from pathlib import Path

from bench.bench import OURS, Bench, Figures, Row, Stages, Target
from bench.measure import median

HEAD = """# Performance

Written by `bench/run`; ratios carry over to other machines, seconds do not. A ratio is the other's time over that of
qxbatch, so more is better; each is the median of the rounds, with the least and the largest of them. The contenders
take turns within a round, caches are warm, and what a run wrote is on disk before the next one starts.
"""

LIMITS = Path(__file__).resolve().with_name("limits.md")
"""What the rows mean and where the limits lie: written by people, the end of the report."""


def write(path: Path, bench: Bench, rows: Sequence[Row | Figures | Stages]) -> None:
    """Write the report. Rows of an earlier one that were not measured now stay in it."""
    found = {row.work: "\n".join(part(row)) for row in rows}
    earlier = earlier_rows(path.read_text(encoding="utf-8")) if path.exists() else {}
    every = {work: found.get(work, text) for work, text in earlier.items()} | found
    parts = [
        HEAD,
        "## Machine and versions\n",
        "Rows can be measured one by one; these are of the last one that was.\n",
        *machine(bench),
        "\n## Rows\n",
        *every.values(),
        LIMITS.read_text(encoding="utf-8"),
    ]
    path.write_text("\n".join(parts).rstrip() + "\n", encoding="utf-8")


def earlier_rows(text: str) -> dict[str, str]:
    """Return the rows of a report, by their titles."""
    rows = text.partition("\n## Rows\n")[2].partition("\n## ")[0]
    parts = re.split(r"^### ", rows, flags=re.MULTILINE)[1:]
    return {each.partition("\n")[0]: f"### {each}".rstrip("\n") + "\n" for each in parts}


def machine(bench: Bench) -> list[str]:
    """Return the lines that say where and with what was measured."""
    lines = [
        f"- {cpu_name()}, {bench.threads} CPUs, {memory():.0f} GB; Linux {platform.release()}",
        f"- Python {platform.python_version()}; files replicated from {bench.sources.name}",
        f"- qxbatch at commit {bench.commit}",
        f"- load average at the start: {bench.load:.1f}",
    ]
    if bench.scale != 1:
        lines.append(f"- {bench.scale:g} of the full size")
    for peer in bench.peers.values():
        lines.append(
            f"- {peer.name}: {peer.version}" if peer.version else f"- {peer.name}: absent, its rows are left out"
        )
    return lines


def part(row: Row | Figures | Stages) -> list[str]:
    """Return a row's part of the report."""
    if isinstance(row, Stages):
        return staged(row)
    return table(row) if isinstance(row, Row) else counted(row)


def staged(row: Stages) -> list[str]:
    """Return the part of a run's stages."""
    whole = sum(wall for wall, _ in row.taken.values())
    lines = [f"### {row.work}", "", f"{row.amount}; {whole:.2f} s in all.", ""]
    lines += ["| stage | wall s | part | CPU s | CPUs busy |", "|---|---|---|---|---|"]
    for stage, (wall, cpu) in row.taken.items():
        busy = f"{cpu / wall:.1f}" if wall > 0.02 else ""
        lines.append(f"| {stage} | {wall:.2f} | {wall / whole:.0%} | {cpu:.2f} | {busy} |")
    return [*lines, ""]


def counted(row: Figures) -> list[str]:
    """Return the part of what was counted."""
    lines = [f"### {row.work}", "", f"{row.amount}.", "", "| | value | wanted | met |", "|---|---|---|---|"]
    for figure in row.figures:
        limit, met = "", ""
        if figure.most != inf:
            limit, met = f"at most {figure.most:.3g}", "yes" if figure.met else "no"
        lines.append(f"| {figure.what} | {figure.value:.3g} | {limit} | {met} |")
    return [*lines, "", *row.notes, ""]


def missed(row: Row | Figures | Stages) -> list[str]:
    """Return what is not as wanted."""
    if isinstance(row, Stages):
        return []
    if isinstance(row, Figures):
        return [f"{row.work}: {figure.what} at most {figure.most:g}" for figure in row.figures if not figure.met]
    return [f"{row.work}: {wanted(target)}" for target in row.targets if row.met(target) is False]


def table(row: Row) -> list[str]:
    """Return the part of what was timed."""
    lines = [
        f"### {row.work}",
        "",
        f"{row.amount}; {len(row.ours)} rounds. qxbatch: {row.median('wall'):.3g} s wall, {row.median('cpu'):.3g} s CPU, "
        f"{row.median('load'):.2g} CPUs busy, "
        f"largest process {row.median('peak') / 1e6:.0f} MB.",
        "",
    ]
    own = [target for target in row.targets if target.peer == OURS]
    lines[2] += "".join(f" Wanted: {wanted(target)}; met: {verdict(row, target)}." for target in own)
    if row.peers:
        lines += [
            "| against | wall s | CPU s | ratio of wall | ratio of CPU | wanted | met |",
            "|---|---|---|---|---|---|---|",
        ]
    for peer, samples in row.peers.items():
        targets = [target for target in row.targets if target.peer == peer]
        lines.append(
            f"| {peer} | {median(samples, 'wall'):.3g} | {median(samples, 'cpu'):.3g} "
            f"| {row.ratio(peer, 'wall').text()} | {row.ratio(peer, 'cpu').text()} "
            f"| {'; '.join(wanted(target) for target in targets)} | {'; '.join(verdict(row, target) for target in targets)} |"
        )
    return [*lines, "", *row.notes, ""]


def wanted(target: Target) -> str:
    """Return a target in words."""
    if target.of == "peak":
        return f"at most {target.most / 1e6:g} MB"
    if target.of == "load":
        return f"at least {target.least:g} CPUs busy"
    if target.most != inf:
        return f"{target.least:g} to {target.most:g} x in {target.of}"
    if target.least < 1:
        return f"at most {1 / target.least:g} x its {target.of}"
    return f"at least {target.least:g} x in {target.of}"


def verdict(row: Row, target: Target) -> str:
    """Say whether a target is met."""
    return {True: "yes", False: "no", None: "not measured"}[row.met(target)]


def cpu_name() -> str:
    """Return the processor's name."""
    text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    found = re.search(r"model name\s*: (.*)", text)
    return found[1].strip() if found else platform.machine()


def memory() -> float:
    """Return the machine's memory in GB."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
