"""What sidecars say: fields of BIDS that the session's sidecar does not have, and the links of field maps."""
