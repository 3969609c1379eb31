"""Outputs of a dataflow: the only writers to the outside world."""
