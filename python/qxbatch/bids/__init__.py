"""Export of finished sessions to a BIDS raw data set."""
