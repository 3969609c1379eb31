"""Whether the files of rows that are there have the columns, and the parts, that the configuration says."""

from flows.config import Config
from operators.sources.captures import Capture
from operators.sources.file_feed import RowsFeed
from schemas.errors import CaptureError


def check_files(config: Config) -> None:
    """Open every file of rows that is there. Raises ConfigError at the feed whose file is not what it says."""
    for i, desk in enumerate(config.desks):
        for j, feed in enumerate(desk.feeds):
            if not isinstance(feed, RowsFeed) or not config.feed_path(feed).is_file():
                continue
            try:
                Capture(feed, config.feed_path(feed), j, None).close()
            except CaptureError as e:
                raise config.error(("desks", i, "feeds", j), str(e)) from None
