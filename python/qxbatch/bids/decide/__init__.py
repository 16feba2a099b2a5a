"""The plan of each session: groups of images, and the path of each image."""
