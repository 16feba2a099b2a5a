"""The content of the inbox, or of session folders, and what to do with each entry."""
