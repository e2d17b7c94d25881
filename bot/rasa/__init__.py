"""`bot rasa …`: Rasa installed, trained and served; its project is generated from our own data."""
