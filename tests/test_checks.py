"""Checks of settings: what passes comes back as plain numbers, what does not gets a sentence."""

import numpy as np
import pytest

import vaenb
from vaenb.checks import check_choice, check_fit, check_number, check_whole
from vaenb.errors import InputError


@pytest.mark.parametrize("value", [3, 3.0, np.int64(3), np.float32(3)])
def test_whole_numbers_pass_as_int(value):
    found = check_whole("size", value)
    assert found == 3
    assert type(found) is int


@pytest.mark.parametrize("value", [0, -1, 2.5, "3", None, np.nan, np.inf, [3]])
def test_what_is_no_whole_number_is_refused(value):
    with pytest.raises(InputError, match=r"^size is .*; expected a whole number of at least 1\.$"):
        check_whole("size", value)


def test_a_whole_number_may_have_another_least_and_an_end():
    assert check_whole("seed", 0, least=0, below=10) == 0
    assert check_whole("seed", 9, least=0, below=10) == 9
    with pytest.raises(InputError, match=r"^seed is 10; expected a whole number from 0 to 9\.$"):
        check_whole("seed", 10, least=0, below=10)


@pytest.mark.parametrize("value", [1, 0.5, np.float32(0.5)])
def test_numbers_pass_as_float(value):
    found = check_number("rate", value, above=0)
    assert found == value
    assert type(found) is float


@pytest.mark.parametrize("value", [0, -1.0, np.nan, np.inf, -np.inf, "0.1", None])
def test_what_is_no_number_above_is_refused(value):
    with pytest.raises(InputError, match=r"^rate is .*; expected a number above 0\.$"):
        check_number("rate", value, above=0)


def test_a_number_may_touch_its_least():
    assert check_number("weight", 0, least=0) == 0.0
    with pytest.raises(InputError, match=r"^weight is -0\.1; expected a number of at least 0\.$"):
        check_number("weight", -0.1, least=0)


def test_a_choice_is_one_of_its_choices():
    assert check_choice("vote", "point", ("window", "point")) == "point"
    with pytest.raises(InputError, match=r"^vote is 'all'; expected one of 'window', 'point'\.$"):
        check_choice("vote", "all", ("window", "point"))


def test_windows_must_fit_the_model():
    windows = vaenb.make_windows(np.zeros((9, 2)), 4)
    check_fit("windows", windows, 4, 2)
    for shape in ((5, 2), (4, 1)):
        with pytest.raises(InputError, match=r"^windows has windows of 4 points x 2 channels; the model was"):
            check_fit("windows", windows, *shape)
