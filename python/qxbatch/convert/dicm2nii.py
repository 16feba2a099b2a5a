"""dicm2nii: MATLAB code that the site installs, run by GNU Octave, or by MATLAB if configured."""

import os
import re
import shutil
from collections.abc import Sequence
from pathlib import Path

from qxbatch.convert.converter import Command, ConverterJob, Probe
from qxbatch.convert.decompress import decompress_images
from qxbatch.convert.header_values import text
from qxbatch.convert.naming import sidecars_of
from qxbatch.model import Output

VARIABLE = "QXBATCH_DICM2NII_DIR"
"""The environment variable with the folder of dicm2nii.m."""
MATLAB_VARIABLE = "QXBATCH_MATLAB"
"""The environment variable with the path of the MATLAB program; MATLAB is never started unless this is set (it needs a licence)."""
_DEFAULT_FOLDER = Path("/opt/dicm2nii")
_VERSION = re.compile(r"\b(?:version|since)\D{0,12}(20\d{2}[.-]?\d{2}[.-]?\d{2})", re.IGNORECASE)
_PREFERENCES = {
    "save_patientName": "false",
    "save_json": "true",
    "use_parfor": "false",
    "lefthand": "true",
    "scale_16bit": "false",
}
"""Preferences of dicm2nii, with their values as MATLAB code."""
_NAME_ENDING = re.compile(
    r"(?:_c\w+?)?(?:_(?P<part>MAGNITUDE|PHASE|REAL|IMAGINARY|MIXED))?(?P<echo>_e\d+)?(?P<phase>_phase)?"
    r"(?:_MoCo)?(?:_NORM)?(?:_s\d{3,})?$"
)
"""What dicm2nii adds to the name of a series."""
_COMPONENTS = {"PHASE": "_ph", "REAL": "_real", "IMAGINARY": "_imaginary"}
"""Suffixes of dcm2niix, by `part` of _NAME_ENDING."""


class Dicm2nii:
    """The MATLAB converter. It is slow (its header reader is interpreted) and never chosen by `auto`."""

    name = "dicm2nii"
    max_seconds_per_file = 3.0

    def __init__(self, folder: Path, interpreter: Path, version: str) -> None:
        self.folder = folder
        self.interpreter = interpreter
        self.version = version

    def command(self, job: ConverterJob) -> Command:
        """Return the call; the environment passes the paths, so that no name can become code.

        The third argument is the format as a number: 1 is .nii.gz. MATLAB and Octave store preferences in HOME, which is the job's
        own.
        """
        settings = " ".join(f"setpref('dicm2nii_gui_para','{name}',{value});" for name, value in _PREFERENCES.items())
        code = (
            f"addpath(getenv('{VARIABLE}')); {settings} "
            "try, dicm2nii(getenv('QXBATCH_SRC'),getenv('QXBATCH_DST'),1); "
            "catch e, fprintf(2,'%s\\n',e.message); exit(1); end; exit(0)"
        )
        env = {VARIABLE: str(self.folder), "QXBATCH_SRC": str(job.source), "QXBATCH_DST": str(job.out)}
        if "matlab" in self.interpreter.name.casefold():
            return Command((str(self.interpreter), "-nodisplay", "-nosplash", "-nodesktop", "-r", code), env)
        flags = ("--no-gui", "--norc", "--no-history", "--quiet", "--eval")
        return Command((str(self.interpreter), *flags, code), env)

    def outputs(self, job: ConverterJob) -> Sequence[Output]:
        """Return its images. Names are `<SeriesDescription><suffix>`, or ProtocolName without a SeriesDescription.

        Suffixes are mapped to those of dcm2niix.
        """
        decompress_images(job.out)
        niftis = sorted(job.out.glob("*.nii"), key=lambda path: path.name.encode())
        _copy_shared_json(niftis)
        name = text(job.series.header, "SeriesDescription") or text(job.series.header, "ProtocolName")
        return [
            Output(nifti, dcm2niix_suffix(nifti.stem, name), sidecars_of(nifti, nifti.stem), nifti.stem)
            for nifti in niftis
        ]

    def accepts(self, exit_status: int) -> bool:
        """Return whether the call ended without an error."""
        return exit_status == 0


def _copy_shared_json(niftis: Sequence[Path]) -> None:
    """Copy the shared JSON `<name>.json` of a PAR's magnitude and phase to each of its images."""
    for nifti in niftis:
        sidecar = nifti.with_suffix(".json")
        name = nifti.stem.rpartition("_")[0]
        shared = nifti.with_name(f"{name}.json")
        if name and not sidecar.exists() and shared.is_file() and not nifti.with_name(f"{name}.nii").exists():
            shutil.copyfile(shared, sidecar)


def dcm2niix_suffix(stem: str, name: str) -> str:
    """Return the suffix that dcm2niix would write for a file name such as `gre_field_mapping_e2_phase`, here `_e2_ph`.

    The endings that the converter adds are searched after the series' name: the name itself may end like one of them. A file
    name that does not begin with the series' name is searched as a whole.
    """
    # dicm2nii replaces other characters, and puts an x before a name that does not begin with a letter
    prefix = re.sub(r"_{2,}", "_", re.sub(r"[^a-zA-Z0-9_]", "_", name))
    beginnings = (prefix, f"x{prefix}") if prefix else ()
    ending = next((stem.removeprefix(beginning) for beginning in beginnings if stem.startswith(beginning)), stem)
    match = _NAME_ENDING.search(ending)
    if match is None:
        return ""
    component = "_ph" if match["phase"] else _COMPONENTS.get(match["part"] or "", "")
    return (match["echo"] or "") + component


def interpreter() -> Path | None:
    """Return MATLAB if it is configured, else octave-cli on PATH; None if that program is absent."""
    program = shutil.which(os.environ.get(MATLAB_VARIABLE) or "octave-cli")
    return Path(program).absolute() if program else None


def folder_of(configured_folder: Path | None) -> Path | None:
    """Return the folder with dicm2nii.m, None without that file: the setting, else the variable, else the usual location."""
    chosen = configured_folder or (Path(os.environ[VARIABLE]) if os.environ.get(VARIABLE) else _DEFAULT_FOLDER)
    return chosen.absolute() if (chosen / "dicm2nii.m").is_file() else None


def find(configured_folder: Path | None = None) -> Dicm2nii | None:
    """Return the converter, or None if its code or an interpreter is absent."""
    folder, program = folder_of(configured_folder), interpreter()
    return Dicm2nii(folder, program, _version(folder)) if folder and program else None


def _version(folder: Path) -> str:
    """Return the version in the README of dicm2nii; empty without one."""
    try:
        match = _VERSION.search((folder / "README.md").read_text(encoding="utf-8", errors="replace"))
    except OSError:
        return ""
    return match[1] if match else ""


def probe(configured_folder: Path | None = None) -> Probe:
    """Return the availability of the converter."""
    folder, program = folder_of(configured_folder), interpreter()
    missing_parts = " and ".join(
        part for part, path in (("its code", folder), ("octave-cli or a configured MATLAB", program)) if path is None
    )
    return Probe(
        name="dicm2nii",
        purpose="DICOM and PAR/REC, only with --tool=dicm2nii",
        location=f"{folder} under {program}" if folder and program else "",
        version=_version(folder) if folder and program else "",
        searched_locations=(
            "--dicm2nii-dir",
            f"${VARIABLE}",
            str(_DEFAULT_FOLDER),
            "octave-cli on PATH",
            f"${MATLAB_VARIABLE}",
        ),
        advice=f"Missing: {missing_parts}. Download dicm2nii from github.com/xiangruili/dicm2nii, set --dicm2nii-dir to its folder,"
        " and install octave.",
    )
