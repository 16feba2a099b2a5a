"""Identifies the patients of a reading (packets that the core has read), numbers the series, gives files their final names."""
