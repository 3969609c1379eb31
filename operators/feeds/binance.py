"""Binance spot, USDⓈ-M and COIN-M futures: websocket and snapshot messages in, market events out."""

from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from operators.feeds.binance_example import binance_example
from operators.feeds.binance_feed import BinanceFeed
from operators.feeds.binance_shapes import binance_shapes
from operators.feeds.message_feed import FeedParameters
from operators.feeds.scanned_feed import ScannedFeed
from operators.feeds.shape import Shape
from operators.operator import Desk, Example
from operators.registry import register
from schemas.errors import ConfigError


class BinanceParameters(FeedParameters):
    """Which feeds, and which market's rules they follow."""

    market: Literal["spot", "usdm", "coinm"] = Field(description="spot; usdm, coinm: USDⓈ- or coin-margined futures")
    feeds: tuple[str, ...] = Field(min_length=1, description="ids of the desk's feeds to decode, one instrument each")


@register("binance")
class Binance(ScannedFeed):
    """Decodes depth updates and snapshots, book tickers and trades, and says when a book is whole.

    Every message becomes events, is ignored as the protocol has it, or becomes one dead letter; where a
    depth update is missing or rejected, SYNC 0 follows and stands until a snapshot. `order` of events is the
    venue's update id (of trades, the trade id).

    Raises ConfigError for an unknown feed, and for one that does not speak of exactly one instrument.
    """

    version = 2
    Parameters = BinanceParameters

    def __init__(self, parameters: BinanceParameters, desk: Desk) -> None:
        self._spoken_of: set[int] = set()
        super().__init__(parameters, desk)

    def _shapes(self) -> Sequence[Shape]:
        """Book tickers, trades and depth updates as Binance writes them."""
        return binance_shapes(self.parameters.market)

    def _decoder(self, feed: int, instruments: list[int]) -> BinanceFeed:
        number = self._only(feed, instruments)
        instrument, market = self.desk.instruments[number], self.parameters.market
        return BinanceFeed(feed, number, instrument, market, self._rows, self._feed_events)

    def _only(self, feed: int, instruments: list[int]) -> int:
        """The instrument that a feed speaks of."""
        name = self.desk.feeds[feed].id
        if len(instruments) != 1:
            raise ConfigError(
                f"binance: feed {name!r} lists {len(instruments)} instruments; a Binance feed speaks of one: "
                "give each its own feed, and name it under `instruments`"
            )
        number = instruments[0]
        instrument = self.desk.instruments[number]
        if number in self._spoken_of:
            raise ConfigError(f"binance: two feeds speak of {instrument.id!r}; take one out")
        if instrument.symbol != instrument.symbol.upper():
            raise ConfigError(
                f"binance: instrument {instrument.id!r} has symbol {instrument.symbol!r}; "
                f"messages say {instrument.symbol.upper()!r}, write that"
            )
        self._spoken_of.add(number)
        return number

    @classmethod
    def example(cls, seed: int) -> Example:
        """Two spot instruments with gaps, resynchronisations, repetitions and damaged messages."""
        return binance_example(seed)
