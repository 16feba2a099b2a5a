"""The records in a session folder: image names and numbers, session.txt, reports, ledger, summary."""
