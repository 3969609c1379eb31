"""How OKX writes its usual messages."""

from operators.feeds.shape import Shape

_BOOK = (
    '{"arg":{"channel":"<books50-l2-tbt|books-l2-tbt|books>","instId":"<symbol>"},"action":"<update|snapshot kind>",'
    '"data":[{"asks":[<each>["<price>","<total>","<text>","<text>"]<level ask><next>,'
    '"bids":[<each>["<price>","<total>","<text>","<text>"]<level bid><next>,'
    '"ts":"<millis time>","checksum":<signed checksum>'
)
_TRADES = (
    '{"arg":{"channel":"<trades-all|trades>","instId":"<symbol>"},"data":[<each>{"instId":"<text>",'
    '"tradeId":"<int order>","px":"<price>","sz":"<total>","side":"<sell|buy side>",'
    '"ts":"<millis time>"}<trade><next>}'
)
_TICKER = (
    '{"arg":{"channel":"tickers","instId":"<symbol>"},"data":[{"instType":"<text>","instId":"<text>","last":"<text>",'
    '"lastSz":"<text>","askPx":"<ask>","askSz":"<ask_qty>","bidPx":"<bid>","bidSz":"<bid_qty>","open24h":"<text>",'
    '"high24h":"<text>","low24h":"<text>","sodUtc0":"<text>","sodUtc8":"<text>","volCcy24h":"<text>","vol24h":"<text>",'
    '"ts":"<millis time>"}<quote>]}'
)
_BEST = (
    '{"arg":{"channel":"bbo-tbt","instId":"<symbol>"},"data":[{"asks":[["<ask>","<ask_qty>","<text>","<text>"]],'
    '"bids":[["<bid>","<bid_qty>","<text>","<text>"]],"ts":"<millis time>","seqId":<int order>}<quote>]}'
)
OKX_SHAPES = (
    Shape(_BOOK + ',"prevSeqId":<signed previous>,"seqId":<signed order>}]}'),
    Shape(_BOOK + "}]}"),
    Shape(_TRADES, is_complete=True),
    Shape(_TICKER, is_complete=True),
    Shape(_BEST, is_complete=True),
)
