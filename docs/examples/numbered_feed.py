"""A feed of one's own, whole: a venue that numbers the messages of each book, one JSON object per message.

    {"s": "BTC-USD", "n": 7, "whole": false, "ms": 1500, "b": [["100.1", "0.5"]], "a": [["100.2", "0"]]}

`whole` is true where the message is the whole book, false where it tells what has changed; a total of 0 is gone.

Try it:     pairflow check --operator docs.examples.numbered_feed:NumberedFeed
Use it:     operators: [{id: decode, type: "docs.examples.numbered_feed:NumberedFeed", input: feeds, feeds: [venue]}, …]
"""

from operator import itemgetter

import orjson

from operators.feeds.fields import LevelForm, millis_ns, number, parsed
from operators.feeds.multiples import MalformedError, shown
from operators.feeds.told_book import Moment
from operators.feeds.venue_example import venue_example
from operators.feeds.venue_feed import Connection, VenueFeed
from schemas.market import FeedEventKind

LEVEL = LevelForm("[price, size]", list, frozenset((2,)), itemgetter(0), itemgetter(1))


class NumberedConnection(Connection):
    """Decodes one connection."""

    def tell(self, payload, cause, ts):
        """Write the events of one message; what is wrong with it is a MalformedError."""
        message = parsed(payload)
        if type(message) is not dict:
            raise MalformedError(f"message: expected an object, came {shown(message)}")
        if message.get("idle") is True:
            return
        book = self.book(message.get("s"), "s")
        if book is None:  # to be ignored, says the configuration
            return
        self.at_stake = book  # where the message is rejected from here on, the book lacks something
        bids, asks = (book.side(LEVEL.texts(message.get(key), key), key) for key in "ba")
        at = Moment(cause, ts, millis_ns(message.get("ms"), "ms"), number(message.get("n"), "n"))
        if message.get("whole") is True:
            if not book.is_late(self.feed, at):
                book.last = at.order
                book.replace(self.feed, bids, asks, at)
        elif not book.is_told_by(self.feed):  # no snapshot yet
            book.hear(at)
        elif at.order == book.last:
            book.admit(self.feed, FeedEventKind.DUPLICATE, at.order, at.order, at)
        elif at.order == book.last + 1:
            book.hear(at)
            book.last = at.order
            book.change(bids, asks, at)
        elif not book.is_late(self.feed, at):
            self.break_off(book, book.last + 1, at.order - 1, at)


class NumberedFeed(VenueFeed):
    """Decodes the books of a venue that numbers its messages; `order` is the number."""

    connection = NumberedConnection

    @classmethod
    def example(cls, seed):
        """A session with losses, repetitions, damage and reconnections."""
        return venue_example(seed, _Writer(), {})


class _Writer:
    """Messages as the venue writes them."""

    def __init__(self):
        self.numbers = [0, 0]

    def snapshot(self, symbol, number, bids, asks):
        return self._book(symbol, True, bids, asks)

    def change(self, symbol, number, changed, book):
        return self._book(symbol, False, *changed)

    def trade(self, symbol, number, price, quantity, is_buy):
        return self.idle(number)

    def best(self, symbol, number, bid, ask):
        return self.idle(number)

    def idle(self, number):
        return b'{"idle":true}'

    def _book(self, symbol, whole, bids, asks):
        self.numbers[symbol] += 1
        name = ("BTC/USD", "ETH/USD")[symbol]
        return orjson.dumps({"s": name, "n": self.numbers[symbol], "whole": whole, "ms": 1500, "b": bids, "a": asks})
