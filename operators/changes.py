"""Input that changes rarely what an operator does with the rest: the rest, cut where it does."""

from collections.abc import Iterator

import numpy as np

from operators.operator import Frames
from schemas.market import RawFrame
from schemas.record import Frame


def between(frames: Frames, port: str) -> Iterator[tuple[Frame, Frames]]:
    """The rows of `port` of one cause after the other, each with the other frames from that cause to the next one.

    What comes before the first of them comes first, with no rows. Of one cause, what changes comes before what
    it changes.
    """
    changes = frames[port]
    assert not isinstance(changes, RawFrame)
    others = {name: frame for name, frame in frames.items() if name != port and not isinstance(frame, RawFrame)}
    causes, firsts = np.unique(changes["cause"], return_index=True)
    edges = {name: [0, *np.searchsorted(frame["cause"], causes), len(frame)] for name, frame in others.items()}
    firsts = np.array([0, *firsts, len(changes)])
    for i in range(len(causes) + 1):
        piece = {name: frame[edges[name][i] : edges[name][i + 1]] for name, frame in others.items()}
        yield changes[firsts[i] : firsts[i + 1]], piece
