"""The digits: the default data set, which needs no download."""

from __future__ import annotations

import subprocess
import sys

import numpy as np

from hil import data
from hil.training.batches import input_format


def test_both_splits_make_up_the_whole_set_without_sharing_a_sample() -> None:
    train, test = data.get("digits").load("train"), data.get("digits").load("test")
    assert len(train) + len(test) == 1797
    # Eleven hundred bits of image make a coincidence impossible.
    assert not {image.tobytes() for image in train.images} & {image.tobytes() for image in test.images}


def test_the_test_split_is_a_fifth_of_every_class() -> None:
    train, test = data.get("digits").load("train"), data.get("digits").load("test")
    for label in range(10):
        members = np.sum(train.labels == label) + np.sum(test.labels == label)
        assert abs(np.sum(test.labels == label) / members - 0.2) < 0.01


def test_images_are_grey_float32_in_the_unit_interval() -> None:
    split = data.get("digits").load("train")
    assert split.images.dtype == np.float32
    assert split.images.shape[1:] == (8, 8, 1)
    assert split.images.min() == 0
    assert split.images.max() == 1
    assert split.labels.dtype == np.int64


def test_loading_twice_gives_the_same_order() -> None:
    first, second = data.get("digits").load("test"), data.get("digits").load("test")
    assert np.array_equal(first.images, second.images)
    assert np.array_equal(first.labels, second.labels)


def test_prepared_images_have_zero_mean_and_unit_variance() -> None:
    digits = data.get("digits")
    prepared = input_format(digits).prepare(digits.load("train").images)
    assert prepared.shape[1:] == (24, 24, 1)
    assert abs(float(prepared.mean())) < 0.01
    assert abs(float(prepared.std()) - 1) < 0.01


def test_images_are_those_that_scikit_learn_serves() -> None:
    from sklearn.datasets import load_digits

    served = {image.astype(np.float32).tobytes() for image in load_digits().images / 16}
    test = data.get("digits").load("test")
    assert all(image.tobytes() in served for image in test.images)


def test_data_schemes_and_recipes_are_there_without_torch_or_scikit_learn() -> None:
    program = (
        "import sys; from hil import data; from hil.schemes import registry; from hil.training import api;"
        "data.get('digits').load('test'); api.cached_bundle_path('agilenn', 'digits', 0);"
        "sys.exit(bool({'torch', 'sklearn', 'scipy'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
