"""Days as DICOM and PAR headers write them."""

from datetime import datetime


def calendar_day(text: object) -> str:
    """Return a day of the calendar as YYYYMMDD; empty if the text is not a day, as after anonymization.

    >>> calendar_day("20240115"), calendar_day("1997.04.24"), calendar_day("***"), calendar_day("20241332"), calendar_day(None)
    ('20240115', '19970424', '', '', '')
    """
    digits = str(text or "").replace(".", "").replace("-", "").strip()
    try:
        datetime.strptime(digits, "%Y%m%d")
    except ValueError:
        return ""
    return digits if len(digits) == len("YYYYMMDD") else ""
