"""TensorFlow arrives quietly, and hides nobody else's words."""

import os
import subprocess
import sys


def run(code, *, check=True, **environment):
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=check,
        timeout=300,
        env={**os.environ, **environment},
    )


def test_another_keras_backend_is_refused():
    done = run("import vaenb.backend", check=False, KERAS_BACKEND="jax")
    assert done.returncode == 1
    assert "InputError: Keras runs on 'jax' here; vaenb needs TensorFlow under it: set" in done.stderr


def test_importing_the_tensorflow_ring_prints_nothing():
    done = run("import vaenb.model")
    assert (done.stdout, done.stderr) == ("", "")


def test_other_lines_on_standard_error_are_passed_on():
    code = """
import os
from vaenb.backend import _without_startup_lines
with _without_startup_lines():
    os.write(2, b"I0000 00:00:1.2 1 port.cc:153] oneDNN custom operations are on.\\nmine\\n")
    os.write(2, b"WARNING: All log messages before absl::InitializeLog() is called are written to STDERR\\n")
os.write(2, b"later\\n")
"""
    assert run(code).stderr == "mine\nlater\n"


def test_the_users_log_level_stays():
    code = "import os; os.environ['TF_CPP_MIN_LOG_LEVEL'] = '1'; import vaenb.backend; "
    code += "print(os.environ['TF_CPP_MIN_LOG_LEVEL'])"
    assert run(code).stdout.strip() == "1"
