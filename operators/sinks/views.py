"""Views for the questions that are asked most. They read with FINAL, so every row counts once."""

_TRADES = """
SELECT
    run, desk, trade_id, pair,
    min(first_fill) AS entered,
    if(countIf(held != 0) = 0, max(last_fill), NULL) AS closed,
    arraySort(groupArray(tuple(instrument, entry_side, entry_qty, entry_price, exit_price))) AS legs,
    sum(leg_fills) AS fills,
    if(closed IS NULL, NULL, sum(cash)) AS gross,
    sum(fees) AS fee,
    gross - fee AS pnl
FROM (
    SELECT
        run, desk, trade_id, pair, instrument,
        min(ts_venue) AS first_fill,
        max(ts_venue) AS last_fill,
        count() AS leg_fills,
        argMin(side, seq) AS entry_side,
        sumIf(qty, side = opening) AS entry_qty,
        avgWeightedIf(toFloat64(price), toFloat64(qty), side = opening) AS entry_price,
        avgWeightedIf(toFloat64(price), toFloat64(qty), side != opening) AS exit_price,
        sum(toInt8(side) * toDecimal128(qty, 9)) AS held,
        sum(CAST(-toInt8(side) * toDecimal256(price, 9) * toDecimal256(qty, 9) * multiplier, 'Decimal(38, 8)')) AS cash,
        sum(fee) AS fees
    FROM (
        SELECT f.*, i.multiplier AS multiplier,
            first_value(side) OVER (PARTITION BY run, desk, trade_id, instrument ORDER BY seq) AS opening
        FROM fills AS f FINAL
        INNER JOIN (SELECT run, desk, instrument, multiplier FROM instruments FINAL) AS i USING (run, desk, instrument)
    )
    GROUP BY run, desk, trade_id, pair, instrument
)
GROUP BY run, desk, trade_id, pair
"""

_LATEST_POSITIONS = """
SELECT
    run, desk, instrument,
    argMax(p.ts, p.seq) AS ts,
    argMax(p.qty, p.seq) AS qty,
    argMax(p.cost, p.seq) AS cost,
    argMax(p.realised, p.seq) AS realised,
    argMax(p.fees, p.seq) AS fees
FROM positions AS p FINAL
GROUP BY run, desk, instrument
"""

_PNL_BY_PAIR = """
SELECT
    run, desk, pair,
    count() AS trades,
    countIf(closed IS NULL) AS open_trades,
    countIf(trades.pnl > 0) AS wins,
    sum(trades.gross) AS gross,
    sumIf(fee, closed IS NOT NULL) AS fees,
    sum(trades.pnl) AS pnl,
    avg(dateDiff('millisecond', entered, closed)) / 1000 AS mean_holding_s
FROM trades
GROUP BY run, desk, pair
"""

VIEWS: dict[str, tuple[frozenset[str], str, str]] = {
    "trades": (
        frozenset({"fills"}),
        "Pair trades from entry to exit: legs (instrument, side, quantity, mean entry and exit price), gross profit, "
        "fees and profit after fees; closed, gross and pnl are NULL while a leg is still open.",
        _TRADES,
    ),
    "latest_positions": (
        frozenset({"positions"}),
        "What each desk holds of every instrument it ever traded, as of its last fill.",
        _LATEST_POSITIONS,
    ),
    "pnl_by_pair": (
        frozenset({"fills"}),
        "Closed trades of each pair added up: how many, how many won, profit before and after fees, seconds held.",
        _PNL_BY_PAIR,
    ),
}
"""View name -> (tables it needs, what it shows, its query); each may use the ones before it."""
