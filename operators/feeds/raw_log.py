"""Input logs made of messages, for examples and tests."""

import numpy as np

from schemas.market import RAW, RawFrame

START_NS = 1_723_161_254 * 10**9


def raw_frame(log: list[tuple[int, bytes]], first: int = 1) -> RawFrame:
    """(feed, message) pairs as entries `first`, `first + 1`, … of an input log, one millisecond apart."""
    rows = np.zeros(len(log), RAW.dtype)
    rows["cause"] = np.arange(first, first + len(log))
    rows["ts"] = START_NS + rows["cause"] * 10**6
    rows["feed"] = [feed for feed, _ in log]
    rows["size"] = [len(message) for _, message in log]
    rows["start"] = np.cumsum(rows["size"]) - rows["size"]
    return RawFrame(rows, np.frombuffer(b"".join(message for _, message in log), np.uint8))


def arrived(rng: np.random.Generator, fate: float, message: bytes) -> list[bytes]:
    """What arrives of a message, by a random number below 1: nothing, it twice, a byte wrong; mostly itself."""
    if fate < 0.02:
        return []
    if fate < 0.04:
        return [message, message]
    if fate < 0.07:
        at = int(rng.integers(len(message)))
        return [message[:at] + bytes([int(rng.integers(256))]) + message[at + 1 :]]
    return [message]
