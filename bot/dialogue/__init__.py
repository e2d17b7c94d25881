"""Dialogue: state, policy and forms as pure functions of (state, parse, now)."""
