"""Which instances are drawn: the same ones for a seed, edges often, one thing at a time now and then."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from hil.neighbourhood.parameter import Whole
from hil.neighbourhood.sample import instance
from hil_tests.unit.neighbourhood.toy import RIGHT

DRAWN = [instance(RIGHT, 0, index) for index in range(400)]


def test_a_seed_gives_the_same_instances_and_another_seed_others() -> None:
    assert DRAWN[:50] == [instance(RIGHT, 0, index) for index in range(50)]
    assert DRAWN[1:50] != [instance(RIGHT, 1, index) for index in range(1, 50)]


def test_the_first_one_is_the_simplest_but_for_its_data() -> None:
    assert DRAWN[0] | {"data": 0} == RIGHT.simplest


def test_ends_are_drawn_more_often_than_what_lies_between() -> None:
    seen = Counter(one["padding"] for one in DRAWN if one["padding"])
    between = [seen[value] for value in range(2, 11)]
    assert min(seen[1], seen[11], seen[12]) > max(between)
    assert min(between) > 0


def test_a_part_of_them_differs_from_the_simplest_in_one_or_two_things() -> None:
    changed = [
        sum(one[name] != RIGHT.simplest[name] for name in ("padding", "extent", "kind")) for one in DRAWN
    ]
    assert sum(count <= 1 for count in changed) > 40
    assert sum(count == 3 for count in changed) > 100


def test_what_is_no_question_is_not_asked() -> None:
    odd = replace(RIGHT, fits=lambda parameters: int(parameters["padding"]) % 2 == 0)
    assert {instance(odd, 0, index)["padding"] for index in range(100)} <= set(range(0, 13, 2))


def test_a_template_that_refuses_everything_says_so() -> None:
    with pytest.raises(ValueError, match="refuses"):
        instance(replace(RIGHT, fits=lambda parameters: False), 0, 0)


def test_an_edge_outside_the_range_is_refused() -> None:
    with pytest.raises(ValueError, match="not all within"):
        Whole("padding", 0, 3, (4,))
