from __future__ import annotations

import pickle

import pytest

from optiproxy.errors import DataError, OptiProxyError, PackageError, SearchFailed, StudyError, UsageError, unknown


@pytest.mark.parametrize(
    ("error", "exit_code"), [(UsageError, 2), (DataError, 2), (PackageError, 2), (StudyError, 2), (SearchFailed, 1)]
)
def test_every_error_is_caught_as_one_and_has_its_exit_code(error, exit_code):
    assert issubclass(error, OptiProxyError)
    assert error.exit_code == exit_code


def test_a_usage_error_is_a_value_error_for_those_who_do_not_know_us():
    assert issubclass(UsageError, ValueError)


def test_errors_cross_processes():
    error = pickle.loads(pickle.dumps(UsageError("Expected this, got that.")))
    assert isinstance(error, UsageError)
    assert str(error) == "Expected this, got that."


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("digts", "Unknown task 'digts'. Did you mean 'digits'?"),
        ("zzz", "Unknown task 'zzz'. Choose from: digits, nasbench201-cifar10."),
        ("", "Unknown task ''. Choose from: digits, nasbench201-cifar10."),
    ],
)
def test_an_unknown_name_is_told_what_would_have_been_known(name, message):
    error = unknown("task", name, {"nasbench201-cifar10", "digits"})
    assert isinstance(error, UsageError)
    assert str(error) == message
