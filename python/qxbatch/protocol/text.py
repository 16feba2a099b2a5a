"""protocol.toml as text, with comments."""

from collections.abc import Iterable, Mapping, Sequence

from qxbatch.protocol.model import ONCE, ExpectedSeries, Protocol, SeriesParameters
from qxbatch.protocol.values import toml_string

_COMMENT_WIDTH = 100
"""Width at which a list of names in a comment is wrapped."""


def protocol_text(protocol: Protocol, head: Sequence[str] = (), notes: Mapping[str, str] | None = None) -> str:
    """Return a protocol as TOML; `head` has the lines of the comment at its start, `notes` a comment on each scanner by name."""
    lines = [f"# {line}".rstrip() for line in head]
    if protocol.scanners:
        lines += ["", "# Scanners and their software versions. A session on another one is reported.", "[scanners]"]
        for name, versions in protocol.scanners.items():
            note = (notes or {}).get(name, "")
            lines.append(f"{toml_string(name)} = {_list(versions)}" + (f"  # {note}" if note else ""))
    for entry in protocol.series:
        lines += ["", *_entry(entry)]
    return "\n".join(lines).lstrip("\n") + "\n"


def comment_lines(title: str, names: Sequence[str]) -> list[str]:
    """Return the lines of a comment that lists names, without their `#`; empty if there are no names."""
    if not names:
        return []
    lines = [f"{title}:"]
    for name in names:
        item = toml_string(name) + ("," if name != names[-1] else "")
        if len(lines) > 1 and len(lines[-1]) + len(item) < _COMMENT_WIDTH:
            lines[-1] += f" {item}"
        else:
            lines.append(f"  {item}")
    return lines


def _entry(entry: ExpectedSeries) -> list[str]:
    lines = ["[[series]]" + (f"  # {entry.note}" if entry.note else ""), f"name = {toml_string(entry.name)}"]
    if entry.kinds is not None:
        lines.append(f"kinds = {_list(sorted(entry.kinds))}")
    if entry.count != ONCE:
        lines.append(f"count = {entry.count.toml}")
    if entry.scanners:
        lines.append(f"scanners = {_list(entry.scanners)}")
    lines += _parameters(entry.parameters)
    for scanner, parameters in entry.by_scanner.items():
        lines += [f"[series.scanner.{toml_string(scanner)}]", *_parameters(parameters)]
    return lines


def _parameters(parameters: SeriesParameters) -> list[str]:
    volumes = [f"volumes = {parameters.volumes.toml}"] if parameters.volumes else []
    return [*volumes, *(f"{name} = {value.toml}" for name, value in parameters.values.items())]


def _list(texts: Iterable[str]) -> str:
    return f"[{', '.join(map(toml_string, texts))}]"
