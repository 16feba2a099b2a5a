"""A finished session: the names of its files, its summary, its ledger, and the folder as a whole."""
