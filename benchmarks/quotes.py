"""An input log whose messages are quotes already: what is measured starts behind the feeds."""

from typing import Any

from operators.operator import Frames, Operator
from schemas.market import QUOTES, RAW, RawFrame


class Quotes(Operator):
    """Reads the bytes of a cut as QUOTES rows."""

    inputs = {"raw": RAW}
    outputs = {"quotes": QUOTES}

    def process(self, frames: Frames) -> Frames:
        """The rows, where they lie."""
        raw = frames["raw"]
        assert isinstance(raw, RawFrame)
        return {"quotes": raw.data.view(QUOTES.dtype)}

    def snapshot(self) -> Any:
        """Nothing to keep."""

    def restore(self, state: Any) -> None:
        """Nothing to restore."""
