"""report.html of a session and of a study, and the pictures of images."""
