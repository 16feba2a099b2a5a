"""Philips PAR/REC: header, pairing, and the header under DICOM keywords."""

from qxbatch.parrec.fields import fields
from qxbatch.parrec.header import ParHeader, parse_par, read_par
from qxbatch.parrec.pairing import PairedRows, pair_rows
from qxbatch.parrec.table import par_series_number

__all__ = ["PairedRows", "ParHeader", "fields", "pair_rows", "par_series_number", "parse_par", "read_par"]
