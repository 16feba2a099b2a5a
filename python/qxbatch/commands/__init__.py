"""The commands: `qxbatch <command>` runs `qxbatch.commands.<command>.run(options)`."""
