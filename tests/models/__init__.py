"""The models of the embedded engine, and which one runs."""
