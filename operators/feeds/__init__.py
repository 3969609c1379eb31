"""Wire formats decoded into normalised market events."""
