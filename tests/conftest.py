"""What every test shares."""

import logging

import pytest


class _Listener(logging.Handler):
    def __init__(self):
        super().__init__(level=logging.WARNING)
        self.messages = []

    def emit(self, record):
        self.messages.append(record.getMessage())


@pytest.fixture(autouse=True)
def _tensorflow_has_nothing_to_say():
    """A warning in TensorFlow's log, such as one about retracing, fails the test like any other warning."""
    listener, logger = _Listener(), logging.getLogger("tensorflow")
    logger.addHandler(listener)
    yield
    logger.removeHandler(listener)
    assert not listener.messages
