"""The functions of flambeau.nn.functional, one family per file."""
