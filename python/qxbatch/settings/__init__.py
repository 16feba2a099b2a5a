"""The request of the user: the table of parameters, the config file, and the typed settings made from them."""
