"""BIDS sidecars: adds the fields that the session's sidecars lack, and the links of field maps."""
