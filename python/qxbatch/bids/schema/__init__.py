"""The BIDS schema: names of images, and required fields of sidecars."""
