"""Fingerprints of ready entries, which must be readable, finished, and unchanged for `settle` seconds."""

from pathlib import Path

from qxbatch.discover.fingerprint import fingerprint
from qxbatch.discover.judged_entry import JudgedEntry
from qxbatch.discover.path_lengths import max_path_bytes
from qxbatch.discover.split_output import unfinished_split_reason
from qxbatch.discover.unreadable_packets import refuse_unreadable
from qxbatch.model import Candidate, Fingerprint, Packet, Verdict
from qxbatch.settings.model import Settings

_SECOND = 10**9


def with_fingerprint(judged: JudgedEntry, data: Path, settings: Settings, now: int) -> Candidate:
    """Return the candidate of an entry, with the fingerprint of its data (the path `data`) if it is ready.

    A packet that changed less than `settle` seconds ago gets the verdict FILTERED, a folder that `qxbatch split` has not finished
    STRAY, and a packet that cannot be read REFUSED. `now` is the time in ns.
    """
    if not judged.is_ready:
        return _candidate(judged, None)
    if reason := unfinished_split_reason(data):
        return _candidate(judged.with_verdict(Verdict.STRAY, reason), None)
    try:
        # in folder mode (`--masterinbox=none`) with overwrite, all data may be in `dicom`
        absent = data != judged.path and not data.exists()
        current = Fingerprint(0, 0, 0) if absent else fingerprint(data, max_path_bytes(data, settings))
    except OSError as error:
        return _candidate(refuse_unreadable(judged, data, error, settings), None)
    age = (now - current.mtime_ns) / _SECOND
    # times up to `settle` in the future also wait: the clocks of two machines differ; later times are ignored
    if abs(age) < settings.settle:
        waits = judged.with_verdict(
            Verdict.FILTERED, f"changed {max(age, 0):.0f} s ago, waits for --settle={settings.settle:g}"
        )
        return _candidate(waits, None)
    return _candidate(judged._replace(verdict=Verdict.READY), Packet(data, judged.packet_name, current))


def _candidate(judged: JudgedEntry, packet: Packet | None) -> Candidate:
    return Candidate(judged.path, judged.verdict, packet, judged.session, judged.note, judged.problem)
