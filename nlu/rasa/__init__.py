"""Rasa as the second engine: a client of its server, and the environment that it is installed in."""
