import numpy as np

from operators.changes import between

ROW = np.dtype([("cause", "i8"), ("value", "i8")])


def rows(*causes: int) -> np.ndarray:
    return np.array([(cause, k) for k, cause in enumerate(causes)], ROW)


def cut(frames: dict) -> list:
    return [
        (changes["cause"].tolist(), {name: frame["cause"].tolist() for name, frame in piece.items()})
        for changes, piece in between(frames, "port")
    ]


def test_changes_hold_from_their_cause_on():
    frames = {"port": rows(3, 3, 7), "a": rows(1, 2, 3, 3, 6, 7, 9), "b": rows(7, 8)}
    assert cut(frames) == [
        ([], {"a": [1, 2], "b": []}),
        ([3, 3], {"a": [3, 3, 6], "b": []}),
        ([7], {"a": [7, 9], "b": [7, 8]}),
    ]


def test_nothing_is_lost_where_nothing_changes():
    assert cut({"port": rows(), "a": rows(1, 2)}) == [([], {"a": [1, 2]})]
    assert cut({"port": rows(5)}) == [([], {}), ([5], {})]
