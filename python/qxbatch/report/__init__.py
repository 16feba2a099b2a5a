"""Reports of a run, before, during and after the import: terminal, log, JSON summary, exit status."""
