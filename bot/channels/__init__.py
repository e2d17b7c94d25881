"""One module per channel; SDK objects stop here."""
