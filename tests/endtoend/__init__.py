"""Whole runs of the command on whole packets, judged by readers that share no code with the program."""
