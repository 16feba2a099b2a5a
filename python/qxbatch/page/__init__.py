"""The page of a session: report.html with a picture of every image."""
