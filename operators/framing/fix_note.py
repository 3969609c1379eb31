"""What a live FIX session notes of itself in the input log, between the messages of the venue.

A note starts with a zero byte, which starts no message, and a word.
"""

SENT = b"\0out"
"""Before a message of our own, without passwords, that is about to be sent."""

ENDED = b"\0end"
"""Before why the connection is gone: nothing that was told on it is sure to hold still."""
