"""How a series' DICOM is stored in the session: one tar.gz a series, a .gz a file, or as it is."""
