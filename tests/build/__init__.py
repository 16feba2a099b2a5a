"""Builders of DICOM, PAR/REC, packets and study folders, with reproducible bytes."""
