"""Whole runs of the command on whole packets, checked by readers that share no code with qxbatch."""
