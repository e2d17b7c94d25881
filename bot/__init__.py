"""The running assistant: channels, turns, delivery, and the composition root."""
