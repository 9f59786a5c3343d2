"""TensorFlow, Keras and TFP, imported without the lines they print about the machine.

Everything in the TensorFlow ring takes them from here.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from contextlib import contextmanager
from typing import TYPE_CHECKING

from vaenb.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

_STARTUP_LINE = re.compile(rb"(?m)^(WARNING: All log messages before absl.*|[IWE]0000 .*|To enable the .*)\n")


@contextmanager
def _without_startup_lines() -> Iterator[None]:
    """Hold back what C++ code writes to standard error, and pass on all but TensorFlow's start-up lines."""
    if sys.stderr is None:  # no console at all
        yield
        return
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as caught:
        os.dup2(caught.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(kept, 2)
            os.close(kept)
            caught.seek(0)
            os.write(2, _STARTUP_LINE.sub(b"", caught.read()))


_choice = os.environ.setdefault("KERAS_BACKEND", "tensorflow")
_backend = sys.modules["keras"].backend.backend() if sys.modules.get("keras") else _choice
if _backend != "tensorflow":
    raise InputError(
        f"Keras runs on {_backend!r} here; vaenb needs TensorFlow under it: set the environment variable "
        "KERAS_BACKEND to 'tensorflow' before Python starts."
    )

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
with _without_startup_lines():
    import keras
    import tensorflow as tf
    import tensorflow_probability as tfp

    tf.constant(0.0)  # looks for devices now, and says what it finds

tfd = tfp.distributions
__all__ = ["keras", "tf", "tfd"]
