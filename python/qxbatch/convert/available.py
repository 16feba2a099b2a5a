"""Finds the installed converters. A missing one is reported before any data are touched."""

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import NamedTuple

from qxbatch.convert import dcm2nii, dcm2niix, dicm2nii, nibabel_converter
from qxbatch.convert.converter import Converter, Probe
from qxbatch.exits import ExitStatus
from qxbatch.model import SeriesKind
from qxbatch.problems import UsageError
from qxbatch.settings.model import Settings, Tool


class AvailableConverters(NamedTuple):
    """The converters that a run may use."""

    used_tool: Tool
    """The requested tool, or its fallback."""
    converters: Mapping[str, Converter]
    """By name."""
    notes: tuple[str, ...] = ()
    """A message if a fallback is used."""

    def versions(self, kinds: Collection[SeriesKind]) -> dict[str, str]:
        """Return name and version of each converter for series of these kinds, for the summary."""
        needed = {
            name: converter
            for name, converter in self.converters.items()
            if name != nibabel_converter.NIBABEL or SeriesKind.PARREC in kinds
        }
        return {name: converter.version for name, converter in sorted(needed.items())}


def find_converters(settings: Settings) -> AvailableConverters:
    """Return the converters of a run, or of the fallback if one of them is missing.

    Raises UsageError (status UNAVAILABLE) if a converter is missing and no complete fallback replaces it.
    """
    requested = settings.tool
    converters, missing = _find(settings, requested)
    if not missing:
        return AvailableConverters(requested, converters)
    if settings.fallback is None or settings.fallback is requested:
        raise _missing_converter_error(missing)
    converters, missing_fallback = _find(settings, settings.fallback)
    if missing_fallback:
        probes = {probe.name: probe for probe in (missing, missing_fallback)}
        raise _missing_converter_error(*probes.values())
    note = f"{missing.name} is not installed ({_searched_text(missing)}); --fallback={settings.fallback.value} is used instead."
    return AvailableConverters(settings.fallback, converters, (note,))


def converter_for(kind: SeriesKind, available: AvailableConverters) -> Converter:
    """Return the converter of a series: the used tool; with `auto` dcm2niix for DICOM and nibabel for PAR/REC.

    With `auto`, an import calls it for DICOM only: for a PAR/REC, `convert_par` (qxbatch.convert.par_choice) chooses between the
    two.
    """
    if available.used_tool is not Tool.AUTO:
        return available.converters[available.used_tool.value]
    return available.converters[nibabel_converter.NIBABEL if kind is SeriesKind.PARREC else Tool.DCM2NIIX.value]


def converter_probes(dicm2nii_dir: Path | None = None) -> list[tuple[Probe, bool]]:
    """Return the availability of each converter, installed or not, and whether `auto` needs it."""
    return [
        (dcm2niix.probe(), True),
        (nibabel_converter.probe(), True),
        (dicm2nii.probe(dicm2nii_dir), False),
        (dcm2nii.probe(), False),
    ]


def _find(settings: Settings, tool: Tool) -> tuple[dict[str, Converter], Probe | None]:
    """Return the converters for a tool by name, and None; if one is missing, an empty dict and the probe of the missing one."""
    folder = settings.dicm2nii_dir
    find_and_probe: dict[Tool, list[tuple[Callable[[], Converter | None], Callable[[], Probe]]]] = {
        Tool.AUTO: [(dcm2niix.find, dcm2niix.probe), (nibabel_converter.find, nibabel_converter.probe)],
        Tool.DCM2NIIX: [(dcm2niix.find, dcm2niix.probe)],
        Tool.DICM2NII: [(lambda: dicm2nii.find(folder), lambda: dicm2nii.probe(folder))],
        Tool.DCM2NII: [(dcm2nii.find, dcm2nii.probe)],
    }
    converters: dict[str, Converter] = {}
    for find, probe in find_and_probe[tool]:
        converter = find()
        if converter is None:
            return {}, probe()
        converters[converter.name] = converter
    return converters, None


def _searched_text(probe: Probe) -> str:
    return "looked for in " + "; ".join(probe.searched_locations)


def _missing_converter_error(*probes: Probe) -> UsageError:
    """Return the error about a missing converter, and about its fallback if that is missing too."""
    needed_by_auto = {Tool.DCM2NIIX.value, nibabel_converter.NIBABEL}
    is_needed_by_auto = any(probe.name in needed_by_auto for probe in probes)
    alternative = "" if is_needed_by_auto else " Or use --tool=auto, or --fallback=dcm2niix."
    return UsageError(
        " ".join(f"The converter {probe.name} is not installed ({_searched_text(probe)})." for probe in probes),
        " Or: ".join(probe.advice for probe in probes) + alternative,
        ExitStatus.UNAVAILABLE,
    )
