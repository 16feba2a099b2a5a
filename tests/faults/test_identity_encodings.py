"""Names with letters beyond ASCII, in headers and names of files in any encoding, are in no output of a de-identified import."""

import gzip
import io
import json
import os
import re
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.build.dicom import MrSeries
from tests.build.packets import under
from tests.build.study import Study, run_main

CASES = [
    ("ISO_IR 100", "latin-1", "Müller"),
    ("ISO_IR 101", "iso8859-2", "Dvořák"),
    ("ISO_IR 144", "iso8859-5", "Иванов"),
    ("GB18030", "gb18030", "王小东"),
    ("ISO_IR 192", "utf-8", "Müller"),
]


def series(character_set: str, name: str) -> MrSeries:
    """Return a series with a name in its texts."""
    changes: dict[str, object] = {
        "SpecificCharacterSet": character_set,
        "SequenceName": name,
        "ReceiveCoilName": name,
        "SoftwareVersions": f"{name} 1",
        "ManufacturerModelName": f"Model {name}",
        "ImageComments": f"{name} note",
        "InstitutionName": f"{name} Clinic",
    }
    return MrSeries(patient="S1", name=f"{name}^Q", description=f"T1 {name}", changes=changes)


def outputs(session: Path) -> Iterator[tuple[bytes, bytes]]:
    """Yield the names of files and their contents, except the packet's own bytes and paths."""
    root = os.fsencode(session)
    for folder, _, names in os.walk(root):
        for name in names:
            path = os.path.join(folder, name)  # noqa: PTH118 - bytes
            inner = path[len(root) :]
            yield inner, inner
            data = Path(os.fsdecode(path)).read_bytes()
            if inner.endswith(b".nii.gz"):
                data = gzip.decompress(data)[:352]
            if inner.endswith(b"ledger.tsv"):
                data = b"\n".join(line.partition(b"\t")[2] for line in data.splitlines())
            if not inner.endswith(b".tar.gz"):
                yield inner, data


def leaks(session: Path, name: str, encoding: str) -> list[bytes]:
    """Return the files with a name in its encoding, in UTF-8, as Latin-1, or with other characters for its bytes."""
    data = name.encode(encoding)
    written = {data, name.encode(), data.decode("latin-1").encode(), data.decode("utf-8", "replace").encode()}
    patterns = [re.escape(text) for text in written]
    if re.search("[A-Za-z]{3}", name):
        patterns.append(b".{1,6}?".join(part.encode() for part in re.split("[^A-Za-z]+", name)))
    secret = re.compile(b"|".join(patterns), re.IGNORECASE)
    return [inner for inner, content in outputs(session) if secret.search(content)]


@pytest.mark.parametrize(("character_set", "encoding", "name"), CASES)
def test_no_output_has_a_name_in_the_character_set_of_the_object(
    study: Study, character_set: str, encoding: str, name: str
) -> None:
    study.put("S1", series(character_set, name).files())
    run = study.run("--deidentify-logs")
    assert run.status == 0, run.text
    assert leaks(study.session("S1"), name, encoding) == []


@pytest.mark.parametrize(("character_set", "name"), [(case[0], case[2]) for case in CASES])
def test_texts_are_shown_in_the_character_set_of_the_object(study: Study, character_set: str, name: str) -> None:
    study.put("S1", series(character_set, name).files())
    assert study.run().status == 0
    summary = json.loads((study.session("S1") / "qxbatch/summary.json").read_text())
    acquisition = summary["series"][0]["acquisition"]
    assert (acquisition["coil"], acquisition["sequence_name"], acquisition["software"]) == (name, name, f"{name} 1")


@pytest.mark.parametrize("kind", ["tar", "folder"])
@pytest.mark.parametrize(("name", "encoding"), [("Müller", "latin-1"), ("Dvořák", "iso8859-2"), ("Иванов", "koi8-r")])
def test_no_kept_file_has_a_name_in_any_encoding(study: Study, kind: str, name: str, encoding: str) -> None:
    files = under("a", series("ISO_IR 192", name).files())
    kept = [f"{name}/{name} letter.txt".encode(encoding), f"{name}/{name}.log".encode(encoding), b"a/other.txt"]
    tree = {**{path.encode(): data for path, data in files.items()}, **dict.fromkeys(kept, b"x")}
    study.inbox.mkdir(parents=True, exist_ok=True)
    if kind == "tar":
        with tarfile.open(study.inbox / "S1.tar", "w", format=tarfile.GNU_FORMAT) as tar:
            for path, data in tree.items():
                member = tarfile.TarInfo(os.fsdecode(path))
                member.size = len(data)
                tar.addfile(member, io.BytesIO(data))
    else:
        for path, data in tree.items():
            file = Path(os.fsdecode(os.fsencode(study.inbox / "S1") + b"/" + path))
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)
    assert study.run("--deidentify-logs").status == 0
    session = study.session("S1")
    assert leaks(session, name, encoding) == []
    names = [inner for inner, _ in outputs(session)]
    assert not any(b"_" in inner for inner in names if inner.startswith(b"/inbox")), names
    assert b"/inbox/a/other.txt" in names
    assert run_main("verify", str(session)).status == 0


def test_kept_files_whose_names_differ_only_in_bytes_that_are_not_utf_8_are_redacted(study: Study) -> None:
    folder = study.inbox / "S1"
    files = under(
        "a", MrSeries(patient="S1", name="Müller^Möller", changes={"SpecificCharacterSet": "ISO_IR 100"}).files()
    )
    for path, data in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    for name in ("Müller.txt", "Möller.txt"):
        Path(os.fsdecode(os.fsencode(folder) + b"/" + name.encode("latin-1"))).write_bytes(name.encode())
    assert study.run("--deidentify-logs").status == 0
    assert sorted(path.name for path in (study.session("S1") / "inbox").iterdir()) == ["S1.txt", "S1_2.txt"]
