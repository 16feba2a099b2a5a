"""The export: changes are staged and renamed into place under a lock."""
