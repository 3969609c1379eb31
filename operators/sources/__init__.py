"""Inputs of a dataflow: the only readers of the outside world."""
