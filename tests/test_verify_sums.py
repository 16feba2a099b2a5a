"""Images and their sidecars are compared with the sizes and hashes in summary.json."""

import gzip
import json
import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from qxbatch.cli.main import main
from qxbatch.core import gzip_file, hash_file
from qxbatch.pipeline import image as module
from qxbatch.verification import checksums
from tests.build.dicom import MrSeries
from tests.build.packets import under
from tests.build.study import Study, snapshot

T1 = MrSeries(number=3, description="T1w")
T2 = MrSeries(number=4, description="T2w", time="102000")


@pytest.fixture
def session(study: Study) -> Path:
    """A session with two images of the same shape."""
    study.put("S1", {**under("a", T1.files()), **under("b", T2.files())})
    assert study.main().status == 0
    return study.session("S1")


def verify(session: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    capsys.readouterr()
    return main(["verify", str(session)]), capsys.readouterr().out


def append_gzip_member(session: Path) -> Path:
    image = session / "nii" / "31.nii.gz"
    image.write_bytes(image.read_bytes() + gzip.compress(b""))
    return image


def change_voxel_keeping_size(session: Path) -> Path:
    """Change one voxel so that the compressed size stays equal."""
    image = session / "nii" / "31.nii.gz"
    voxels = bytearray(gzip.decompress(image.read_bytes()))
    for at in range(352, len(voxels)):
        (session.parent / "x.nii").write_bytes(voxels[:at] + bytes([voxels[at] ^ 1]) + voxels[at + 1 :])
        gzip_file(str(session.parent / "x.nii"), str(session.parent / "x.nii.gz"))
        packed = (session.parent / "x.nii.gz").read_bytes()
        if len(packed) == image.stat().st_size:
            image.write_bytes(packed)
            return image
    raise AssertionError("every change of a voxel changes the compressed size")


def change_sidecar_value(session: Path) -> Path:
    sidecar = session / "nii" / "41.json"
    text = sidecar.read_text()
    assert '"EchoTime": 0.0' in text
    sidecar.write_text(text.replace('"EchoTime": 0.0', '"EchoTime": 0.1'))
    return sidecar


def append_sidecar_line(session: Path) -> Path:
    sidecar = session / "nii" / "41.json"
    sidecar.write_text(sidecar.read_text() + "\n")
    return sidecar


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (append_gzip_member, "bytes, qxbatch/summary.json has"),
        (change_voxel_keeping_size, "the size is the same, its SHA-256 is"),
        (change_sidecar_value, "the size is the same, its SHA-256 is"),
        (append_sidecar_line, "bytes, qxbatch/summary.json has"),
    ],
)
def test_a_changed_image_or_sidecar_is_found(
    session: Path, change: Callable[[Path], Path], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert verify(session, capsys)[0] == 0
    path = change(session)
    status, text = verify(session, capsys)
    assert status == 1
    assert f"{path}: differs from what was written" in text
    assert message in text
    assert f"qxbatch convert --overwrite {session}" in text


def test_a_file_of_another_size_is_not_read(
    session: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    files = [session / "nii" / name for name in ("31.nii.gz", "41.json")]
    for file in files:
        os.truncate(file, 1 << 42)
    read: list[str] = []

    def hash_file_of(path: str, **options: Any) -> tuple[int, str]:
        read.append(path)
        return hash_file(path, **options)

    monkeypatch.setattr(checksums, "hash_file", hash_file_of)
    status, text = verify(session, capsys)
    assert (status, text.count(f"it has {1 << 42} bytes")) == (1, 2)
    assert not {str(file) for file in files} & set(read)
    assert str(session / "nii" / "31.json") in read


def test_the_suggested_command_fixes_the_session(session: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = snapshot(session / "nii")
    append_gzip_member(session)
    assert verify(session, capsys)[0] == 1
    assert main(["convert", "--overwrite", str(session)]) == 0
    assert verify(session, capsys)[0] == 0
    assert snapshot(session / "nii") == before


def test_a_summary_without_hashes_passes(session: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = session / "qxbatch" / "summary.json"
    summary = json.loads(path.read_bytes())
    for image in summary["images"]:
        del image["sums"]
    path.write_text(json.dumps(summary))
    assert verify(session, capsys)[0] == 0
    image = session / "nii" / "31.nii.gz"
    image.write_bytes(image.read_bytes()[:-9])
    assert verify(session, capsys)[0] == 1, "a truncated image is found without hashes too"


def test_an_image_whose_offset_is_not_a_number_is_found(session: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = session / "qxbatch" / "summary.json"
    summary = json.loads(path.read_bytes())
    for image in summary["images"]:
        del image["sums"]
    path.write_text(json.dumps(summary))
    file = session / "nii" / "31.nii.gz"
    nifti = bytearray(gzip.decompress(file.read_bytes()))
    nifti[108:112] = struct.pack("<f", float("nan"))
    file.write_bytes(gzip.compress(bytes(nifti)))
    status, text = verify(session, capsys)
    assert status == 1
    assert f"{file}: is not a NIfTI image" in text


Damage = Callable[[dict[str, Any]], object]


@pytest.mark.parametrize(
    "damage",
    [
        lambda image: image["sums"]["nii/31.json"].pop("sha256"),
        lambda image: image["sums"].pop("nii/31.json"),
        lambda image: image["sums"]["nii/31.json"].update(size=float("inf")),
        lambda image: image.update(sums=[]),
        lambda image: image.pop("sums"),
    ],
    ids=["no hash", "no entry", "no number", "no table", "nothing"],
)
def test_missing_hashes_in_the_summary_are_an_error(
    session: Path, damage: Damage, capsys: pytest.CaptureFixture[str]
) -> None:
    path = session / "qxbatch" / "summary.json"
    summary = json.loads(path.read_bytes())
    damage(summary["images"][0])
    path.write_text(json.dumps(summary))
    status, text = verify(session, capsys)
    assert status == 1
    assert f"{path}: does not contain size and SHA-256 of nii/31.json" in text


def test_an_invalid_summary_is_an_error_and_the_next_session_is_verified(
    session: Path, study: Study, capsys: pytest.CaptureFixture[str]
) -> None:
    study.put("S2", T1.files())
    assert study.main().status == 0
    (session / "qxbatch" / "summary.json").write_text("[" * 100_000)
    capsys.readouterr()
    assert main(["verify", str(session), str(study.session("S2"))]) == 1
    text = capsys.readouterr().out
    assert "summary.json: cannot be read" in text
    assert "1 of 2 sessions are intact." in text


def test_suggested_command_can_be_pasted(study: Study, capsys: pytest.CaptureFixture[str]) -> None:
    study.put("S1", T1.files())
    assert study.main().status == 0
    session = study.sessions.rename(study.sessions.parent / "my sessions") / "S1"
    append_gzip_member(session)
    capsys.readouterr()
    main(["verify", str(session)])
    assert f"qxbatch convert --overwrite '{session}'" in capsys.readouterr().out


@pytest.mark.parametrize("wrong", ["another byte", "more bytes"])
def test_a_run_does_not_publish_an_incorrectly_written_image(
    study: Study, monkeypatch: pytest.MonkeyPatch, wrong: str
) -> None:
    def write_incorrectly(source: str, out: str, **more: object) -> tuple[int, str]:
        done = gzip_file(source, out, **more)  # type: ignore[arg-type]
        data = bytearray(Path(out).read_bytes())
        data[9] ^= 1  # the operating system field (RFC 1952, 2.3.1): the contents are unchanged
        Path(out).write_bytes(data if wrong == "another byte" else bytes([*data, *gzip.compress(b"")]))
        return done

    packet = study.put("S1", T1.files())
    with monkeypatch.context() as patched:
        patched.setattr(module, "gzip_file", write_incorrectly)
        run = study.main()
    assert run.status == 1
    assert "31.nii.gz: differs from what was written" in run.text
    assert packet.exists()
    assert study.session_names() == []
    assert study.main().status == 0


@pytest.mark.parametrize("suffix", ["bval", "bvec", "json"])
def test_an_added_sidecar_is_reported(session: Path, capsys: pytest.CaptureFixture[str], suffix: str) -> None:
    summary = session / "qxbatch" / "summary.json"
    assert verify(session, capsys)[0] == 0
    sidecar = session / "nii" / f"31.{suffix}"
    if sidecar.exists():  # as if the converter had not written it
        content = json.loads(summary.read_text())
        image = content["images"][0]
        del image["sums"][f"nii/31.{suffix}"]
        image["files"].remove(f"nii/31.{suffix}")
        summary.write_text(json.dumps(content))
    else:
        sidecar.write_text("0\n")
    status, text = verify(session, capsys)
    assert status == 1
    assert f"{sidecar}: was added; qxbatch/summary.json does not list it" in " ".join(text.split())


def test_another_file_in_nii_is_no_fault(session: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("31.txt", "notes.json", "7.bval"):
        (session / "nii" / name).write_text("mine")
    assert verify(session, capsys)[0] == 0
