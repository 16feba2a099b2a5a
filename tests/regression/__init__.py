"""The sample data sets compared with their expectations, and with readers that share no code with qxbatch."""
