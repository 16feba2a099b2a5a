"""The message about a submission."""

from qxbatch.cluster.submission import Submission
from qxbatch.cluster.submit import SubmitResult
from qxbatch.counted import counted
from qxbatch.visible import one_line, shell_word


def submitted_text(submission: Submission, sessions: int, submitted: SubmitResult, seconds: float | None = None) -> str:
    """Return what was submitted, and the next command.

    `sessions` is the number of sessions to submit, including those that the scheduler refused; `seconds`, if given, is the
    duration of the submission.
    """
    folder = shell_word(str(submission.sessionsfolder))
    sessions_text = counted(sessions - submitted.remaining_count, "session")
    lines = [
        f"Submitted to {submission.scheduler.name}: {sessions_text} in {counted(submitted.task_count, 'task')}, "
        f"jobs {', '.join(submitted.jobs)}{'' if seconds is None else f' ({seconds:.1f} s)'}."
    ]
    if submitted.remaining_count:
        lines.append(
            f"{counted(submitted.remaining_count, 'more session')} will be submitted by the last job, since the scheduler refused "
            f"them now: {one_line(submitted.refusal)}"
        )
    lines.append(f"To list their states: qxbatch jobs {folder}")
    return "\n".join(lines)
