"""Finding a data set by name."""

from __future__ import annotations

import numpy as np
import pytest

from hil import data
from hil.errors import DataError, UsageError


def test_every_listed_data_set_is_found_and_describes_itself() -> None:
    for name in data.names():
        dataset = data.get(name)
        assert dataset.name == name
        assert len(dataset.label_names) == dataset.classes
        assert len(dataset.mean) == len(dataset.std) == dataset.shape[2]


def test_digits_come_first_because_they_are_the_default() -> None:
    assert data.names()[0] == "digits"


def test_a_misspelt_name_is_answered_with_the_nearest_one() -> None:
    with pytest.raises(UsageError, match=r"unknown data set 'cifar'.*did you mean 'cifar10'"):
        data.get("cifar")


@pytest.mark.parametrize("images", [(4, 8, 8), (3, 8, 8, 1)])
def test_a_split_refuses_images_that_do_not_fit_its_labels(images: tuple[int, ...]) -> None:
    with pytest.raises(DataError, match="labels of shape"):
        data.Split(np.zeros(images, np.float32), np.zeros(4, np.int64))
