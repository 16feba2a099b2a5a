"""Philips PAR/REC: header, pairing, and the header under DICOM keywords."""

from qxbatch.parrec.fields import fields
from qxbatch.parrec.header import ParHeader, parse_par, read_par
from qxbatch.parrec.pairing import Pair, pair
from qxbatch.parrec.table import par_series_number

__all__ = ["Pair", "ParHeader", "fields", "pair", "par_series_number", "parse_par", "read_par"]
