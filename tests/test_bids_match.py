"""Compare each key of `match` with one image."""

import pytest

from qxbatch.acquisition import SeriesVerdict
from qxbatch.bids.rules.patterns import glob_pattern
from qxbatch.model import SeriesKind
from tests.build.bids import Image, Scan, names, plan

RULE = '[[rule]]\nmatch = {{ {match} }}\nas = "{target}"\n'
BOLD = "func/task-rest_bold"
REST = Scan(
    7,
    "fMRI_rest [mb8]",
    te=30.0,
    volumes=300,
    guess=("func", "acq-x_bold"),
    facts={
        "sequence_name": "epfid2d1_64",
        "multiband_factor": 8,
        "orientation": "axial",
        "phase_encoding_direction": "j-",
        "b_values": ((0.0, 2), (1005.0, 6)),
        "coil": "Head_32",
    },
    header={"ImageType": ["ORIGINAL", "PRIMARY", "M", "NORM"]},
    sidecar={"PulseSequenceDetails": "%CustomerSeq%\\cmrr", "MTState": False, "SliceThickness": 3.0},
)
MATCHING = (
    'name = "fmri_REST*"',
    'name = ["none", "*rest*"]',
    'name = "fMRI_rest [[]mb8]"',
    'name = "fMRI_res? *[0-9]]"',
    'name_regex = "rest|task"',
    'name_regex = "^fmri_(?P<task>[a-z]+)"',
    'protocol = "*rest*"',
    'sequence = "epfid2d*"',
    'kind = "magnitude"',
    'kind = ["phase", "magnitude"]',
    'guess = "func/bold"',
    'image_type = "NORM"',
    'image_type = ["norm", "!ND"]',
    "number = 7",
    'number = "5-8"',
    "number = [1, 7]",
    "n = 70",
    "image = 1",
    "volumes = 300",
    'volumes = ">=300"',
    'volumes = "290-310"',
    'volumes = "<301"',
    'volumes = "310 ± 10"',
    'EchoTime = "30±1"',
    'EchoTime = "30 +- 1"',
    "EchoTime = 30",
    "te_ms = 30.05",
    'tr_ms = ">1999"',
    "RepetitionTime = 2000",
    "flip_angle_deg = 77",
    "FlipAngle = 77",
    "matrix = [4, 4, 3]",
    'matrix = ["<10", 4, ">=3"]',
    "voxel_mm = [3, 3, 3]",
    'orientation = "axial"',
    'phase_encoding_direction = "j-"',
    'phase_encoding_axis = "j"',
    "multiband_factor = 8",
    "b_values = [0, 1000]",
    'b_max = ">=500"',
    'coil = "head*"',
    'session = "S0*"',
    'subject = "S01"',
    'scanner = "siemens prisma"',
    'modality = "MR"',
    'source = "dicom"',
    'verdict = "complete"',
    'PulseSequenceDetails = "*cmrr"',
    "MTState = false",
    "SliceThickness = 3",
    'ImageType = "NORM"',
    'name = "*", not = { name = "*task*" }',
    'not = { kind = "magnitude", volumes = 1 }',
)
NOT_MATCHING = (
    'name = "rest"',
    'name = "fMRI_rest [mb8]"',
    'name_regex = "^rest"',
    'kind = ["phase", "derived"]',
    'guess = "func/sbref"',
    'image_type = ["NORM", "MOSAIC"]',
    'image_type = "!NORM"',
    "number = 70",
    "n = 7",
    "image = 2",
    "echo = 1",
    'volumes = ">300"',
    'volumes = "<300"',
    "volumes = 299",
    'EchoTime = "0.03±0.001"',
    "EchoTime = 31",
    "te_ms = 30.5",
    "ti_ms = 900",
    "matrix = [4, 4, 4]",
    'phase_encoding_direction = "j"',
    "b_values = [0]",
    "b_values = [0, 1000, 2000]",
    "b_max = 3000",
    'session = "S02"',
    'scanner = "GE*"',
    'modality = ["CT", "PT"]',
    'source = "parrec"',
    'verdict = ["incomplete", "not evaluable"]',
    "MTState = true",
    "SliceThickness = 3.01",
    'ScanOptions = "*"',
    'not = { name = "*rest*", volumes = 300 }',
)


@pytest.mark.parametrize("match", MATCHING)
def test_a_key_matches(tmp_path, match):
    assert len(plan(tmp_path, RULE.format(match=match, target=BOLD), REST).placed_images) == 1


@pytest.mark.parametrize("match", NOT_MATCHING)
def test_a_key_does_not_match(tmp_path, match):
    session_plan = plan(tmp_path, RULE.format(match=match, target=BOLD), REST)
    assert [each.reason for each in session_plan.undecided_series] == ["no rule matches it"]


def test_an_image_type_of_one_word_matches(tmp_path):
    """The core and pydicom read one value as a text, not as a list."""
    text = RULE.format(match='image_type = "LOCALIZER"', target="anat/T1w")
    assert plan(tmp_path, text, Scan(1, "a", header={"ImageType": "LOCALIZER"})).is_ready


def test_the_kind_of_an_image_is_one_word(tmp_path):
    text = "".join(
        f'[[rule]]\nmatch = {{ kind = "{kind}" }}\nignore = "{kind}"\n'
        for kind in ("magnitude", "phase", "real", "imaginary", "derived", "localizer", "fieldmap")
    )
    images = (
        Image("e1"),
        Image("e1_ph"),
        Image("real"),
        Image("e2_fieldmaphz"),
        Image("ADC"),
        Image("b", kind="imaginary"),
    )
    scans = (Scan(1, "a", images=images), Scan(2, "b", kind="localizer"), Scan(3, "c", kind="derived"))
    session_plan = plan(tmp_path, text, *scans)
    kinds = {each.image.number: each.reason.partition(";")[0] for each in session_plan.ignored_items if each.image}
    assert kinds == {
        **{11: "magnitude", 12: "phase", 13: "real", 14: "fieldmap", 15: "derived", 16: "imaginary"},
        **{21: "localizer", 31: "derived"},
    }


def test_an_image_of_unknown_kind_has_the_kind_of_its_series(tmp_path):
    text = RULE.format(match='kind = "phase"', target="anat/part-phase_T2starw")
    unknown = {"ImageType": None}
    assert plan(tmp_path / "a", text, Scan(1, "a", kind="phase", sidecar=unknown)).is_ready
    images = (Image(sidecar=unknown, kind="phase"), Image("x", sidecar=unknown))
    assert len(plan(tmp_path / "b", text, Scan(1, "a", images=images)).undecided_series) == 1


def test_the_first_matching_rule_decides(tmp_path):
    text = RULE.format(match='name = "a*"', target="anat/T1w") + RULE.format(match='name = "ab"', target="anat/T2w")
    assert names(plan(tmp_path, text, Scan(1, "ab"))) == {11: "anat/T1w"}


def test_captures_and_built_in_names_are_reduced_to_letters_and_digits(tmp_path):
    text = RULE.format(match='protocol = "*{acq}"', target="func/task-{name}_acq-{acq}{number}_bold")
    assert names(plan(tmp_path, text, Scan(4, "n-back (2.5 mm)"))) == {41: "func/task-nback25mm_acq-mm4_bold"}


@pytest.mark.parametrize(
    "match",
    [
        'protocol = "{acq}-*"',
        'guess = "{acq}/*"',
        'coil = "{acq}_*"',
        'CoilString = "{acq}*"',
        'CoilString = [2, "{acq}"]',
    ],
)
def test_the_globs_of_all_keys_capture(tmp_path, match):
    scan = Scan(4, "func-x", guess=("func", "x_bold"), facts={"coil": "func_32"}, sidecar={"CoilString": "func"})
    target = "func/task-x_bold" if match.startswith("CoilString = [") else "func/task-x_acq-{acq}_bold"
    (name,) = names(plan(tmp_path, RULE.format(match=match, target=target), scan)).values()
    assert name in ("func/task-x_bold", "func/task-x_acq-func_bold")


def test_a_glob_can_have_a_range_that_ends_with_a_hyphen():
    pattern = glob_pattern("a[+--]b")
    assert [name for name in ("a+b", "a,b", "a-b", "a.b") if pattern.fullmatch(name)] == ["a+b", "a,b", "a-b"]


def test_a_direction_that_no_pattern_captures_comes_from_the_header(tmp_path):
    text = RULE.format(match='name = "se"', target="fmap/dir-{dir}_epi")
    scan = Scan(4, "se", guess=("fmap", "acq-x_dir-PA_epi"))
    assert names(plan(tmp_path, text, scan)) == {41: "fmap/dir-PA_epi"}


def test_an_empty_label_leaves_the_series_undecided(tmp_path):
    session_plan = plan(tmp_path, RULE.format(match='name = "*"', target="func/task-{name}_bold"), Scan(4, "???"))
    (undecided,) = session_plan.undecided_series
    assert "task- is not valid" in undecided.reason
    text = RULE.format(match='name = "*"', target="func/task-rest_acq-{number}_bold")
    (undecided,) = plan(tmp_path / "b", text, Scan(4, "rest", header={"SeriesNumber": None})).undecided_series
    assert "acq- is not valid" in undecided.reason


def test_par_rec_series_match_by_their_source(tmp_path):
    text = '[[rule]]\nmatch = { source = "parrec" }\nignore = "also DICOM"\n' + RULE.format(
        match='verdict = "complete"', target="anat/T1w"
    )
    scans = (Scan(1, "T1", source=SeriesKind.PARREC), Scan(2, "T1", verdict=SeriesVerdict.COMPLETE))
    assert names(plan(tmp_path, text, *scans)) == {21: "anat/T1w"}
