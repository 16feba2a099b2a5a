"""The files of a data set: which should exist, and which the export wrote."""
