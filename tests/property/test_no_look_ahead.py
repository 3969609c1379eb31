"""What comes later changes nothing that came before: from the bytes of a capture to the rows of every port."""

import random

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.property.tape import Rows, everything, session_messages, until


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("captures")


@pytest.fixture(scope="module")
def undisturbed(folder) -> Rows:
    rows = everything(session_messages(), folder)
    for port in ("orders", "fills", "positions", "equity", "verdicts", "order_events", "signals", "spreads", "quotes"):
        assert len(rows["tables", port]) > 50, port
    return rows


def disturbed(messages: tuple[bytes, ...], first: int, how: str, seed: int) -> list[bytes]:
    """`messages` with those from number `first` (from 0) on changed in one way or all."""
    rng = random.Random(seed)
    future = list(messages[first:])
    if how == "removed":
        future = []
    elif how == "reordered":
        rng.shuffle(future)
    elif how == "thinned":
        future = [m for m in future if rng.random() < 0.5]
    elif how == "repeated":
        future = [m for m in future for _ in range(rng.choice((1, 1, 2, 3)))]
    elif how == "garbage":
        future = [rng.randbytes(rng.randrange(60)) for _ in future]
    else:
        future = [_mutated(m, rng, how) for m in future]
    return [*messages[:first], *future]


_FIELDS = {
    "type": (0, 1),
    "locate": (1, 3),
    "timestamp": (5, 11),
    "reference": (11, 19),
    "size": (20, 24),
    "price": (32, 36),
}
"""Where a field of an added order begins and ends; in other messages it is part of another."""

_WAYS = ["removed", "reordered", "thinned", "repeated", "garbage", "truncated", "any", *_FIELDS]


def _mutated(message: bytes, rng: random.Random, how: str) -> bytes:
    if how == "truncated":
        return message[: rng.randrange(len(message) + 1)]
    begin, end = rng.choice(list(_FIELDS.values())) if how == "any" else _FIELDS[how]
    if len(message) < end or rng.random() < 0.3:
        return message
    value = int.from_bytes(message[begin:end], "big")
    near = (value + rng.randrange(-300, 300)) % (1 << (8 * (end - begin)))
    return message[:begin] + rng.choice((near.to_bytes(end - begin, "big"), rng.randbytes(end - begin))) + message[end:]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    first=st.integers(20, len(session_messages()) - 1),
    how=st.sampled_from(_WAYS),
    seed=st.integers(0, 2**32),
    frame=st.sampled_from([1, 7, 300, 4096]),
)
@example(first=2000, how="price", seed=1, frame=4096)
@example(first=2000, how="timestamp", seed=1, frame=4096)
@example(first=3000, how="removed", seed=1, frame=4096)
def test_the_future_changes_no_row_of_the_past(undisturbed, folder, first, how, seed, frame):
    rows = everything(disturbed(session_messages(), first, how, seed), folder, frame)
    assert until(rows, first) == until(undisturbed, first)


@pytest.mark.parametrize("how", _WAYS)
def test_the_future_matters_to_itself(undisturbed, folder, how):
    """Each way of disturbing does change rows that come later: the property above compares what could differ."""
    rows = everything(disturbed(session_messages(), 2000, how, 1), folder)
    later = {port: [row for row in found if row[0] > 2000] for port, found in rows.items()}
    assert later != {port: [row for row in found if row[0] > 2000] for port, found in undisturbed.items()}


@pytest.mark.parametrize("frame", [1, 7, 1000])
def test_cutting_changes_no_row(undisturbed, folder, frame):
    assert everything(session_messages(), folder, frame) == undisturbed
