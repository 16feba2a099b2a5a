"""The facts of each image of a session, with which rules are compared."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from qxbatch.acquisition import Acquisition, ImageKind, SeriesVerdict
from qxbatch.bids.images.midnight import continue_after_midnight
from qxbatch.bids.images.numbers import is_plausible_number
from qxbatch.bids.model import ExportImage
from qxbatch.convert.header_values import text
from qxbatch.model import SeriesKind, State
from qxbatch.os_error import reason_text
from qxbatch.protocol.scanned import scanner_name
from qxbatch.record.names import series_name, series_number
from qxbatch.session.folder import SessionFolder
from qxbatch.session.summary import FACTS_SCHEMA, SummaryError
from qxbatch.session.summary_parts import SeriesSummary
from qxbatch.textfile import read_text
from qxbatch.visible import shell_word

FIELD_MAP_IN_HZ = "fieldmap"
"""The kind of an image whose values are a magnetic field in Hz."""
KINDS = (*ImageKind, FIELD_MAP_IN_HZ)
"""All values of `ImageFacts.kind`."""
_NO_FACTS = Acquisition()
_MAX_SIDECAR_BYTES = 1 << 24
"""Maximum bytes of the JSON file of an image: reading it takes up to 50 times as much memory."""
_VOLUME_AXIS = 3
"""Index of the number of volumes in an image's shape."""
_KINDS_BY_WORD = {
    "FIELDMAPHZ": FIELD_MAP_IN_HZ,
    "PHASE": "phase",
    "REAL": "real",
    "IMAGINARY": "imaginary",
    "MAGNITUDE": "magnitude",
}
"""The kind of an image, by the word that dcm2niix adds to ImageType of its sidecar."""
_KINDS_BY_ENDING = {
    "fieldmaphz": FIELD_MAP_IN_HZ,
    "ph": "phase",
    "real": "real",
    "imaginary": "imaginary",
    "adc": "derived",
}
"""The kind of an image, by the word (here in lower case) that dcm2niix adds to the end of its name, such as `e2_ph`."""


class SessionFactsError(Exception):
    """The images of a session, or facts that rules need, are missing or cannot be read. The hint says what to do."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


def images_of(session: SessionFolder) -> tuple[ExportImage, ...]:
    """Return the images of a session in the order of their numbers. Raises SessionFactsError.

    Images whose series is not in the summary are omitted.
    """
    try:
        summary = session.summary
    except SummaryError as error:
        raise SessionFactsError(str(error), "Import the session again with --overwrite=yes.") from None
    except OSError as error:
        raise _read_error(session.paths.summary, error) from None
    if summary is None:
        message = "qxbatch/summary.json is missing: another program made the session."
        raise SessionFactsError(message, f"qxbatch inspect {shell_word(str(session.path))} --update")
    series_by_n = {series.n: series for series in continue_after_midnight(summary.series)}
    series_with_images = [series for series in summary.series if series.images]
    is_older = summary.schema < FACTS_SCHEMA
    if is_older and series_with_images and all(series.acquisition is None for series in series_with_images):
        raise SessionFactsError(
            "an older version imported it: the acquisition facts of its series are missing.",
            f"qxbatch inspect {shell_word(str(session.path))} --update",
        )
    if not series_with_images and any(series.state is State.NOT_REQUESTED for series in summary.series):
        raise SessionFactsError("it is sorted, but not converted.", f"qxbatch convert {shell_word(str(session.path))}")
    if summary.images and session.session_txt_identity is None:
        raise SessionFactsError(
            "it has images but no session.txt: a run is importing it, or was interrupted.",
            "Run the import again: it completes an interrupted one. If there is nothing to complete: "
            f"qxbatch convert {shell_word(str(session.path))} --overwrite=yes",
        )
    return tuple(
        ExportImage(
            session,
            series_by_n[image.series],
            image,
            _with_header_values(_sidecar(session, image.number), series_by_n[image.series]),
        )
        for image in sorted(summary.images, key=lambda image: image.number)
        if image.series in series_by_n
    )


def _read_error(path: Path, error: OSError) -> SessionFactsError:
    return SessionFactsError(f"{path} cannot be read: {reason_text(error, path)}.", "Make it readable, and run again.")


def _sidecar(session: SessionFolder, number: int) -> Mapping[str, Any]:
    """Return the content of an image's JSON file; empty if the file does not exist or has no object.

    Raises SessionFactsError if it cannot be read.
    """
    path = session.paths.image(number, "json")
    try:
        content = json.loads(read_text(path, "strict", _MAX_SIDECAR_BYTES))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise _read_error(path, error) from None
    except (ValueError, RecursionError) as error:
        hint = f"qxbatch convert {shell_word(str(session.path))} --overwrite=yes"
        raise SessionFactsError(f"{path}: cannot be read ({error}).", hint) from None
    return content if isinstance(content, dict) else {}


def _with_header_values(sidecar: Mapping[str, Any], series: SeriesSummary) -> Mapping[str, Any]:
    """Return a sidecar in which TR, TE, TI and flip angle are those of the headers if the converter did not write them.

    TE is added only if the series has a single echo time.
    """
    facts = series.acquisition or _NO_FACTS
    echo = facts.te_ms[0] if facts.te_ms and len(facts.te_ms) == 1 else None
    times = {"RepetitionTime": facts.tr_ms, "EchoTime": echo, "InversionTime": facts.ti_ms}
    seconds = {name: round(time / 1000, 9) for name, time in times.items() if time is not None}
    angle = {} if facts.flip_angle_deg is None else {"FlipAngle": facts.flip_angle_deg}
    added = {name: value for name, value in {**seconds, **angle}.items() if name not in sidecar}
    return {**sidecar, **added} if added else sidecar


@dataclass(frozen=True)
class ImageFacts:
    """The facts of one image, from its sidecar, its series and its entry in the summary."""

    image: ExportImage
    times_distinguish_series: bool = True
    """Whether times distinguish the series of the session; in de-identified sessions all times can be the same."""

    @property
    def acquisition(self) -> Acquisition:
        """Return the acquisition facts of the series; all are None if the series has none."""
        return self.image.series.acquisition or _NO_FACTS

    @cached_property
    def name(self) -> str:
        """Return the scanner's name of the series, with which the names of its images begin; `anonymous` if it has none."""
        return series_name(self.image.series.header)

    @property
    def protocol(self) -> str:
        """Return ProtocolName; empty if the header has none."""
        return text(self.image.series.header, "ProtocolName")

    @property
    def series_number(self) -> int | None:
        """Return the scanner's series number; None if the series has none."""
        return series_number(self.image.series.header)

    @property
    def is_par(self) -> bool:
        """Return whether the series is a PAR/REC, whose time is that of the examination."""
        return self.image.series.kind is SeriesKind.PARREC

    @cached_property
    def image_type(self) -> tuple[str, ...]:
        """Return the words of ImageType and ImageTypeText of the sidecar, and of ImageType of the header."""
        header_words = self.image.series.header.get("ImageType")
        values = [self.image.sidecar.get("ImageType"), self.image.sidecar.get("ImageTypeText"), header_words]
        lists = (value if isinstance(value, list) else [value] for value in values if value is not None)
        words = (str(word) for words_of_one in lists for word in words_of_one)
        return tuple(dict.fromkeys(words))

    @cached_property
    def kind(self) -> str:
        """Return the kind of the image, one of KINDS; magnitude if it is not known."""
        kinds = self.acquisition.kinds or ()
        image_kind = self._kind_from_converter
        if ImageKind.LOCALIZER in kinds:
            return ImageKind.LOCALIZER
        if image_kind == FIELD_MAP_IN_HZ:
            return image_kind
        if ImageKind.DERIVED in kinds or image_kind == ImageKind.DERIVED:
            return ImageKind.DERIVED
        if image_kind:
            return image_kind
        components = [kind for kind in kinds if kind in _KINDS_BY_ENDING.values() or kind is ImageKind.MAGNITUDE]
        return components[0] if len(components) == 1 else ImageKind.MAGNITUDE

    @cached_property
    def _kind_from_converter(self) -> str:
        """Return the kind by a word that the converter adds to the image's name or to ImageType; empty if it adds none."""
        ending = self.image.summary.name.removeprefix(self.name).casefold()
        ending_words = re.split(r"[_\s]+", re.sub(r"\[\d+/\d+\]", "", ending))
        for word in ending_words:
            if word in _KINDS_BY_ENDING:
                return _KINDS_BY_ENDING[word]
        image_type = self.image.sidecar.get("ImageType")
        words = [str(word).upper() for word in image_type] if isinstance(image_type, list) else []
        return next((_KINDS_BY_WORD[word] for word in reversed(words) if word in _KINDS_BY_WORD), "")

    @property
    def te_ms(self) -> float | None:
        """Return the echo time; None if it is not known."""
        return self.milliseconds("EchoTime")

    @property
    def echo(self) -> int | None:
        """Return EchoNumber, the number that the converter gives the echo; None if the sidecar has none."""
        number = self.image.sidecar.get("EchoNumber")
        return int(number) if is_plausible_number(number) else None

    @property
    def ti_ms(self) -> float | None:
        """Return the inversion time; None if it is not known."""
        return self.milliseconds("InversionTime")

    @property
    def tr_ms(self) -> float | None:
        """Return the repetition time; None if it is not known."""
        return self.milliseconds("RepetitionTime")

    @property
    def flip_angle_deg(self) -> float | None:
        """Return the flip angle; None if it is not known."""
        angle = self.image.sidecar.get("FlipAngle")
        return float(angle) if is_plausible_number(angle) else None

    @property
    def mt(self) -> str:
        """Return `on` or `off` by MTState (magnetization transfer) of the sidecar; empty if the sidecar does not have it."""
        state = self.image.sidecar.get("MTState")
        return {True: "on", False: "off"}.get(state, "") if isinstance(state, bool) else ""

    @property
    def volumes(self) -> int:
        """Return the number of volumes of the image; if its shape is not known, that of its series, else 1."""
        shape = self.image.summary.shape
        if not shape:
            return self.acquisition.acquired_volumes or 1
        return shape[_VOLUME_AXIS] if len(shape) > _VOLUME_AXIS else 1

    @property
    def verdict(self) -> SeriesVerdict | None:
        """Return the verdict on the series; None if its headers were not read."""
        return self.image.series.verdict

    @property
    def scanner(self) -> str:
        """Return maker and model of the scanner; empty if they are not known."""
        header = self.image.series.header
        return scanner_name(text(header, "Manufacturer"), text(header, "ManufacturerModelName"))

    @property
    def guess(self) -> str:
        """Return the data type and suffix that dcm2niix guesses: `func/bold`; empty if it has no guess."""
        guess = self.image.sidecar.get("BidsGuess")
        match guess:
            case [str() as datatype, str() as name]:
                return f"{datatype}/{name.rpartition('_')[2]}"
        return ""

    @property
    def polarity(self) -> str:
        """Return the polarity of phase encoding in terms of anatomy, from BidsGuess: `AP`, `PA` ...; empty if it is not known."""
        match self.image.sidecar.get("BidsGuess"):
            case [str(), str() as name]:
                match = re.search(r"_dir-([A-Z]{2})(?:_|$)", name)
                return match[1] if match else ""
        return ""

    def milliseconds(self, field: str) -> float | None:
        """Return a time of the sidecar, which is in seconds, in ms; None if the sidecar has no plausible number."""
        value = self.image.sidecar.get(field)
        return round(float(value) * 1000, 6) if is_plausible_number(value) else None


def facts_of_images(session: SessionFolder) -> tuple[ImageFacts, ...]:
    """Return the facts of each image of a session, in the order of the images' numbers. Raises SessionFactsError."""
    images = images_of(session)
    times_distinguish_series = _times_distinguish_series([image.series for image in images])
    return tuple(ImageFacts(image, times_distinguish_series) for image in images)


def _times_distinguish_series(series: Iterable[SeriesSummary]) -> bool:
    """Return False if all series with a known start began at one time, but have different names, as after de-identification.

    Series with one start and one name are copies of one scan: for these the result is True.
    """
    timed = [each for each in series if each.acquisition and each.acquisition.started]
    starts = {each.acquisition.started for each in timed if each.acquisition}
    return len(starts) > 1 or len({series_name(each.header) for each in timed}) <= 1
