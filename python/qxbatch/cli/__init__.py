"""The command line: grammar, help texts, and the wording of misuse. Only here is docopt known."""
