"""What the pages of the documentation find on disk: each page's packets, under the names that it uses.

`/data` of a page is `<root>/data`, its home and current folder is `<root>/home`.
"""

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import qxbatch
from tests.build.bids_study import BidsStudy
from tests.build.dicom import MrSeries
from tests.build.encrypted import Aes, encrypted
from tests.build.packets import Kind, Tree, under, write_packet, zipped
from tests.build.parrec import ParRec
from tests.build.study import run_main

T1 = MrSeries(number=2, description="T1w", tr=2300.0, te=2.46)
REST = MrSeries(number=3, description="fmri_rest", volumes=4, tr=800.0, time="102000")


def tree(patient: str, name: str = "Doe^Jane", *series: MrSeries) -> Tree:
    """Return the files of a patient: a T1 and a resting state run, or the series that are given."""
    return {
        path: data
        for each in series or (T1, REST)
        for path, data in under(str(each.description), each.with_(patient=patient, name=name).files()).items()
    }


def inbox(root: Path) -> Path:
    """Return the inbox of the pages' study."""
    folder = root / "data" / "study" / "sessions" / "inbox" / "MR"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def readme(root: Path) -> None:
    for subject, kind in (("OP101", Kind.ZIP), ("OP102", Kind.TAR_GZ)):
        write_packet(tree(subject), root / "home", f"{subject}_baseline", kind)
    (root / "home" / "log.csv").write_text("packet,subject,session\nDOE_JANE,OP103,baseline\n")
    write_packet(tree("4711"), root / "home", "DOE_JANE")


def tutorial(root: Path) -> None:
    write_packet(tree("OP105"), root / "home" / "Downloads", "OP105_baseline")


def clinic_zips(root: Path) -> None:
    for packet in ("MR_20260114_OP386_baseline", "MR_20260121_OP386_followup", "MR_20260115_OP391_baseline"):
        write_packet(tree(packet.split("_")[2]), root / "home" / "Downloads", packet)


def logfile(root: Path) -> None:
    patients = (("DOE_JANE", "Doe^Jane"), ("ROE_RICHARD", "Roe^Richard"), ("POE_ANN", "Poe^Ann"))
    for number, (packet, name) in enumerate(patients, start=4711):
        write_packet(tree(str(number), name, T1), inbox(root), packet)


def folder_mode(root: Path) -> None:
    sessions = root / "data" / "study" / "sessions"
    for session in ("OP101_baseline", "OP102_baseline"):
        write_packet(tree(session[:5], "Doe^Jane", T1), sessions / session / "inbox", "export", Kind.FOLDER)
    write_packet(tree("OP102", "Doe^Jane", REST), sessions / "OP102_baseline" / "inbox", "second_export")


def par_rec(root: Path) -> None:
    """Prepare two packets with two pairs each; in the second one, a REC is missing."""
    for packet in ("OP201", "OP202"):
        t1 = ParRec(acquisition=2).files(f"{packet}_T1")
        rest = ParRec(acquisition=3, protocol="WIP rest", volumes=3).files(f"{packet}_rest")
        files = {name: data for name, data in {**t1, **rest}.items() if name != "OP202_rest.REC"}
        write_packet(files, inbox(root), packet)


def two_patients(root: Path) -> None:
    jane = under("A", tree("OP301", "Doe^Jane", T1))
    john = under("B", tree("OP302", "Smith^John", T1.with_(date="20240116")))
    write_packet({**jane, **john}, inbox(root), "OP301")


def damaged_packets(root: Path) -> None:
    data = zipped(tree("OP401"), stored=True)
    (inbox(root) / "OP401.zip").write_bytes(data[: len(data) // 2])
    (inbox(root) / "OP402.zip").write_bytes(encrypted(tree("OP402", "Doe^Jane", T1), b"correct horse", Aes()))
    write_packet(tree("OP403", "Doe^Jane", T1), inbox(root), "OP403")


def protocol_check(root: Path) -> None:
    other_tr = REST.with_(tr=1000.0)
    for number, series in enumerate(((T1, REST), (T1, REST), (T1, REST), (T1, other_tr), (T1,)), start=1):
        write_packet(tree(f"OP50{number}", "Doe^Jane", *series), inbox(root), f"OP50{number}")
    assert run_main(str(root / "data" / "study" / "sessions"), "--quiet").status == 0


def bids(root: Path) -> None:
    study = BidsStudy(root / "data" / "study")
    study.rules.unlink()
    for session in ("S1", "S2"):
        study.add(session)


def phantoms(root: Path) -> None:
    phantom = T1.with_(description="phantom")
    write_packet(tree("PHANTOM", "Phantom", phantom), root / "data" / "phantoms", "prisma-2026-01")


def one_packet(root: Path) -> None:
    write_packet(tree("OP601", "Doe^Jane", T1), inbox(root), "OP601")


def scripts(root: Path) -> None:
    one_packet(root)
    mixed = {**under("A", tree("OP602", "Doe^Jane", T1)), **under("B", tree("OP603", "Smith^John", T1))}
    write_packet(mixed, inbox(root), "OP602")


def from_qunex(root: Path) -> None:
    """Prepare packets, and a session without the files that only qxbatch writes."""
    sessions = root / "data" / "study" / "sessions"
    write_packet(tree("AP300", "Doe^Jane", T1), inbox(root), "AP300_MR_1")
    assert run_main(str(sessions), "--quiet").status == 0
    shutil.rmtree(sessions / "AP300_MR_1" / "qxbatch")
    for packet in ("AP346_MR_1", "AP347_MR_1"):
        write_packet(tree(packet[:5], "Doe^Jane", T1), inbox(root), packet)


def from_heudiconv(root: Path) -> None:
    for subject in ("01", "02"):
        write_packet(tree(f"sub-{subject}"), root / "data" / "dicom", f"sub-{subject}_ses-1")


PAGES: dict[str, Callable[[Path], None]] = {
    "../README.md": readme,
    "tutorial.md": tutorial,
    "from-qunex.md": from_qunex,
    "from-heudiconv.md": from_heudiconv,
    "how-to/clinic-zips.md": clinic_zips,
    "how-to/logfile.md": logfile,
    "how-to/folder-mode.md": folder_mode,
    "how-to/par-rec.md": par_rec,
    "how-to/two-patients.md": two_patients,
    "how-to/damaged-packets.md": damaged_packets,
    "how-to/protocol-check.md": protocol_check,
    "how-to/bids.md": bids,
    "how-to/phantoms.md": phantoms,
    "how-to/nightly.md": one_packet,
    "how-to/scripts.md": scripts,
}
"""Each page with commands that are run, and what prepares its folder."""


def prepare(page: str, root: Path) -> None:
    """Make the folder of a page, and a folder `bin` with the command."""
    for folder in ("data", "home", "bin"):
        (root / folder).mkdir()
    program = root / "bin" / "qxbatch"
    package = Path(qxbatch.__file__).parents[1]
    program.write_text(
        f'#!/bin/sh\nPYTHONPATH="{package}${{PYTHONPATH:+:$PYTHONPATH}}" exec "{sys.executable}" -m qxbatch "$@"\n'
    )
    program.chmod(0o755)
    PAGES[page](root)
