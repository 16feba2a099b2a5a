"""What the session says of each image: the facts that rules are compared with, and the time of acquisition."""
