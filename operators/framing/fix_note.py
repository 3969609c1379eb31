"""What a live FIX session notes of itself in the input log, between the messages of the venue."""

SENT = b"\0out"
"""Before a message of our own, without passwords, that is about to be sent. A zero byte starts no message."""
