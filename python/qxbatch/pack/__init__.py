"""Storage of a series' DICOM in the session: one tar.gz per series, a .gz per file, or unpacked."""
