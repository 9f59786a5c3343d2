"""The errors a user can cause, each a sentence: what happened, what was expected, what to do."""

from __future__ import annotations


class InputError(ValueError):
    """What was given cannot be used as it is. The command line prints it and exits with code 2."""


class BundleError(InputError):
    """A file does not hold a detector that this version can open."""


class OutputError(OSError):
    """A result could not be written. Nothing half-written is left behind."""
