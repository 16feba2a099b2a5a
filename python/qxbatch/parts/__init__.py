"""The parts as commands: `qxbatch <part>` runs `qxbatch.parts.<part>.run(options)`."""
