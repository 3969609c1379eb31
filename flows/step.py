"""A step of the chain: an operator, where its input ports read and where its output ports write."""

from collections.abc import Mapping
from typing import Any

from flows.streams import Ref, Streams, merged
from operators.operator import Operator
from schemas.errors import RecoveryError
from schemas.market import RawFrame


class Step:
    """An operator and where its input ports read and its output ports write."""

    def __init__(
        self, name: str, operator: Operator, reads: Mapping[str, tuple[Ref, ...]], writes: Mapping[str, Ref]
    ) -> None:
        self.name = name
        self.operator = operator
        self.reads = tuple(reads.items())
        self.writes = dict(writes)

    def run(self, streams: Streams, *, keep: bool = False) -> None:
        """Process the cut's frames. An operator without any input rows has nothing to do.

        What is written is valid until the next run; with `keep` it is copied and stays.
        """
        frames: dict[str, Any] = {}
        for port, refs in self.reads:
            frame = merged(streams, refs)
            if frame is not None:
                frames[port] = frame
        if frames:
            for port, rows in self.operator.process(frames).items():
                assert not isinstance(rows, RawFrame)
                if len(rows):
                    streams[self.writes[port]] = rows.copy() if keep else rows

    def snapshot(self) -> Any:
        """The operator's identity, state version and state."""
        cls = type(self.operator)
        return f"{cls.__module__}:{cls.__qualname__}", cls.version, self.operator.snapshot()

    def restore(self, state: Any) -> None:
        """Go on from a snapshot of the same operator. Raises RecoveryError for another one's."""
        cls = type(self.operator)
        kind, version, inner = state
        here = (f"{cls.__module__}:{cls.__qualname__}", cls.version)
        if (kind, version) != here:
            raise RecoveryError(
                f"the checkpoint of step {self.name!r} was written by {kind} (state version {version}), "
                f"this is {here[0]} (state version {here[1]}); run the version that wrote it, "
                "or start a new run with another name and recovery directory"
            )
        self.operator.restore(inner)
