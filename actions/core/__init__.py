"""Contract and shared tables of everything the assistant can do."""
