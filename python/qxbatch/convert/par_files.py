"""The PAR and the REC in a series folder."""

from pathlib import Path


def par_and_rec(folder: Path) -> tuple[Path, Path]:
    """Return the PAR and the REC, extensions in any case. Raises ValueError unless there is exactly one of each."""
    files = sorted(folder.iterdir())
    pars = [path for path in files if path.suffix.casefold() == ".par"]
    recs = [path for path in files if path.suffix.casefold() == ".rec"]
    if len(pars) != 1:
        raise ValueError("there is no PAR header" if not pars else f"there are {len(pars)} PAR headers")
    if len(recs) != 1:
        raise ValueError("the PAR has no REC" if not recs else f"there are {len(recs)} REC files")
    return pars[0], recs[0]
