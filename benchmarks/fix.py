"""FIX messages per second: a real log found, decoded and made into events, against simplefix taking it apart.

    PAIRFLOW_DATA=../shared/data python -m benchmarks.fix

simplefix checks neither length nor checksum, and makes nothing of the fields.
"""

import os
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import simplefix

from operators.feeds.fix import Fix
from operators.feeds.fix_definitions import fix_instruments
from operators.framing.fix_message import decode
from operators.operator import Desk, Feed
from operators.sources.captured_feed import FixLogFeed
from operators.sources.desk_input import DeskInput
from schemas.market import RawFrame

_ROUNDS = 7
_LOG = "jse_market_data_fixt11_2011-11-24.log"


def measured(data: Path) -> dict[str, float]:
    """Messages per second, best of several rounds, by what is done with them."""
    raw = _recording(data / "fix" / _LOG)
    messages = [raw.message(i) for i in range(len(raw.rows))]
    instruments = tuple(fix_instruments(messages, "jse", Decimal("0.01"), Decimal(1), "ZAR").instruments)
    desk = Desk("d", instruments, feeds=(Feed("jse", tuple(i.id for i in instruments)),))

    def taken_apart() -> None:
        for message in messages:
            parser = simplefix.FixParser()
            parser.append_buffer(message)
            parser.get_message()

    ways: dict[str, Callable[[], object]] = {
        "found in the log": lambda: _recording(data / "fix" / _LOG),
        "checked and taken apart": lambda: [decode(message) for message in messages],
        "made into events": lambda: Fix(Fix.Parameters(feeds=("jse",)), desk).process({"raw": raw}),
        "simplefix, taken apart": taken_apart,
    }
    return {name: len(messages) / min(_seconds(way) for _ in range(_ROUNDS)) for name, way in ways.items()}


def _recording(path: Path) -> RawFrame:
    source = DeskInput([(FixLogFeed(id="jse", format="fix_log", path=path.name), path)], 100_000, None)
    raw = source.next()
    source.close()
    assert raw is not None
    return raw


def _seconds(way: Callable[[], object]) -> float:
    start = time.process_time()
    way()
    return time.process_time() - start


if __name__ == "__main__":
    for name, rate in measured(Path(os.environ.get("PAIRFLOW_DATA", "../shared/data"))).items():
        print(f"{name:28}{rate:12,.0f} messages/s")
