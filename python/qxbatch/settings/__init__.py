"""What the user asked for: the table of parameters, the config file, and the typed settings made of them."""
