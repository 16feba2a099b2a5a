"""The command line: grammar, help texts, and messages about misuse. No other package uses docopt."""
