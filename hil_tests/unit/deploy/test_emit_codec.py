"""The generated C holds the table of the payload's codec."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from hil_tests import graphs
from hypothesis import given, settings

from hil.bundle import PayloadFormat
from hil.codec.coder import Coder, make_coder
from hil.codec.tables import make_tables
from hil.deploy.emit import Model, emit
from hil.deploy.lower import plain
from hil.deploy.plan import CODEC_SCRATCH, buffers_of, plan
from hil.deploy.program import DeviceHalf

COUNTS = np.array([[90, 9, 1], [1, 1, 98]])
few = settings(max_examples=5, deadline=None)


def coder_of(codec: str) -> Coder:
    form = PayloadFormat(0, 2, 4, 5, (0.0, 1.0, 2.0), codec)
    return make_coder(form, make_tables(codec, COUNTS))


def emitted(case: graphs.Case, coder: Coder) -> str:
    graph = replace(case.graph, feature=case.graph.ops[-1].output)
    program = plain(DeviceHalf(graph, coder))
    return emit(Model(program, plan(buffers_of(program)), 1, bytes(32), None))


@pytest.mark.parametrize("codec", ["range", "huffman"])
@few
@given(case=graphs.OPERATORS["convolution"])
def test_a_static_codecs_table_is_emitted_word_for_word(codec: str, case: graphs.Case) -> None:
    coder = coder_of(codec)
    text = emitted(case, coder)
    found = re.search(r"hil_codec_table\[6\] = \{([^}]*)\}", text)
    assert found is not None
    assert coder.table is not None
    assert [int(word) for word in found[1].split(",") if word.strip()] == coder.table.reshape(-1).tolist()
    assert ".table = hil_codec_table," in text
    assert f".codec = HIL_CODEC_{codec.upper()}," in text


@pytest.mark.parametrize("codec", ["none", "lzw", "lz4"])
@few
@given(case=graphs.OPERATORS["convolution"])
def test_other_codecs_have_none(codec: str, case: graphs.Case) -> None:
    text = emitted(case, coder_of(codec))
    assert "hil_codec_table" not in text
    assert ".table = NULL," in text


@pytest.mark.parametrize(("codec", "scratch"), [("range", 0), ("huffman", 0), ("lzw", 16384), ("lz4", 3072)])
@few
@given(case=graphs.OPERATORS["convolution"])
def test_only_what_a_codec_works_in_is_planned(codec: str, scratch: int, case: graphs.Case) -> None:
    buffers = {
        buffer.name: buffer.size for buffer in buffers_of(plain(DeviceHalf(case.graph, coder_of(codec))))
    }
    assert buffers.get(CODEC_SCRATCH, 0) == scratch
