"""Positions and equity."""
