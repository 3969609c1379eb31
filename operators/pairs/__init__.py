"""Pair spreads."""
