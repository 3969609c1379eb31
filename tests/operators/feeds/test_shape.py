"""Shapes as steps."""

import pytest

from operators.feeds.shape import Code, Compiler, Shape, Slot


def compiled(*texts):
    tables = Compiler([Shape(text) for text in texts]).tables()
    return tables["ops"].tolist(), bytes(tables["pool"])


def test_what_stands_between_holes_is_literal():
    ops, pool = compiled('{"u":<int order>}')
    assert pool == b'{"u":}'
    assert ops == [(Code.LITERAL, 0, 5), (Code.INT, Slot.ORDER, 0), (Code.LITERAL, 5, 1), (Code.END, 0, 0)]


def test_a_loop_leads_behind_its_end_and_back_behind_its_beginning():
    ops, _ = compiled('[<each>"<text>"<next>]')
    assert [op for op in ops if op[0] in (Code.EACH, Code.NEXT)] == [(Code.EACH, 6, 0), (Code.NEXT, 2, 0)]
    assert ops[6][0] == Code.LITERAL


def test_shapes_stand_one_behind_the_other():
    tables = Compiler([Shape("a"), Shape("b<int>", is_complete=True)]).tables()
    assert tables["shapes"].tolist() == [(0, 0), (2, 1)]


@pytest.mark.parametrize("text", ["<int ordr>", "<symbol all>", "<level mid>"])
def test_a_name_that_is_none_is_refused(text):
    with pytest.raises(KeyError):
        compiled(text)
