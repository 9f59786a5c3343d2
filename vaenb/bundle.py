"""One file for a fitted detector: arrays and JSON in a zip archive. Nothing in it is ever executed.

``meta.json`` comes first: the format and its version, the vaenb that wrote it, the names of the arrays, and
what the caller wants to keep. Each array is a ``.npy`` file under ``arrays/``. Members are stored, not
compressed: a file cannot unpack into more than its own size, and equal content gives equal bytes.
"""

from __future__ import annotations

import io
import json
import math
import os
import re
import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from vaenb import __version__
from vaenb.errors import BundleError, InputError
from vaenb.files import atomic_write

if TYPE_CHECKING:
    from typing import IO

    from numpy.typing import NDArray

FORMAT = "vaenb"
FORMAT_VERSION = 1
META = "meta.json"
MOST_BYTES = 2**30
MOST_META_BYTES = 2**24
MOST_ARRAYS = 10_000
MOST_NESTED = 50

_NAME = re.compile(r"\w[\w.-]{0,99}(/\w[\w.-]{0,99}){0,9}", re.ASCII)
_DTYPE = re.compile(
    r"[<|]([fi][48]|i[12]|u1|b1|U[1-9]\d{0,6}|[mM]8(\[([1-9]\d{0,8})?([YMWDhms]|[munpfa]s)\])?)", re.ASCII
)
_NPY = re.compile(
    rb"\x93NUMPY\x01\x00..\{'descr': '([^']{2,20})', 'fortran_order': False, "
    rb"'shape': \(((?:\d{1,15}, ?){0,31}(?:\d{1,15})?)\), \} *\n",
    re.DOTALL,
)
_SEEMS = {
    b"\x80": "a Python pickle, which can run code and is never opened",
    b"\x93NUMPY": "a NumPy array",
    b"\x89HDF": "an HDF5 file, such as Keras weights",
    b"\x1f\x8b": "a gzip file",
    b"PAR1": "a Parquet file",
    b"SQLite": "a database",
    b"<": "a web page or XML",
    b"{": "JSON",
}
# What zipfile, json and struct raise on damaged bytes; RecursionError is a RuntimeError.
_DAMAGE = (
    zipfile.BadZipFile,
    struct.error,
    NotImplementedError,
    RuntimeError,
    EOFError,
    ValueError,
    OverflowError,
    KeyError,
    OSError,
)


def write_bundle(
    path: str | os.PathLike[str], *, arrays: Mapping[str, NDArray[Any]], meta: Mapping[str, Any]
) -> None:
    """Save arrays and JSON in one file, whole or not at all.

    Parameters
    ----------
    path : path-like
    arrays : mapping of str to ndarray
        Of float32/64, int8/16/32/64, uint8, bool, datetime64, timedelta64 or fixed-width text. Names are
        letters, digits, ``_ - .`` and, between parts, ``/``.
    meta : mapping of str to what JSON can hold
        Lists, not tuples; no NaN.

    Raises
    ------
    InputError
        If something cannot be saved so that it comes back equal.
    OutputError
        If the file cannot be written; what was there before is untouched.

    Examples
    --------
    >>> import tempfile
    >>> path = os.path.join(tempfile.mkdtemp(), "pump.vaenb")
    >>> write_bundle(path, arrays={"scale": np.array([1.5, 2.0])}, meta={"threshold": 3.25})
    >>> read_bundle(path)
    ({'scale': array([1.5, 2. ])}, {'threshold': 3.25})
    """
    members = {f"arrays/{name}.npy": _to_npy(name, arrays[name]) for name in sorted(arrays)}
    members = {META: _to_json(sorted(arrays), meta), **members}
    total = sum(map(len, members.values()))
    if total > MOST_BYTES or len(arrays) > MOST_ARRAYS:
        raise InputError(
            f"{len(arrays):,} arrays of together {total:,} bytes do not fit into a bundle; it holds at most "
            f"{MOST_ARRAYS:,} arrays and {MOST_BYTES:,} bytes."
        )
    with atomic_write(path) as file:
        file.write(_to_zip(members))


def _to_zip(members: Mapping[str, bytes]) -> bytes:
    """The archive; nothing in it depends on the clock or the machine."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        for name, content in members.items():
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.create_system, entry.external_attr = 3, 0o100644 << 16
            archive.writestr(entry, content)
    return stream.getvalue()


def _to_npy(name: str, array: NDArray[Any]) -> bytes:
    values = np.asarray(array, order="C")
    values = values.astype(values.dtype.newbyteorder("<"), copy=False)
    if not _is_safe(name):
        raise InputError(f"{name!r} cannot name an array: use letters, digits, '_', '-', '.' and '/'.")
    if not _DTYPE.fullmatch(values.dtype.str):
        raise InputError(
            f"The array {name!r} is of dtype {values.dtype}, which a bundle does not hold; convert it to "
            f"float, int, bool, datetime64 or text."
        )
    stream = io.BytesIO()
    np.lib.format.write_array(stream, values, version=(1, 0), allow_pickle=False)
    return stream.getvalue()


def _to_json(names: list[str], meta: Mapping[str, Any]) -> bytes:
    head = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "vaenb": __version__,
        "arrays": names,
        "meta": dict(meta),
    }
    try:
        text = json.dumps(head, sort_keys=True, allow_nan=False, indent=1)
        comes_back = json.loads(text) == head
    except (TypeError, ValueError, RecursionError) as error:
        raise InputError(f"meta cannot be saved as JSON: {error}.") from None
    if not comes_back or len(text) > MOST_META_BYTES or _depth(head) > MOST_NESTED:
        raise InputError(
            f"meta does not come back from JSON as it was: use dicts with text keys, lists, numbers and "
            f"text, nested at most {MOST_NESTED} deep and {MOST_META_BYTES:,} bytes long."
        )
    return text.encode()


def read_bundle(path: str | os.PathLike[str]) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Read what `write_bundle` saved. No code in the file is run, whatever it holds.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    arrays : dict of str to ndarray
        Bit for bit what was saved, in C order and little-endian.
    meta : dict
        Keys in alphabetical order.

    Raises
    ------
    BundleError
        If there is no such file, or it is not a bundle, is truncated or damaged, comes from a newer
        version, or holds something a bundle does not.
    """
    try:
        with Path(path).open("rb") as file:
            size = _check_outside(path, file)
            with zipfile.ZipFile(file) as archive:
                return _read(path, archive, size)
    except BundleError:
        raise
    except FileNotFoundError:
        raise BundleError(f"There is no file {os.fspath(path)!r}; check its name and folder.") from None
    except (IsADirectoryError, PermissionError) as error:
        raise BundleError(f"{os.fspath(path)!r} cannot be opened: {error.strerror}.") from None
    except _DAMAGE as error:
        raise BundleError(
            f"{os.fspath(path)!r} is truncated or damaged: copy it again, or save the detector again."
        ) from error


def _check_outside(path: str | os.PathLike[str], file: IO[bytes]) -> int:
    """Look at the first bytes, and go back to the start; the size of the file."""
    size, head = os.fstat(file.fileno()).st_size, file.read(8)
    if size > 2 * MOST_BYTES:
        _refuse(path, f"it is {size:,} bytes long, and no detector is longer than {2 * MOST_BYTES:,}")
    if not head.startswith(b"PK\x03\x04"):
        seems = next((name for magic, name in _SEEMS.items() if head.startswith(magic)), "something else")
        raise BundleError(
            f"{os.fspath(path)!r} is not a saved detector: it seems to be {seems if head else 'empty'}."
        )
    file.seek(0)
    return size


def _read(
    path: str | os.PathLike[str], archive: zipfile.ZipFile, size: int
) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    entries = {entry.filename: entry for entry in archive.infolist()}
    if META not in entries:
        kind = "a Keras model" if "config.json" in entries else "another zip archive"
        raise BundleError(f"{os.fspath(path)!r} is not a saved detector: it seems to be {kind}.")
    if entries[META].file_size > MOST_META_BYTES:
        _refuse(path, f"its {META} is longer than {MOST_META_BYTES:,} bytes")
    if len(entries) < len(archive.infolist()):
        _refuse(path, "it holds two members of one name")
    if any(entry.compress_type or entry.file_size != entry.compress_size for entry in entries.values()):
        _refuse(path, "a member is compressed, and members of a bundle are not")
    if sum(entry.file_size for entry in entries.values()) > size:
        _refuse(path, "its members are together longer than the file")
    head = _from_json(path, archive.read(entries.pop(META)))
    names = {name: f"arrays/{name}.npy" for name in head["arrays"]}
    if set(names.values()) != entries.keys():
        odd = min(entries.keys() ^ set(names.values()))
        _refuse(path, f"its table of contents and its members differ in {odd!r}")
    arrays = {name: _from_npy(path, name, archive.read(member)) for name, member in names.items()}
    return arrays, head["meta"]


def _from_json(path: str | os.PathLike[str], text: bytes) -> dict[str, Any]:
    """The checked content of ``meta.json``; the format version is looked at first."""
    head = json.loads(text, parse_constant=_no_number, parse_float=_finite)
    if not isinstance(head, dict) or head.get("format") != FORMAT:
        raise BundleError(f"{os.fspath(path)!r} is not a saved detector: its {META} is not vaenb's.")
    version = head.get("format_version")
    if not isinstance(version, int) or isinstance(version, bool) or not 1 <= version < 10**6:
        _refuse(path, f"its format version is {str(version)[:20]!r}")
    if version > FORMAT_VERSION:
        writer = re.sub(r"[^\w.+]", "?", str(head.get("vaenb", "?"))[:20], flags=re.ASCII)
        raise BundleError(
            f"{os.fspath(path)!r} was written by vaenb {writer}, format {version}; this is vaenb "
            f"{__version__}, which reads up to format {FORMAT_VERSION}: upgrade with pip install -U vaenb."
        )
    names, meta = head.get("arrays"), head.get("meta")
    if not isinstance(names, list) or not isinstance(meta, dict) or _depth(head) > MOST_NESTED:
        _refuse(path, f"its {META} is not laid out as a bundle's")
    fine = all(isinstance(name, str) and _is_safe(name) for name in names)
    if not fine or not len(set(names)) == len(names) <= MOST_ARRAYS:
        _refuse(path, "its arrays have names that a bundle does not allow")
    return head


def _from_npy(path: str | os.PathLike[str], name: str, content: bytes) -> NDArray[Any]:
    """An array, from a header that is matched letter by letter and never evaluated."""
    found = _NPY.match(content)
    dtype = found.group(1).decode("ascii", "replace") if found else ""
    if found is None or not _DTYPE.fullmatch(dtype):
        _refuse(path, f"the array {name!r} is not of a kind that a bundle holds")
    shape = tuple(int(size) for size in found.group(2).decode().replace(" ", "").split(",") if size)
    values = np.frombuffer(content, dtype=np.uint8, offset=found.end())
    if math.prod(shape) * np.dtype(dtype).itemsize != len(values):
        _refuse(path, f"the array {name!r} of shape {shape} does not have {len(values):,} bytes")
    too_large = {"b": 1, "U": 0x10FFFF}.get(np.dtype(dtype).kind)
    if too_large and (values.view(np.uint8 if too_large == 1 else "<u4") > too_large).any():
        _refuse(path, f"the array {name!r} holds what is no value of its kind")
    return values.view(dtype).reshape(shape).copy()


def _is_safe(name: str) -> bool:
    return _NAME.fullmatch(name) is not None


def _depth(value: object) -> int:
    """How deep lists and dicts are nested; counted without recursion."""
    depth, level = 0, [value]
    while level := [item for item in level if isinstance(item, Mapping | list)]:
        depth += 1
        level = [part for item in level for part in (item.values() if isinstance(item, Mapping) else item)]
    return depth


def _finite(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else _no_number(text)


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number of JSON")


def _refuse(path: str | os.PathLike[str], reason: str) -> NoReturn:
    raise BundleError(f"{os.fspath(path)!r} is not a detector that vaenb has saved: {reason}.")
