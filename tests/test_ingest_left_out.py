"""Members left out of a packet, divided among its sessions."""

from qxbatch.ingest.left_out import Cause, LeftOut, LeftOutMember


def test_only_the_session_with_the_limited_archive_is_imported_again_with_a_larger_limit() -> None:
    members = (LeftOutMember(0, Cause.LIMITED_ARCHIVE, "a.zip"), LeftOutMember(1, Cause.EMPTY, "b.dcm"))
    left_out = LeftOut(members, exceeded_parameters=("max_total",))
    assert left_out.of_rows({0}).exceeded_parameters == ("max_total",)
    [problem] = left_out.of_rows({1}).problems("S2")
    assert problem.hint.startswith(
        "Copy these files again from their source. Importing the same packet again changes nothing"
    )


def test_a_limit_that_no_option_raises_is_not_to_be_raised() -> None:
    members = (LeftOutMember(0, Cause.LIMITED_ARCHIVE, "a.zip"),)
    [problem] = LeftOut(members).problems("S1")
    assert problem.hint.startswith(
        "Unpack an archive above a limit into the packet. Importing the same packet again changes"
    )
    [problem] = LeftOut(members, exceeded_parameters=("max_nesting",)).problems("S1")
    assert "raise the limit" in problem.hint
