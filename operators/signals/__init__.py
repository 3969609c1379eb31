"""Decisions drawn from spreads."""
