"""What can be known of a file of rows before a run is told before it, at the feed's line."""

import pytest

from flows.cli import main
from flows.config import load
from flows.table_files import check_files
from schemas.errors import ConfigError

CONFIG = """\
run: files
target: chdb://clickhouse
instruments:
  - {id: A, venue: x, symbol: A, tick: 0.01, lot: 1, currency: USD}
desks:
  - id: main
    capital: 1_000
    feeds:
      - id: quotes
        format: table
        path: quotes.csv
        instruments: [A]
        table: {rows: quotes, assumed_qty: 1, columns: {time: {column: t, unit: s}, bid: bid, ask: ask}}
operators:
  - {id: rows, type: rows, input: feeds, feeds: [quotes]}
  - {id: book, type: book, input: rows}
"""


@pytest.fixture
def path(tmp_path):
    (tmp_path / "config.yaml").write_text(CONFIG)
    return tmp_path / "config.yaml"


def test_a_file_with_the_columns_is_fine_and_one_that_is_not_there_is_for_others_to_tell(path):
    check_files(load(path))
    (path.parent / "quotes.csv").write_text("t,bid,ask\n")
    check_files(load(path))


def test_a_missing_column_is_refused_at_the_feeds_line(path, capsys):
    (path.parent / "quotes.csv").write_text("t,bid,offer\n")
    expected = "one column 'ask', there is none; the columns are 't', 'bid', 'offer'; correct the feed's `table`"
    with pytest.raises(ConfigError, match=expected) as error:
        check_files(load(path))
    assert str(error.value).startswith(f"{path}:9:9: desks[0].feeds[0]: feed 'quotes': ")
    assert main(["check", str(path)]) == 2
    assert expected in capsys.readouterr().err
