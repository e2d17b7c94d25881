"""Measurements, never part of the tests: `uv run python -m bench` lists them."""
