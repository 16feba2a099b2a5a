"""Which images are time series with a meaningful temporal SNR."""

import pytest

from qxbatch.acquisition import Acquisition, ImageKind
from qxbatch.inspect.time_series import TimeSeriesFacts, is_time_series

BOLD = TimeSeriesFacts(
    shape=(64, 64, 36, 200),
    header={"Modality": "MR", "ImageType": ["ORIGINAL", "PRIMARY", "M", "ND", "MOSAIC"], "SeriesDescription": "rest"},
    acquisition=Acquisition(kinds=(ImageKind.MAGNITUDE,), te_ms=(30.0,)),
    sidecar={
        "ImageType": ["ORIGINAL", "PRIMARY", "M", "ND", "MOSAIC"],
        "PulseSequenceDetails": "%SiemensSeq%\\ep2d_bold",
    },
    suffix="",
    has_b_values=False,
)
BARE = TimeSeriesFacts((64, 64, 36, 200), {}, None, {}, "", has_b_values=False)


def with_description(text: str) -> TimeSeriesFacts:
    return BARE._replace(header={"SeriesDescription": text})


@pytest.mark.parametrize(
    "image",
    [
        pytest.param(BOLD, id="BOLD"),
        pytest.param(BARE, id="nothing is known"),
        pytest.param(BOLD._replace(shape=(64, 64, 36, 200, 1)), id="a fifth axis of one"),
        pytest.param(BOLD._replace(shape=(64, 64, 1, 200)), id="one slice"),
        pytest.param(BOLD._replace(suffix="_e2", acquisition=Acquisition(te_ms=(12.0, 30.0))), id="one of two echoes"),
        pytest.param(BOLD._replace(acquisition=Acquisition(kinds=None)), id="unknown kind"),
        pytest.param(
            BOLD._replace(acquisition=Acquisition(kinds=(ImageKind.MAGNITUDE, ImageKind.PHASE))),
            id="magnitude and phase",
        ),
        pytest.param(
            BOLD._replace(header={"SeriesDescription": "asl_control"}), id="ASL only in a name, BOLD sequence"
        ),
        pytest.param(with_description("baseline"), id="a name that only resembles ASL"),
        pytest.param(BOLD._replace(suffix="_phantom"), id="a suffix that only resembles phase"),
    ],
)
def test_magnitude_time_series_are_time_series(image: TimeSeriesFacts) -> None:
    assert is_time_series(image)


def with_image_type(*names: str) -> TimeSeriesFacts:
    return BOLD._replace(sidecar={"ImageType": list(names)})


@pytest.mark.parametrize(
    "image",
    [
        pytest.param(BOLD._replace(shape=(64, 64, 36)), id="one volume"),
        pytest.param(BOLD._replace(shape=(64, 64, 36, 1)), id="a fourth axis of one"),
        pytest.param(BOLD._replace(shape=(64, 64, 36, 20, 2)), id="five axes"),
        pytest.param(BOLD._replace(shape=(1, 1, 1, 1024)), id="spectroscopy"),
        pytest.param(
            BOLD._replace(acquisition=Acquisition(b_values=((0.0, 1), (1000.0, 12)))), id="diffusion by headers"
        ),
        pytest.param(BARE._replace(has_b_values=True), id="diffusion by the converter's table"),
        pytest.param(with_image_type("DERIVED", "PRIMARY", "DIFFUSION", "ADC"), id="diffusion map"),
        pytest.param(BOLD._replace(acquisition=Acquisition(kinds=(ImageKind.PHASE,))), id="phase by headers"),
        pytest.param(BOLD._replace(acquisition=Acquisition(kinds=(ImageKind.REAL, ImageKind.IMAGINARY))), id="complex"),
        pytest.param(with_image_type("ORIGINAL", "PRIMARY", "PHASE MAP", "P", "FFE"), id="phase by the sidecar"),
        pytest.param(BARE._replace(header={"ImageType": "ORIGINAL\\PRIMARY\\P\\ND"}), id="phase by ImageType"),
        pytest.param(BARE._replace(suffix="_e1_ph"), id="phase by the converter's suffix"),
        pytest.param(
            BOLD._replace(acquisition=Acquisition(kinds=(ImageKind.MAGNITUDE, ImageKind.DERIVED))), id="derived"
        ),
        pytest.param(BOLD._replace(acquisition=Acquisition(kinds=(ImageKind.LOCALIZER,))), id="localizer"),
        pytest.param(with_image_type("ORIGINAL", "PRIMARY", "ASL", "NONE"), id="ASL by ImageType"),
        pytest.param(BOLD._replace(sidecar={"ArterialSpinLabelingType": "PCASL"}), id="ASL by its labelling"),
        pytest.param(
            BOLD._replace(sidecar={"PulseSequenceDetails": "%CustomerSeq%\\tgse_pcasl_ve11c"}), id="ASL by program"
        ),
        pytest.param(BARE._replace(header={"PulseSequenceName": "3dasl"}), id="ASL by sequence"),
        pytest.param(with_description("pCASL 3D tra"), id="ASL by name alone"),
        pytest.param(BOLD._replace(header={"Modality": "PT"}), id="PET"),
        pytest.param(
            BOLD._replace(shape=(64, 64, 36, 3), acquisition=Acquisition(te_ms=(9.0, 20.0, 31.0))), id="echoes"
        ),
    ],
)
def test_other_images_are_no_time_series(image: TimeSeriesFacts) -> None:
    assert not is_time_series(image)
