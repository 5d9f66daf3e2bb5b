"""What a program asks of memory: buffers, how long they live, and which may overlap."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hil_tests import graphs
from hil_tests.fronts import FrontCase, fronts
from hypothesis import given, settings

from hil.bundle import PayloadFormat
from hil.codec.coder import make_coder
from hil.codec.prefix import bytes_of_rows
from hil.deploy.kernels.front.kernel import KERNELS, PayloadFront, SymbolFront
from hil.deploy.lower import lower, plain
from hil.deploy.plan import PAYLOAD, SYMBOLS, buffers_of, overlaps_of, plan, plan_program
from hil.deploy.program import DeviceHalf, Overlapping, Program

PAYLOAD_FORMAT = PayloadFormat(0, 1, 2, 2, (0.0, 1.0, 2.0))
few = settings(max_examples=20, deadline=None)


def program_of(case: graphs.Case) -> Program:
    return plain(DeviceHalf(case.graph))


@pytest.mark.parametrize("kind", ["add", "clamp", "slice"])
def test_an_op_works_in_place_where_its_input_dies(kind: str) -> None:
    @few
    @given(graphs.OPERATORS[kind])
    def check(case: graphs.Case) -> None:
        placed = plan_program(program_of(case), dtcm_bytes=0)
        assert placed.offsets["out"] == placed.offsets[case.graph.input]
        assert placed.gap_bytes == 0

    check()


@few
@given(graphs.OPERATORS["pad"])
def test_padding_does_not(case: graphs.Case) -> None:
    program = program_of(case)
    assert overlaps_of(program, buffers_of(program)) == ()


@few
@given(graphs.OPERATORS["clamp"])
def test_an_input_that_is_read_again_is_kept(case: graphs.Case) -> None:
    graph = replace(case.graph, ops=(case.graph.ops[0], replace(case.graph.ops[0], output="again")))
    graph = replace(graph, tensors=graph.tensors | {"again": graph.tensor("out")}, feature="again")
    program = plain(DeviceHalf(graph, make_coder(PAYLOAD_FORMAT, {})))
    allowed = overlaps_of(program, buffers_of(program))
    assert [(o.output, o.input) for o in allowed] == [("again", graph.input)]


@few
@given(graphs.OPERATORS["convolution"])
def test_a_convolution_reads_its_input_once_for_every_tap(case: graphs.Case) -> None:
    program = program_of(case)
    by_name = {b.name: b for b in buffers_of(program)}
    source, output = (case.graph.tensor(name).shape for name in (case.graph.input, "out"))
    taps = case.graph.ops[0].kernel[0] * case.graph.ops[0].kernel[1]
    written = source[0] * source[1] * source[2]
    assert by_name[case.graph.input].accesses == written + output[0] * output[1] * taps * source[2]


@given(graphs.OPERATORS["convolution"])
def test_the_payload_outlives_the_graph(case: graphs.Case) -> None:
    half = DeviceHalf(case.graph, make_coder(PAYLOAD_FORMAT, {}))
    by_name = {b.name: b for b in buffers_of(plain(half))}
    assert by_name["out"].last >= len(case.graph.ops)
    assert by_name[SYMBOLS].last == by_name[PAYLOAD].first
    assert by_name[PAYLOAD].last == max(b.last for b in by_name.values())


@few
@given(fronts())
def test_a_payload_made_row_by_row_lies_over_the_input(case: FrontCase) -> None:
    program = lower(case.half, lambda half, step: 0.0 if step.kernel in KERNELS else 1.0)
    source, coder = case.half.graph.input, case.half.coder
    assert coder is not None
    placed = plan_program(program, dtcm_bytes=0)
    kernel, ops = program.steps[0].kernel, program.ops(program.steps[0])
    if not isinstance(kernel, PayloadFront):
        assert overlaps_of(program, placed.buffers) == ()
        return
    lead = kernel.leads(case.half, ops)[PAYLOAD, source]
    first, second = placed.offsets[PAYLOAD], placed.offsets[source]
    size = case.half.graph.tensor(source).elements
    if first < second + size and second < first + coder.capacity:
        assert second >= first + lead
    assert placed.arena_bytes <= plan(placed.buffers).arena_bytes
    read = case.half.graph.tensor(source).shape[1] * case.half.graph.tensor(source).shape[2]
    height = coder.form.height
    for y in range(height - 2):
        assert bytes_of_rows(coder, y + 1) <= lead + (y + 2) * ops[0].stride[0] * read


def test_a_kernel_of_another_order_does_not() -> None:
    assert not isinstance(SymbolFront(), Overlapping)


@few
@given(graphs.OPERATORS["convolution"])
def test_logits_that_are_also_sent_live_until_the_result(case: graphs.Case) -> None:
    graph = replace(case.graph, feature="out")
    by_name = {b.name: b for b in buffers_of(plain(DeviceHalf(graph, make_coder(PAYLOAD_FORMAT, {}))))}
    assert by_name["out"].last == by_name[PAYLOAD].last
