"""report.html of a session: every series, its state, and a picture of each of its images. Made of the summary alone."""

from collections import Counter
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

from qxbatch.deidentify import FREE_TEXT
from qxbatch.page.pictures import Pictures
from qxbatch.problems import Problem, grouped
from qxbatch.session.layout import LEDGER
from qxbatch.session.summary import Summary
from qxbatch.session.summary_parts import ImageSummary, LedgerCounts, SeriesSummary
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


def write_page(path: Path, summary: Summary, pictures: Mapping[int, Pictures]) -> None:
    """Write the page of a session; `pictures` are paths beside the page, by image number. Raises OSError."""
    with created(path) as file:
        file.write(session_page(summary, pictures))


def session_page(summary: Summary, pictures: Mapping[int, Pictures]) -> str:
    """Return the page as HTML; it needs no network and no script."""
    images = {image.number: image for image in summary.images}
    body = [f"<h1>{escape(summary.session.id)}</h1>", _facts(summary)]
    counts = Counter((p.code, p.message) for series in summary.series for p in series.problems)
    body.append(_problems([p for p in grouped(summary.problems) if counts[p.code, p.message] != 1]))
    for series in summary.series:
        own = [p for p in series.problems if counts[p.code, p.message] == 1]
        body.append(_series(series, images, pictures, own))
    body.append(_ledger(summary.ledger))
    title = f"{escape(summary.session.id)} - qxbatch"
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>\n{STYLE}\n</style>\n</head>\n<body>\n"
        + "\n".join(part for part in body if part)
        + "\n</body>\n</html>\n"
    )


def _facts(summary: Summary) -> str:
    packets = ", ".join(escape(packet.name) for packet in summary.packets)
    counts = Counter(series.state.value for series in summary.series)
    states = ", ".join(f"{count} {escape(state)}" for state, count in sorted(counts.items()))
    free_text = f"<br>{escape(FREE_TEXT)}" if summary.session.concealed else ""
    return (
        f'<p class="facts">from {packets}<br>{len(summary.series)} series ({states}), {len(summary.images)} images'
        f"{free_text}</p>"
    )


def _series(
    series: SeriesSummary,
    images: Mapping[int, ImageSummary],
    pictures: Mapping[int, Pictures],
    problems: Sequence[Problem],
) -> str:
    """Return the section of a series; `problems` are those of this series alone."""
    header = series.header
    name = header.get("SeriesDescription") or header.get("ProtocolName") or header.get("SequenceName") or "anonymous"
    facts = [
        f"{series.files} files",
        *(
            f"{label} {header[key]} ms"
            for key, label in (("RepetitionTime", "TR"), ("EchoTime", "TE"))
            if key in header
        ),
    ]
    state = escape(series.state.value)
    figures = "".join(
        _figure(images[number], pictures.get(number, Pictures())) for number in series.images if number in images
    )
    return (
        f'<section id="s{series.n}">\n<h2>{series.n} &nbsp; {escape(str(name))}</h2>\n'
        f'<p class="small"><span class="state {state.split(" ", maxsplit=1)[0]}">{state}</span> '
        f"{escape(series.tool)} &middot; {escape(', '.join(facts))}</p>\n"
        f"{_problems(problems)}{figures}\n</section>"
    )


def _figure(image: ImageSummary, pictures: Pictures) -> str:
    shown = _picture(pictures.slices, f"middle slices of image {image.number}")
    shown += _picture(pictures.tsnr, f"temporal SNR of image {image.number}")
    shape = " x ".join(map(str, image.shape))
    tsnr = image.statistics.tsnr if image.statistics else None
    quality = f", temporal SNR {tsnr:.0f}" if tsnr is not None else ""
    return f"<figure>{shown}<figcaption>{image.number} {escape(image.name)}<br>{shape}{quality}</figcaption></figure>"


def _picture(path: str, alt: str) -> str:
    return f'<img src="{escape(path)}" alt="{escape(alt)}">' if path else ""


def _problems(problems: Sequence[Problem]) -> str:
    if not problems:
        return ""
    lines = [
        f'<li class="{escape(p.severity)}">{escape(p.subject)}: {escape(p.message)} {escape(p.hint)}</li>'
        for p in problems
    ]
    return f'<ul class="problems">{"".join(lines)}</ul>\n'


def _ledger(ledger: LedgerCounts) -> str:
    rows = "".join(f"<tr><td>{escape(fate)}</td><td>{count}</td></tr>" for fate, count in ledger.fates.items())
    return (
        f'<section><h2>Every member of the packet</h2><p class="small">{ledger.rows} rows in {LEDGER}</p>'
        f"<table>{rows}</table></section>"
    )
