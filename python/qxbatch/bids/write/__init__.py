"""The export: changes are staged and renamed into place, one export at a time."""
