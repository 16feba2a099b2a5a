"""Reports for people: before, during and after the import."""
