"""The rule file: parsing, checks by the BIDS schema, and comparison with images."""
