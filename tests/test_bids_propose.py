"""A rule file proposed from a study decides every series and gives a reason."""

import pytest

from qxbatch.acquisition import SeriesVerdict
from qxbatch.bids.decide.decision import decide
from qxbatch.bids.propose.proposal import propose
from qxbatch.bids.propose.recognise import reproin_target
from qxbatch.bids.schema.names import load_schema
from qxbatch.bids.schema.required import missing_fields
from qxbatch.model import SeriesKind
from qxbatch.problems import UsageError
from qxbatch.session.folder import SessionFolder
from tests.build.bids import Image, Scan, names, rules, session

ASL = Scan(
    8, "pcasl", "11:00:00", volumes=20, guess=("perf", "acq-x_asl"), sidecar={"ArterialSpinLabelingType": "PCASL"}
)
USUAL = (
    Scan(1, "localizer", "09:50:00", kind="localizer", verdict=SeriesVerdict.NOT_EVALUABLE),
    Scan(2, "T1w_MPRAGE", "10:00:00", guess=("anat", "acq-tfl3_run-2_T1w")),
    Scan(3, "rest_SBRef", "10:05:00", guess=("func", "acq-x_dir-AP_sbref")),
    Scan(4, "rest", "10:05:20", 300, volumes=200, guess=("func", "acq-x_dir-AP_bold")),
    Scan(5, "se_AP", "10:20:00", guess=("fmap", "acq-x_dir-AP_epi"), sidecar={"PhaseEncodingDirection": "j-"}),
    Scan(6, "se_PA", "10:21:00", guess=("fmap", "acq-x_dir-PA_epi"), sidecar={"PhaseEncodingDirection": "j"}),
    Scan(7, "dti", "10:30:00", 300, volumes=3, bvals=(0, 1000, 1000)),
    Scan(9, "dti_ADC", "10:30:00", kind="derived"),
)


def exported(tmp_path, *scans):
    """Return the paths that a proposed rule file gives to a session's images, and its text."""
    folders = [session(tmp_path, "S01", *scans)]
    text = propose(folders)
    (session_plan,) = decide(folders, rules(tmp_path, text))
    assert session_plan.undecided_series == ()
    return names(session_plan), text


def test_a_proposal_can_be_used_unchanged(tmp_path):
    paths, _text = exported(tmp_path, *USUAL)
    assert paths == {
        21: "anat/T1w",
        31: "func/task-rest_sbref",
        41: "func/task-rest_bold",
        51: "fmap/dir-AP_epi",
        61: "fmap/dir-PA_epi",
        71: "dwi/dwi",
    }
    assert missing_fields(load_schema(), "fmap", "epi", {}) == ["PhaseEncodingDirection"]


@pytest.mark.parametrize(
    ("target", "sidecar", "missing"),
    [
        ("func/bold", {"RepetitionTime": 2}, []),
        ("func/bold", {}, ["RepetitionTime"]),
        ("anat/VFA", {"FlipAngle": 5, "PulseSequenceType": "x", "RepetitionTime": 0.02}, []),
        ("anat/VFA", {"FlipAngle": 5, "PulseSequenceType": "x"}, ["RepetitionTimeExcitation"]),
        ("fmap/phase1", {}, ["EchoTime"]),
        ("anat/T1w", {}, []),
        (
            "perf/asl",
            {
                "ArterialSpinLabelingType": "PASL",
                "PostLabelingDelay": 1,
                "BackgroundSuppression": True,
                "MagneticFieldStrength": 3,
                "MRAcquisitionType": "2D",
                "EchoTime": 0.01,
                "RepetitionTime": 3,
                "BolusCutOffFlag": True,
            },
            ["SliceTiming", "BolusCutOffDelayTime", "BolusCutOffTechnique"],
        ),
    ],
)
def test_missing_fields_that_bids_requires_are_found(target, sidecar, missing):
    datatype, _slash, suffix = target.partition("/")
    assert missing_fields(load_schema(), datatype, suffix, sidecar) == missing


def test_each_proposal_has_its_reason_as_a_comment(tmp_path):
    _paths, text = exported(tmp_path, *USUAL)
    assert text.startswith("# Rules of the BIDS export, proposed from 1 session. ")
    heads = [line for line in text.splitlines() if line.startswith("[[rule]]")]
    assert all("# " in head and " series in 1 session: " in head for head in heads)
    assert "[[rule]]  # BidsGuess; 1 series in 1 session: T1w_MPRAGE" in heads
    assert "[[rule]]  # b-values; 1 series in 1 session: dti" in heads


def test_asl_without_its_required_fields_is_ignored_and_the_fields_are_named(tmp_path):
    paths, text = exported(tmp_path, *USUAL, ASL)
    assert 81 not in paths
    (line,) = (line for line in text.splitlines() if "LabelingDuration" in line)
    for field in ("PostLabelingDelay", "BackgroundSuppression", "the context of its volumes are in no header"):
        assert field in line


def test_reproin_names_give_targets(tmp_path):
    scans = (Scan(2, "func_task-faces_acq-mb8_run-01", volumes=9), Scan(3, "anat-T2w_acq-spc", "11:00:00"))
    paths, text = exported(tmp_path, *scans)
    assert paths == {21: "func/task-faces_acq-mb8_bold", 31: "anat/acq-spc_T2w"}
    assert text.count("# ReproIn;") == 2


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("WIP func-bold_task-rest_dir-AP", "func/task-rest_dir-AP_bold"),
        ("fmap_acq-4mm_dir-PA__dup", "fmap/acq-4mm_dir-PA_epi"),
        ("anat-scout", "anat/scout"),
        ("dwi", ""),
        ("functional", ""),
    ],
)
def test_only_reproin_names_give_a_target(name, target):
    assert reproin_target(name) == target


def test_scans_sent_twice_are_exported_once(tmp_path):
    scans = [Scan(number, "T1", "10:00:00", guess=("anat", "T1w")) for number in (2, 3)]
    paths, text = exported(tmp_path, *scans, Scan(4, "T1", "11:00:00", guess=("anat", "T1w")))
    assert paths == {31: "anat/run-1_T1w", 41: "anat/run-2_T1w"}
    assert 'copies = "complete"' in text


def test_the_complete_one_of_two_copies_is_proposed(tmp_path):
    complete = Scan(2, "T1", "10:00:00", guess=("anat", "T1w"))
    incomplete = Scan(3, "T1", "10:00:00", guess=("anat", "T1w"), verdict=SeriesVerdict.INCOMPLETE)
    paths, _text = exported(tmp_path, complete, incomplete)
    assert paths == {21: "anat/T1w"}


@pytest.mark.parametrize(("count", "names_of_parts"), [(2, "31 and 32"), (5, "31, 32, 33 and 2 more")])
def test_parts_of_one_series_are_ignored_and_named(tmp_path, count, names_of_parts):
    parts = Scan(3, "T1", "11:00:00", guess=("anat", "T1w"), images=count * (Image(),))
    paths, text = exported(tmp_path, Scan(2, "T1", "10:00:00", guess=("anat", "T1w")), parts)
    assert paths == {21: "anat/T1w"}
    assert "copies" not in text
    assert f'ignore = "images {names_of_parts} of series 3 (T1) would have one path"' in text


def test_one_volume_is_not_a_time_series(tmp_path):
    paths, text = exported(tmp_path, Scan(4, "rest", volumes=1, guess=("func", "bold")))
    assert paths == {}
    assert 'ignore = "one volume is not a time series"' in text


def test_par_rec_is_ignored_if_the_same_scan_exists_as_dicom(tmp_path):
    dicom = Scan(401, "T1", guess=("anat", "T1w"))
    paths, text = exported(tmp_path, dicom, Scan(401, "T1 SENSE", source=SeriesKind.PARREC, n=104010))
    assert paths == {4011: "anat/T1w"}
    assert 'ignore = "the same scans exist as DICOM"' in text


def test_par_rec_series_are_recognised_by_their_parameters(tmp_path):
    scans = (
        Scan(201, "EPI", volumes=100, source=SeriesKind.PARREC),
        Scan(301, "3D TFE", tr=8.0, te=3.5, source=SeriesKind.PARREC),
        Scan(401, "TSE", tr=3000.0, te=80.0, source=SeriesKind.PARREC),
        Scan(501, "a FLAIR", tr=9000.0, te=125.0, source=SeriesKind.PARREC),
        Scan(601, "unknown", tr=10.0, te=9.0, source=SeriesKind.PARREC),
    )
    paths, _text = exported(tmp_path, *scans)
    assert paths == {2011: "func/task-EPI_bold", 3011: "anat/T1w", 4011: "anat/T2w", 5011: "anat/FLAIR"}


def test_many_tasks_share_a_rule(tmp_path):
    scans = [Scan(k, f"task{k}", f"10:{k:02}:00", 30, volumes=9, guess=("func", "bold")) for k in range(1, 10)]
    paths, text = exported(tmp_path, *scans)
    assert paths[11] == "func/task-task1_bold"
    assert text.count("[[rule]]") == 1
    assert 'as = "func/task-{task}_bold"' in text


def test_a_rule_for_an_ambiguous_name_also_matches_the_parameters(tmp_path):
    scans = (Scan(2, "unnamed", "10:00:00", tr=8.0, te=3.5), Scan(3, "unnamed", "11:00:00", tr=4000.0, te=12.0))
    paths, text = exported(tmp_path, *scans)
    assert paths == {21: "anat/T1w"}
    assert "not recognised" in text


def test_images_of_other_modalities_are_ignored(tmp_path):
    paths, text = exported(tmp_path, Scan(2, "CT head", header={"Modality": "CT"}))
    assert paths == {}
    assert 'match = { modality = ["CT"] }' in text


def test_a_phase_difference_with_one_unknown_echo_time_is_not_proposed(tmp_path):
    scans = (
        Scan(
            2,
            "gre",
            "10:00:00",
            60,
            te=None,
            images=(Image("e1"), Image("e2", 4.9)),
            guess=("fmap", "magnitude1"),
            facts={"te_ms": (2.5, 4.9)},
        ),
        Scan(3, "gre", "10:00:00", 60, kind="phase", te=None, guess=("fmap", "phasediff")),
    )
    paths, text = exported(tmp_path, *scans)
    assert "fmap/phasediff" not in paths.values()
    assert "EchoTime1 and EchoTime2 are in no header" in text


def test_magnitude_and_phase_of_a_field_map_share_one_rule(tmp_path):
    phase = Image("e2_ph", 7.0, kind="phase", sidecar={"EchoTime1": 0.004, "EchoTime2": 0.007})
    scans = (
        Scan(2, "gre", "10:00:00", 60, images=(Image("e1", 4.0), Image("e2", 7.0)), guess=("fmap", "magnitude1")),
        Scan(3, "gre", "10:00:00", 60, kind="phase", te=7.0, images=(phase,), guess=("fmap", "phasediff")),
    )
    paths, text = exported(tmp_path, *scans)
    assert paths == {21: "fmap/magnitude1", 22: "fmap/magnitude2", 31: "fmap/phasediff"}
    assert text.count("[[rule]]") == 1


def test_sbrefs_have_the_run_numbers_of_their_task(tmp_path):
    paths, _text = exported(
        tmp_path,
        Scan(3, "fMRI_rest_run1_SBRef", "10:00:00", guess=("func", "acq-x_sbref")),
        Scan(4, "fMRI_rest_run1", "10:00:10", 60, volumes=9, guess=("func", "acq-x_bold")),
        Scan(5, "fMRI_rest_run2_SBRef", "10:10:00", guess=("func", "acq-x_sbref")),
        Scan(6, "fMRI_rest_run2", "10:10:10", 60, volumes=9, guess=("func", "acq-x_bold")),
    )
    assert paths == {
        31: "func/task-rest_run-1_sbref",
        41: "func/task-rest_run-1_bold",
        51: "func/task-rest_run-2_sbref",
        61: "func/task-rest_run-2_bold",
    }


def test_polarities_in_names_are_not_runs(tmp_path):
    paths, _text = exported(
        tmp_path,
        Scan(4, "rest_AP", "10:00:10", 60, volumes=9, guess=("func", "acq-x_dir-AP_bold")),
        Scan(6, "rest_PA", "10:10:10", 60, volumes=9, guess=("func", "acq-x_dir-PA_bold")),
    )
    assert paths == {41: "func/task-rest_dir-AP_bold", 61: "func/task-rest_dir-PA_bold"}


def test_a_b0_image_of_the_opposite_polarity_without_b_values_is_a_field_map(tmp_path):
    polarity = {"PhaseEncodingDirection": "j"}
    paths, _text = exported(
        tmp_path,
        Scan(4, "dwi_AP", "10:00:10", 60, volumes=3, bvals=(0, 1000, 1000), guess=("dwi", "acq-x_dir-AP_dwi")),
        Scan(5, "dwi_PA", "10:10:10", guess=("dwi", "acq-x_dir-PA_dwi"), sidecar=polarity),
    )
    assert paths == {41: "dwi/dwi", 51: "fmap/dir-PA_epi"}


def test_series_without_a_bids_guess_are_recognised_by_name(tmp_path):
    paths, _text = exported(
        tmp_path,
        Scan(2, "gre_field_mapping", "10:00:00", 60, images=(Image("e1", 4.92), Image("e2", 7.38))),
        Scan(3, "gre_field_mapping", "10:00:00", 60, kind="phase", te=7.38),
        Scan(4, "rest_SBRef", "10:10:00"),
        Scan(5, "rest", "10:10:09", 60, volumes=9),
        Scan(6, "field_map", "10:20:00", kind="phase", te=7.38),
    )
    assert paths == {
        21: "fmap/magnitude1",
        22: "fmap/magnitude2",
        31: "fmap/phasediff",
        41: "func/task-rest_sbref",
        51: "func/task-rest_bold",
    }


def test_an_sbref_without_a_run_is_ignored(tmp_path):
    scans = (
        Scan(3, "rest", "10:00:00", 60, volumes=9, guess=("func", "bold")),
        Scan(4, "rest", "10:09:00", guess=("func", "sbref")),
    )
    paths, _text = exported(tmp_path, *scans)
    assert paths == {31: "func/task-rest_bold"}


def test_sessions_with_the_same_label_get_different_ones(tmp_path):
    folders = [session(tmp_path, name, USUAL[1], subject=name) for name in ("S-1", "S_1", "S1")]
    folders.append(session(tmp_path, "again", USUAL[1], subject="S_1"))
    plans = decide(folders, rules(tmp_path, propose(folders)))
    assert [each.problem for each in plans] == [""] * 4
    assert len({(each.subject_label, each.session_label) for each in plans}) == 4
    assert len({each.subject_label for each in plans}) == 3


def test_sessions_with_the_same_label_have_no_undecided_series(tmp_path):
    parts = Scan(4, "rest", volumes=9, guess=("func", "bold"), images=(Image(), Image("a")))
    folders = [session(tmp_path, name, parts, subject="P1") for name in ("S1", "S2")]
    plans = decide(folders, rules(tmp_path, propose(folders)))
    assert [(plan.problem, plan.undecided_series) for plan in plans] == [("", ())] * 2


@pytest.mark.parametrize(
    ("name", "guess", "reason"),
    [("scout", "x_phasediff", "localizer by its name"), ("map", "x_other", "not recognised: say what it is")],
)
def test_a_computed_image_that_cannot_be_exported_is_ignored(tmp_path, name, guess, reason):
    paths, text = exported(tmp_path, Scan(2, name, kind="derived", guess=("fmap", guess)))
    assert paths == {}
    assert f'ignore = "{reason}"' in text


@pytest.mark.parametrize("labels", [("a", "a", "a1"), ("a", "A", "b"), (None, None, "1")])
def test_a_new_label_of_a_session_is_not_that_of_another_session(tmp_path, labels):
    folders = [
        session(tmp_path, f"S{k}", Scan(2, "t1", guess=("anat", "_T1w")), subject="P1", ses=ses)
        for k, ses in enumerate(labels)
    ]
    plans = decide(folders, rules(tmp_path, propose(folders)))
    assert [plan.problem for plan in plans] == ["", "", ""]
    assert len({plan.session_label.casefold() for plan in plans}) == 3


def test_the_same_sessions_give_the_same_text(tmp_path):
    folders = [session(tmp_path, name, *USUAL, ASL) for name in ("A", "B")]
    assert propose(folders) == propose(folders)


def test_a_damaged_session_does_not_change_the_proposal(tmp_path):
    folders = [session(tmp_path, name, *USUAL) for name in ("A", "B")]
    damaged = session(tmp_path, "C", *USUAL)
    damaged.paths.summary.unlink()
    assert propose([*folders, SessionFolder(damaged.path)]) == propose(folders)


def test_a_series_that_is_invalid_in_one_session_is_exported_from_the_others(tmp_path):
    valid = Scan(4, "rest", volumes=9, guess=("func", "bold"))
    folders = [
        session(tmp_path, "A", valid),
        session(tmp_path, "B", Scan(4, "rest", volumes=9, guess=("func", "bold"), tr=None)),
    ]
    text = propose(folders)
    first, second = decide(folders, rules(tmp_path, text))
    assert (names(first), names(second)) == ({41: "func/task-rest_bold"}, {})
    assert 'match = { name = "rest", session = ["B"] }\nignore = "RepetitionTime is in no header"' in text


def test_a_series_without_a_required_entity_is_ignored_with_the_reason(tmp_path):
    paths, text = exported(
        tmp_path, Scan(4, "megre", te=None, guess=("anat", "acq-x_MEGRE"), sidecar={"EchoTime": None})
    )
    assert paths == {}
    assert 'ignore = "EchoTime is in no header"' in text
    mts = Scan(4, "mts", guess=("anat", "acq-x_MTR"))
    paths, text = exported(tmp_path / "mt", mts)
    assert paths == {}
    assert 'match = { name = "mts", session = "S01", n = 40 }\nignore = "anat/MTR: it needs the entity mt"' in text


def test_a_task_without_letters_is_ignored_with_the_reason(tmp_path):
    scans = [
        Scan(k, name, f"10:0{k}:00", 30, volumes=9, guess=("func", "bold")) for k, name in ((4, "rest"), (5, "???"))
    ]
    paths, text = exported(tmp_path, *scans)
    assert paths == {41: "func/task-rest_bold"}
    assert "task- is not valid" in text


def test_a_study_without_images_is_refused(tmp_path):
    with pytest.raises(UsageError, match="no images to propose rules from"):
        propose([session(tmp_path, "A")])


def test_a_computed_field_map_in_hertz_is_exported_with_its_magnitude_image(tmp_path):
    hertz = Image("e1_fieldmaphz", sidecar={"ImageType": ["DERIVED", "PRIMARY", "FIELDMAPHZ"]})
    scan = Scan(3, "B0map", kind="derived", images=(Image("e1"), hertz), guess=("fmap", "fieldmap"))
    paths, text = exported(tmp_path, scan, Scan(4, "fa", "10:10:00", kind="derived"))
    assert paths == {31: "fmap/magnitude", 32: "fmap/fieldmap"}
    assert 'ignore = "computed by the scanner"' in text


def test_diffusion_scans_of_opposite_polarities_get_directions_and_correct_each_other(tmp_path):
    scans = [
        Scan(number, f"dti_{name}", start, seconds, bvals=bvals, volumes=volumes, guess=("dwi", f"dir-{name}_{suffix}"))
        for number, name, start, seconds, bvals, volumes, suffix in (
            (1, "AP", "10:00:00", 2, (), 1, "sbref"),
            (2, "AP", "10:00:05", 60, (0, 1000), 2, "dwi"),
            (3, "PA", "10:05:00", 2, (), 1, "sbref"),
            (4, "PA", "10:05:05", 20, (0, 0), 2, "dwi"),
        )
    ]
    paths, text = exported(tmp_path, *scans)
    assert paths == {
        11: "dwi/dir-AP_sbref",
        21: "dwi/dir-AP_dwi",
        31: "dwi/dir-PA_sbref",
        41: "dwi/dir-PA_dwi",
    }
    assert 'serves = { write = ["B0FieldIdentifier"] }' in text


@pytest.mark.parametrize("name", ["FAST LOCALIZER", "T/S/C RF FAST PILOT", "AAHead_Scout", "Survey_32ch", "3Plane Loc"])
def test_a_series_named_as_a_localizer_is_ignored(tmp_path, name):
    paths, text = exported(tmp_path, Scan(1, name, te=4, tr=8), Scan(2, "t1_mprage", "10:10:00"))
    assert paths == {21: "anat/T1w"}
    assert "localizer by its name" in text
