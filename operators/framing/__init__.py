"""How messages travel: the session protocols below a feed, as pure state machines. Bytes in, messages out."""
