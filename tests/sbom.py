"""Whether a text is a CycloneDX SBOM, by the reference implementation."""

import pytest


def faults(text: str) -> str:
    """Return what the schema of CycloneDX 1.6 finds wrong; empty where it finds nothing."""
    reason = "cyclonedx-python-lib is not installed: the SBOM is not validated"
    schema = pytest.importorskip("cyclonedx.schema", reason=reason)
    validation = pytest.importorskip("cyclonedx.validation.json", reason=reason)
    wrong = validation.JsonStrictValidator(schema.SchemaVersion.V1_6).validate_str(text)
    return "" if wrong is None else str(wrong)
