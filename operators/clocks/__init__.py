"""Whether the clocks of feeds agree."""
