"""Builders of DICOM, PAR/REC, packets and study folders: the same bytes each time."""
