"""What is on disk against the ledger."""
