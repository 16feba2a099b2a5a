"""The sample data sets against their expectations, and against readers that share no code with the program."""
