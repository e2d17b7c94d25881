"""What the assistant can do: the intent handlers, their rules and their records."""
