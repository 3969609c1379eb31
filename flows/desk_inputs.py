"""Where the input of each desk comes from: captures, its journal, or live lines that are written to it."""

from functools import partial

from flows.config import Config
from flows.settings import DeskConfig
from operators.sources.inputs import Captures, DeskSource, OpenDesk
from operators.sources.journal_input import JournalInput
from operators.sources.journal_reader import JournalPosition
from operators.sources.line import Line
from operators.sources.lines import open_line
from operators.sources.live_input import LiveInput


def desk_input(config: Config, desk: DeskConfig) -> Captures | OpenDesk:
    """What `Inputs` needs to know of a desk."""
    if desk.journal is None:
        return [(feed, config.feed_path(feed)) for feed in desk.captures]
    if desk.is_live:
        return partial(_live, config, desk)
    return partial(JournalInput, config.journal_path(desk), [feed.id for feed in desk.feeds])


def _live(config: Config, desk: DeskConfig, frame: int, resume: JournalPosition | None, name: str) -> DeskSource:
    assert desk.journal is not None
    known = config.desk(desk.id)

    def lines() -> list[Line]:
        by_id = {instrument.id: instrument for instrument in known.instruments}
        spoken_of = [[by_id[i] for i in feed.instruments] for feed in known.feeds]
        return [open_line(feed, listed, config.data) for feed, listed in zip(desk.live_feeds, spoken_of, strict=True)]

    return LiveInput(
        config.journal_path(desk),
        [feed.id for feed in desk.feeds],
        lines,
        frame,
        resume,
        name,
        tick_ns=desk.tick,
        segment_bytes=desk.journal.segment,
        sync=desk.journal.sync,
    )
