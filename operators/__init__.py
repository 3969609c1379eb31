"""Pure state machines, a folder per part of the domain. Only `sources` and `sinks` do I/O."""
