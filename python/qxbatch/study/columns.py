"""The columns of study.tsv."""

COLUMNS = {
    "session_id": "Name of the session folder",
    "subject": "Subject of the session",
    "session": "Session name, where the id has one",
    "state": "complete: no errors or warnings; review: there are warnings; failed: a series did not convert, or there is "
    "another error; sorted: not converted; incomplete: there is no readable summary, or there are images without "
    "session.txt",
    "scanned": "Day of the earliest study, YYYYMMDD",
    "scanner": "Manufacturer and model of the scanner of most series; further scanners follow after a semicolon",
    "series": "Number of series, with images or without",
    "converted": "Number of series that became images",
    "partial": "Number of series that became images in part",
    "nothing_to_convert": "Number of series with nothing to convert",
    "failed": "Number of series whose conversion failed",
    "images": "Number of NIfTI images",
    "files": "Number of files of the packets, those in archives counted",
    "bytes": "Size of the series' DICOM or PAR/REC, in bytes",
    "errors": "Number of problems that are errors",
    "warnings": "Number of problems that are warnings",
    "differences": "Number of series, parameters and volumes that differ from the majority of the study; n/a: not compared",
    "bids": "Whether the export to BIDS is up to date; n/a: the study was not exported",
    "packets": "File names of the packets",
    "qxbatch": "Version that made the session",
}
"""Maps the name of each column to its meaning, in the order of the table."""
COLUMNS_BEYOND_SUMMARY = ("differences", "bids")
"""Columns that depend on more than the session: on the other sessions, and on exports to BIDS."""
