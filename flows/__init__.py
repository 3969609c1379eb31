"""Configuration to graph to chain to bytewax dataflow, and the command line."""
