"""The facts of each image of a session, with which rules are compared, and its time of acquisition."""
