"""report.html of a session: every series, its state, and a picture of each of its images. Made of the summary alone."""

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from qxbatch.textfile import created

STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem; color: #1a1a1a; }
h1 { font-size: 1.5rem; margin-bottom: .2rem; } h2 { font-size: 1.1rem; margin: 0; }
.facts, .small { color: #555; } section { border-top: 1px solid #ccc; padding: .9rem 0; }
.state { font-weight: 600; } .failed { color: #a40000; } .partial { color: #8a5a00; } .converted { color: #18632b; }
figure { display: inline-block; margin: .6rem 1rem 0 0; vertical-align: top; }
figure img { background: #000; display: block; } figcaption { font-size: .85rem; color: #333; max-width: 26rem; }
ul.problems { margin: .4rem 0; padding-left: 1.2rem; } .error { color: #a40000; } .warning { color: #8a5a00; }
table { border-collapse: collapse; } td, th { padding: .1rem .8rem .1rem 0; text-align: left; }
@media (prefers-color-scheme: dark) { body { background: #16181a; color: #e4e4e4; } .facts, .small, figcaption { color: #aaa; } }
""".strip()


def write_page(path: Path, told: Mapping[str, Any], pictures: Mapping[int, str]) -> None:
    """Write the page of a session from its summary; `pictures` are paths beside the page, by image number."""
    with created(path) as file:
        file.write(session_page(told, pictures))


def session_page(told: Mapping[str, Any], pictures: Mapping[int, str]) -> str:
    """Return the page as HTML; it needs no network and no script."""
    session = told["session"]
    images = {image["number"]: image for image in told["images"]}
    body = [f"<h1>{escape(session['id'])}</h1>", _facts(told)]
    of_series = {problem["message"] for series in told["series"] for problem in series["problems"]}
    body.append(_problems([p for p in told["problems"] if p["message"] not in of_series]))
    body += [_series(series, images, pictures) for series in told["series"]]
    body.append(_ledger(told["ledger"]))
    title = f"{escape(session['id'])} - qxbatch"
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>\n{STYLE}\n</style>\n</head>\n<body>\n"
        + "\n".join(part for part in body if part)
        + "\n</body>\n</html>\n"
    )


def _facts(told: Mapping[str, Any]) -> str:
    packets = ", ".join(escape(packet["name"]) for packet in told["packets"])
    counts: dict[str, int] = {}
    for series in told["series"]:
        counts[series["state"]] = counts.get(series["state"], 0) + 1
    states = ", ".join(f"{count} {escape(state)}" for state, count in sorted(counts.items()))
    return (
        f'<p class="facts">from {packets}<br>{len(told["series"])} series ({states}), {len(told["images"])} images</p>'
    )


def _series(series: Mapping[str, Any], images: Mapping[int, Mapping[str, Any]], pictures: Mapping[int, str]) -> str:
    header = series["header"]
    name = header.get("SeriesDescription") or header.get("ProtocolName") or header.get("SequenceName") or "anonymous"
    facts = [
        f"{series['files']} files",
        *(
            f"{label} {header[key]} ms"
            for key, label in (("RepetitionTime", "TR"), ("EchoTime", "TE"))
            if key in header
        ),
    ]
    state = escape(series["state"])
    figures = "".join(_figure(images[number], pictures.get(number)) for number in series["images"])
    return (
        f'<section id="s{series["n"]}">\n<h2>{series["n"]} &nbsp; {escape(str(name))}</h2>\n'
        f'<p class="small"><span class="state {state.split(" ", maxsplit=1)[0]}">{state}</span> '
        f"{escape(series['tool'])} &middot; {escape(', '.join(facts))}</p>\n"
        f"{_problems(series['problems'])}{figures}\n</section>"
    )


def _figure(image: Mapping[str, Any], picture: str | None) -> str:
    shown = f'<img src="{escape(picture)}" alt="middle slices of image {image["number"]}">' if picture else ""
    shape = " x ".join(map(str, image["shape"]))
    return f"<figure>{shown}<figcaption>{image['number']} {escape(image['name'])}<br>{shape}</figcaption></figure>"


def _problems(problems: Sequence[Mapping[str, str]]) -> str:
    if not problems:
        return ""
    lines = [
        f'<li class="{escape(p["severity"])}">{escape(p["subject"])}: {escape(p["message"])} {escape(p["hint"])}</li>'
        for p in problems
    ]
    return f'<ul class="problems">{"".join(lines)}</ul>\n'


def _ledger(ledger: Mapping[str, Any]) -> str:
    rows = "".join(f"<tr><td>{escape(fate)}</td><td>{count}</td></tr>" for fate, count in ledger["fates"].items())
    return (
        f'<section><h2>Every member of the packet</h2><p class="small">{ledger["rows"]} rows in ledger.tsv</p>'
        f"<table>{rows}</table></section>"
    )
