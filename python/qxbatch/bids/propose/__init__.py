"""A rule file proposed from a study."""
