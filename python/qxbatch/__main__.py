"""`python -m qxbatch` is the command `qxbatch`."""

from qxbatch.cli.main import main

raise SystemExit(main())
