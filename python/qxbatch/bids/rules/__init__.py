"""The rule file: read, checked by the BIDS schema, and compared with images."""
