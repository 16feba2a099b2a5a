"""qxbatch: a study's incoming MR packets become sorted DICOM, NIfTI images and session.txt."""
