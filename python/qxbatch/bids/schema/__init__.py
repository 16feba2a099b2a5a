"""What the BIDS schema says: names of images, and required fields of sidecars."""
