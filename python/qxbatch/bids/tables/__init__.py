"""Tables of a data set: scans.tsv, sessions.tsv, participants.tsv."""
