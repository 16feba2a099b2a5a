"""DICOM objects other than classic images: enhanced MR, reports, raw data, spectra, states."""

from collections.abc import Mapping

import numpy as np
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    ComprehensiveSRStorage,
    EnhancedMRImageStorage,
    GrayscaleSoftcopyPresentationStateStorage,
    MediaStorageDirectoryStorage,
    MRSpectroscopyStorage,
    RawDataStorage,
    SecondaryCaptureImageStorage,
)

from tests.build.dicom import MrSeries, changed, encoded, uid

PIXEL_KEYWORDS = (
    "PixelData",
    "Rows",
    "Columns",
    "SamplesPerPixel",
    "PhotometricInterpretation",
    "BitsAllocated",
    "BitsStored",
    "HighBit",
    "PixelRepresentation",
)
PER_FRAME_KEYWORDS = (
    "RepetitionTime",
    "EchoTime",
    "FlipAngle",
    "ImagePositionPatient",
    "ImageOrientationPatient",
    "PixelSpacing",
    "SliceThickness",
    "SpacingBetweenSlices",
    "SliceLocation",
    "EchoNumbers",
    "ScanningSequence",
    "SequenceVariant",
    "ScanOptions",
    "MRAcquisitionType",
    "SequenceName",
    "TemporalPositionIdentifier",
    "NumberOfTemporalPositions",
)


def item(**values: object) -> Dataset:
    """Return a data set with these keywords."""
    return changed(Dataset(), values)


def enhanced(series: MrSeries, changes: Mapping[str, object] | None = None) -> Dataset:
    """Return an Enhanced MR object with a classic series' frames; TR, TE and geometry in functional groups."""
    frames = list(series.with_(changes={}).datasets())
    dataset = frames[0]
    classic = {keyword: dataset.get(keyword) for keyword in PER_FRAME_KEYWORDS}
    changed(dataset, dict.fromkeys(PER_FRAME_KEYWORDS))
    dataset.SOPClassUID = EnhancedMRImageStorage
    dataset.SOPInstanceUID = uid("enhanced", series.series_uid)
    dataset.NumberOfFrames = len(frames)
    dataset.AcquisitionDateTime = series.date + series.time
    timing = item(RepetitionTime=classic["RepetitionTime"], FlipAngle=classic["FlipAngle"])
    measures = item(PixelSpacing=classic["PixelSpacing"], SliceThickness=classic["SliceThickness"])
    measures.SpacingBetweenSlices = classic["SpacingBetweenSlices"]
    orientation = item(ImageOrientationPatient=classic["ImageOrientationPatient"])
    dataset.SharedFunctionalGroupsSequence = Sequence(
        [
            item(
                MRTimingAndRelatedParametersSequence=Sequence([timing]),
                PixelMeasuresSequence=Sequence([measures]),
                PlaneOrientationSequence=Sequence([orientation]),
            )
        ]
    )
    dataset.PerFrameFunctionalGroupsSequence = Sequence(
        [_frame(series, k) for k in range(series.volumes * series.slices)]
    )
    voxels = np.concatenate([series.volume(t) for t in range(series.volumes)])
    dataset.PixelData = voxels.astype("<u2").tobytes()
    dataset["PixelData"].VR = "OW"
    return changed(dataset, changes or {})


def _frame(series: MrSeries, k: int) -> Dataset:
    volume, z = divmod(k, series.slices)
    half = [-(series.columns - 1) * 3.0 / 2, -(series.rows - 1) * 3.0 / 2]
    content = item(
        FrameAcquisitionDateTime=series.date + series.time,
        StackID="1",
        InStackPositionNumber=z + 1,
        TemporalPositionIndex=volume + 1,
        DimensionIndexValues=[1, z + 1, volume + 1],
        FrameAcquisitionNumber=volume + 1,
    )
    return item(
        FrameContentSequence=Sequence([content]),
        MREchoSequence=Sequence([item(EffectiveEchoTime=series.te)]),
        PlanePositionSequence=Sequence([item(ImagePositionPatient=[*half, 4.0 * z])]),
    )


def without_pixels(series: MrSeries, sop_class: str, word: str, changes: Mapping[str, object]) -> Dataset:
    """Return one object of a series without images."""
    dataset = next(series.with_(slices=1, volumes=1).datasets())
    changed(dataset, dict.fromkeys(PIXEL_KEYWORDS + PER_FRAME_KEYWORDS))
    dataset.SOPClassUID = sop_class
    dataset.SOPInstanceUID = uid(word, series.series_uid)
    return changed(dataset, changes)


def report(series: MrSeries) -> Dataset:
    """Return a structured report, as scanners add to a study."""
    name = item(CodeValue="121071", CodingSchemeDesignator="DCM", CodeMeaning="Finding")
    content = {
        "ValueType": "CONTAINER",
        "ContinuityOfContent": "SEPARATE",
        "ConceptNameCodeSequence": Sequence([name]),
    }
    return without_pixels(series, ComprehensiveSRStorage, "report", {"Modality": "SR", **content})


def raw_data(series: MrSeries) -> Dataset:
    """Return a Raw Data object: private bytes, no image."""
    dataset = without_pixels(series, RawDataStorage, "raw", {"ImageType": None})
    block = dataset.private_block(0x7FE1, "SIEMENS CSA NON-IMAGE", create=True)
    block.add_new(0x10, "OB", bytes(range(256)) * 8)
    return dataset


def spectroscopy(series: MrSeries) -> Dataset:
    """Return an MR Spectroscopy object: spectra, no image."""
    spectra = np.arange(64, dtype="<f4").tobytes()
    values = {
        "Rows": 1,
        "Columns": 1,
        "NumberOfFrames": 1,
        "DataPointColumns": 32,
        "SpectroscopyData": spectra,
    }
    return without_pixels(series, MRSpectroscopyStorage, "spectroscopy", values)


def presentation_state(series: MrSeries) -> Dataset:
    """Return a Grayscale Softcopy Presentation State."""
    values = {"Modality": "PR", "ContentLabel": "STATE", "PresentationCreationDate": series.date}
    return without_pixels(series, GrayscaleSoftcopyPresentationStateStorage, "state", values)


def screen_save(series: MrSeries) -> Dataset:
    """Return a Secondary Capture image: 8 bit, no geometry."""
    dataset = next(series.with_(slices=1, volumes=1).datasets())
    changed(dataset, dict.fromkeys(PER_FRAME_KEYWORDS))
    pixels = bytes(k % 256 for k in range(series.rows * series.columns))
    bits = {
        "BitsAllocated": 8,
        "BitsStored": 8,
        "HighBit": 7,
        "PixelData": pixels + b"\x00" * (len(pixels) % 2),
    }
    own = {"SOPClassUID": SecondaryCaptureImageStorage, "SOPInstanceUID": uid("screen", series.series_uid)}
    return changed(dataset, {**bits, **own, "ConversionType": "WSD"})


def dicomdir(series: MrSeries) -> bytes:
    """Return a DICOMDIR that names the series' patient."""
    record = item(OffsetOfTheNextDirectoryRecord=0, RecordInUseFlag=0xFFFF, DirectoryRecordType="PATIENT")
    record.OffsetOfReferencedLowerLevelDirectoryEntity = 0
    record.PatientID, record.PatientName = series.patient or "", series.name
    dataset = item(FileSetID="DISC", OffsetOfTheFirstDirectoryRecordOfTheRootDirectoryEntity=0)
    dataset.OffsetOfTheLastDirectoryRecordOfTheRootDirectoryEntity = 0
    dataset.FileSetConsistencyFlag = 0
    dataset.DirectoryRecordSequence = Sequence([record])
    dataset.SOPClassUID = MediaStorageDirectoryStorage
    dataset.SOPInstanceUID = uid("dicomdir", series.study_uid)
    with_both = encoded(dataset)
    # SOP class and instance are only in the meta header (PS3.10, 8.6).
    del dataset.SOPClassUID, dataset.SOPInstanceUID, dataset.file_meta
    meta_end = 144 + int.from_bytes(with_both[140:144], "little")
    return with_both[:meta_end] + encoded(dataset, preamble=False, meta=False)
