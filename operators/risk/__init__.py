"""Checks before and after every order."""
