"""Understanding of one message: text -> Parse. A pure library that imports nothing of the rest of the project."""
