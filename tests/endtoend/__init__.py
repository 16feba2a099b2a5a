"""Whole runs of the command on whole packets; judge.py and session_reader.py check sessions without code of qxbatch."""
