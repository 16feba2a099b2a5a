"""Imports the MR packets of a study: each becomes a session with sorted DICOM, NIfTI images and session.txt.

For scripts and notebooks: `scan`, `open_session`, `import_packets` and `verify` (docs/python-api.md). All else is private.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from qxbatch.api import (
        ExitStatus,
        ImportParameters,
        ImportResult,
        ScannedPath,
        ScannedSeries,
        SessionFolder,
        UsageError,
        Verified,
        import_packets,
        open_session,
        scan,
        verify,
    )

    __version__: str

__all__ = [
    "ExitStatus",
    "ImportParameters",
    "ImportResult",
    "ScannedPath",
    "ScannedSeries",
    "SessionFolder",
    "UsageError",
    "Verified",
    "__version__",
    "import_packets",
    "open_session",
    "scan",
    "verify",
]

if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        """Load the interface when one of its names is first used: the command `qxbatch --help` has to start fast."""
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        if name == "__version__":
            from qxbatch.core import VERSION

            return VERSION
        from qxbatch import api

        return getattr(api, name)

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
