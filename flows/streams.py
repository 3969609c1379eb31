"""The streams of one cut of the input, by the port that wrote them."""

from collections.abc import Sequence

import numpy as np

from schemas.market import RawFrame
from schemas.record import Frame

Ref = tuple[str, str]
"""(operator id, output port)."""

SOURCE: Ref = ("feeds", "raw")
"""The port the input log comes from."""

Streams = dict[Ref, Frame | RawFrame]
"""What has been produced so far for one cut. Ports without rows are absent."""


def merged(streams: Streams, refs: Sequence[Ref]) -> Frame | None:
    """The rows of several ports of one schema in order of their causes; of one cause, in the order of `refs`."""
    if len(refs) == 1:
        return streams.get(refs[0])  # type: ignore[return-value]
    frames = [streams[ref] for ref in refs if ref in streams]
    if len(frames) <= 1:
        return frames[0] if frames else None  # type: ignore[return-value]
    joined: Frame = np.concatenate(frames)  # type: ignore[arg-type]
    return joined[np.argsort(joined["cause"], kind="stable")]
