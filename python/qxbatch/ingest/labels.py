"""The label that stands for a patient in file names."""

import re

MAX_LENGTH = 64


def clean_label(text: str) -> str:
    """Return text as a part of a file name: ASCII letters, digits and `._+-`, at most 64 characters; may be empty.

    >>> clean_label(" Müller^Anna: 3 ")
    'M_ller_Anna_3'
    """
    cleaned = re.sub(r"[^A-Za-z0-9._+-]+", "_", text.strip()).strip("._-")
    return cleaned[:MAX_LENGTH]


def patient_label(patient_id: str, session_id: str, *, deidentified: bool) -> str:
    """Return the label of a patient's files: the PatientID, or the session id with `deidentified` or without a usable PatientID."""
    if deidentified:
        return clean_label(session_id)
    return clean_label(patient_id) or clean_label(session_id)
