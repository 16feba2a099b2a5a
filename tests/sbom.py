"""Validate a CycloneDX SBOM with the reference implementation."""

import pytest


def faults(text: str) -> str:
    """Return the validation error of the CycloneDX 1.6 schema, or an empty string."""
    reason = "cyclonedx-python-lib is not installed: the SBOM is not validated"
    schema = pytest.importorskip("cyclonedx.schema", reason=reason)
    validation = pytest.importorskip("cyclonedx.validation.json", reason=reason)
    error = validation.JsonStrictValidator(schema.SchemaVersion.V1_6).validate_str(text)
    return "" if error is None else str(error)
