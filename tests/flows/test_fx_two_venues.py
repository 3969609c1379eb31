"""One pair on two venues whose files count from different midnights: as filed that is found, as declared all fits."""

from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from flows.chain import Chain
from flows.config import load
from flows.graph import build_graph
from flows.streams import SOURCE, Streams
from operators.sources.desk_input import DeskInput
from schemas.market import FeedEventKind
from schemas.record import Frame
from tests.conftest import ROOT

HOUR = 3_600 * 10**9
MIDNIGHT = 1_399_420_800 * 10**9
"""2014-05-07, UTC: until then OANDA's file goes."""
QUOTES = 102_682 + 44_864


def replay(data_path: Path, folder: Path, zone: str) -> dict[str, Frame]:
    """The rows by table, FXCM's midnight being that of `zone`."""
    text = (ROOT / "config" / "fx_two_venues.yaml").read_text()
    assert "timezone: Etc/GMT+5" in text
    path = folder / "fx.yaml"
    path.write_text(text.replace("timezone: Etc/GMT+5", f"timezone: {zone}"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PAIRFLOW_DATA", str(data_path))
        config = load(path)
    desk = config.desks[0]
    chain = Chain(build_graph(config), config.desk(desk.id))
    rows: dict[str, list[Frame]] = {}
    entries = 0
    with closing(DeskInput([(feed, config.feed_path(feed)) for feed in desk.feeds], 4_096, None, desk.id)) as source:
        while (raw := source.next()) is not None:
            entries += len(raw.rows)
            streams: Streams = {SOURCE: raw}
            for step in chain.steps:
                step.run(streams)
            for name, (_, frame) in chain.numbering.number(raw, streams).streams.items():
                rows.setdefault(name, []).append(frame.copy())
    assert entries == QUOTES + 1  # and the end of the input
    assert "dead_letters" not in rows
    return {name: np.concatenate(frames) for name, frames in rows.items()}


def test_with_the_declared_zones_both_venues_move_together(data_path: Path, tmp_path: Path) -> None:
    rows = replay(data_path, tmp_path, "Etc/GMT+5")
    checks = rows["clock_checks"]
    [whole] = checks[(checks["ts"] >= MIDNIGHT) & (checks["ts"] < MIDNIGHT + HOUR)]  # all that both files have
    assert whole["correlation"] == pytest.approx(0.93, abs=0.005)
    assert whole["correlation"] == pytest.approx(0.92779, abs=1e-5)  # as pandas has it of last mids, carried forward
    assert not checks["shift_ns"].any()
    assert FeedEventKind.CLOCK_SKEW not in rows["feed_events"]["kind"]
    spread = rows["spreads"][rows["spreads"]["state"] == 0]["spread"]
    assert np.abs(spread).max() < 0.0015  # fifteen pips
    assert len(rows["fills"]) > 100


def test_as_filed_the_venue_whose_stamps_are_hours_off_is_named(data_path: Path, tmp_path: Path) -> None:
    rows = replay(data_path, tmp_path, "UTC")
    [skew] = rows["feed_events"][rows["feed_events"]["kind"] == FeedEventKind.CLOCK_SKEW]
    assert (skew["feed"], skew["instrument"], skew["first"]) == (0, 0, 5 * HOUR)  # FXCM, five hours early
    assert skew["last"] == 5 * 60  # minutes
    assert skew["ts"] < MIDNIGHT - 15 * HOUR  # three hours of data in which both moved are enough
    last = rows["clock_checks"][-1]
    assert abs(last["unshifted"]) < 0.01
    assert (last["shift_ns"], round(last["correlation"], 2)) == (5 * HOUR, 0.93)
