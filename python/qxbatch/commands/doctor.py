"""`qxbatch doctor`: lists what is installed, which version, where, and what is missing for which task."""

import json
import platform
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib import import_module, metadata
from pathlib import Path

from qxbatch.convert.available import converter_probes
from qxbatch.exits import ExitStatus
from qxbatch.wrapping import text_width, wrapped

_NEEDED_PACKAGES = {
    "pydicom": "DICOM headers that the core cannot parse",
    "docopt-ng": "the command line",
    "jinja2": "the pages of sessions and studies",
}
"""Packages that an import needs, with their purpose."""
_DISPLAY_PACKAGES = {"rich": "the display of a run on a terminal"}
"""Without rich, a run prints plain lines."""
_BIDS_PACKAGES = {
    "bidsschematools": ("the rules of `qxbatch bids`", "bidsschematools"),
    "bids-validator-deno": ("`qxbatch bids --validate`", "'qxbatch[bids]'"),
}
"""Packages of the BIDS export, with their purpose and what pip installs."""
_NEEDED = "needed"
_OPTIONAL = "optional"
_INDENT = " " * 9


@dataclass(frozen=True)
class Finding:
    """One package or program that a run may need."""

    name: str
    purpose: str
    need: str
    """_NEEDED or _OPTIONAL."""
    found: bool
    version: str
    where: str
    """The path, or the places that were searched; `the Python packages`; or why the core cannot be loaded."""
    advice: str
    """What to do when it is absent; empty otherwise."""


def run(options: Mapping[str, object]) -> int:
    """Print what is installed; return the exit status: UNAVAILABLE if something needed is missing."""
    folder = options.get("--dicm2nii-dir")
    findings = examine(Path(str(folder)) if folder else None)
    if options.get("--json"):
        report = {
            "python": sys.version.split()[0],
            "system": platform.platform(),
            "findings": list(map(asdict, findings)),
        }
        print(json.dumps(report, indent=1, ensure_ascii=False))
    else:
        print(table(findings, text_width()), end="")
    is_missing = any(finding.need == _NEEDED and not finding.found for finding in findings)
    return int(ExitStatus.UNAVAILABLE if is_missing else ExitStatus.OK)


def examine(dicm2nii_dir: Path | None = None) -> list[Finding]:
    """Return findings for the core, the packages of the tables above, and the converters."""
    return [
        _core(),
        *(_package(name, purpose, _NEEDED) for name, purpose in _NEEDED_PACKAGES.items()),
        *(_package(name, purpose, _OPTIONAL) for name, purpose in _DISPLAY_PACKAGES.items()),
        *_converters(dicm2nii_dir),
        *(_package(name, purpose, _OPTIONAL, install) for name, (purpose, install) in _BIDS_PACKAGES.items()),
    ]


def table(findings: Sequence[Finding], width: int) -> str:
    """Return findings as lines, missing ones with advice. The last line says what an import is ready for."""
    name_width = max(len(finding.name) for finding in findings)
    version_width = max(len(finding.version or "-") for finding in findings)
    lines: list[str] = []
    for finding in findings:
        head = f"{_mark(finding):<7}  {finding.name:<{name_width}}  {finding.version or '-':<{version_width}}  "
        lines += wrapped(finding.purpose, width, head, " " * len(head))
        lines += wrapped(finding.where, width, _INDENT, _INDENT)
        lines += wrapped(finding.advice, width, _INDENT, _INDENT) if finding.advice else []
    return "\n".join([*lines, "", *wrapped(readiness(findings), width)]) + "\n"


def readiness(findings: Sequence[Finding]) -> str:
    """Return one sentence: what an import is ready for, and what is missing."""
    missing = [finding for finding in findings if not finding.found]
    needed = [finding for finding in missing if finding.need == _NEEDED]
    if needed:
        return f"Not ready: missing {_listing(needed)}."
    ready = "Ready to import DICOM and PAR/REC"
    return (
        f"{ready}; missing, and not needed by default: {_listing(missing)}."
        if missing
        else f"{ready}; nothing is missing."
    )


def _listing(findings: Sequence[Finding]) -> str:
    return "; ".join(f"{finding.name} ({finding.purpose})" for finding in findings)


def _mark(finding: Finding) -> str:
    return "ok" if finding.found else "MISSING" if finding.need == _NEEDED else "absent"


def _core() -> Finding:
    purpose = "reading packets, sorting, packing"
    try:
        module = import_module("qxbatch.core")
    except ImportError as error:
        advice = "Install qxbatch again: its compiled part cannot be loaded by this Python."
        return Finding("qxbatch core", purpose, _NEEDED, False, "", str(error), advice)
    return Finding(
        "qxbatch core", purpose, _NEEDED, True, _version("qxbatch"), str(Path(str(module.__file__)).parent), ""
    )


def _package(name: str, purpose: str, need: str, install: str = "") -> Finding:
    version = _version(name)
    advice = "" if version else f"Install it with `pip install {install or name}`."
    return Finding(name, purpose, need, bool(version), version, "the Python packages", advice)


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def _converters(dicm2nii_dir: Path | None) -> list[Finding]:
    findings = []
    for probe, needed in converter_probes(dicm2nii_dir):
        where = probe.location or "looked for in " + "; ".join(probe.searched_locations)
        need, advice = _NEEDED if needed else _OPTIONAL, "" if probe.is_installed else probe.advice
        findings.append(Finding(probe.name, probe.purpose, need, probe.is_installed, probe.version, where, advice))
    return findings
