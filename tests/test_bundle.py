"""The saved file: what goes in comes out, and nothing else gets in."""

import io
import json
import pickle
import subprocess
import sys
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import vaenb
from vaenb.bundle import FORMAT_VERSION, read_bundle, write_bundle
from vaenb.errors import BundleError, InputError, OutputError

META = {"threshold": 3.25, "channels": ["a", "ü\ud800"], "none": None, "deep": {"x": [1, [True, {}]]}}


def example_arrays():
    rng = np.random.default_rng(0)
    return {
        "encoder/dense_0/kernel": rng.normal(size=(5, 3)).astype(np.float32),
        "odd": np.array([np.nan, -0.0, np.inf, 5e-324]),
        "empty": np.empty((0, 4), dtype=np.int8),
        "scalar": np.array(7, dtype=np.int64),
        "turned": rng.normal(size=(4, 6)).T,
        "flags": np.array([True, False]),
        "bytes": np.arange(256, dtype=np.uint8),
        "times": np.array(["2024-01-01", "NaT"], dtype="datetime64[ns]"),
        "spans": np.array([1, 2], dtype="timedelta64[10ms]"),
        "text": np.array(["ä", "", "\U0001f600xyz"]),
    }


def by_hand(members, *, compression=zipfile.ZIP_STORED):
    """A bundle as somebody else would make it, from names and bytes."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return stream.getvalue()


def head(names=(), **changes):
    content = {"format": "vaenb", "format_version": 1, "vaenb": "0.1.0", "arrays": list(names), "meta": {}}
    return "meta.json", json.dumps(content | changes).encode()


def npy(array):
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=True)
    return stream.getvalue()


def npy_with(descr, shape, content=b""):
    text = f"{{'descr': {descr!r}, 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + content


def read_bytes(tmp_path, content):
    path = tmp_path / "x.vaenb"
    path.write_bytes(content)
    return read_bundle(path)


def same(left, right):
    return (
        left.keys() == right.keys()
        and all(left[name].dtype == right[name].dtype for name in left)
        and all(left[name].shape == right[name].shape for name in left)
        and all(left[name].tobytes() == right[name].tobytes() for name in left)
    )


# There and back


def test_what_goes_in_comes_out_bit_for_bit(tmp_path):
    path = tmp_path / "pump.vaenb"
    write_bundle(path, arrays=example_arrays(), meta=META)
    arrays, meta = read_bundle(path)
    assert same(arrays, example_arrays())
    assert meta == META
    assert all(array.flags.writeable and array.flags.c_contiguous for array in arrays.values())
    assert [entry.name for entry in tmp_path.iterdir()] == ["pump.vaenb"]


@settings(deadline=None)
@given(
    hnp.arrays(
        st.sampled_from(["f4", "f8", ">f8", "i1", "i2", ">i4", "i8", "u1", "?", "U3", "M8[s]", "m8[us]"]).map(
            np.dtype
        ),
        hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4),
    )
)
def test_any_array_comes_back(tmp_path_factory, array):
    path = tmp_path_factory.mktemp("any") / "x"
    write_bundle(path, arrays={"a": array}, meta={})
    back = read_bundle(path)[0]["a"]
    assert back.shape == array.shape
    assert back.dtype == array.dtype.newbyteorder("<")
    assert back.tobytes() == array.astype(back.dtype).tobytes()


def test_equal_content_gives_equal_bytes(tmp_path):
    arrays = example_arrays()
    write_bundle(tmp_path / "a", arrays=arrays, meta=META)
    turned = dict(reversed(arrays.items()))
    write_bundle(tmp_path / "b", arrays=turned, meta=dict(reversed(META.items())))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_the_file_is_a_plain_zip_of_npy_and_json(tmp_path):
    write_bundle(tmp_path / "a", arrays=example_arrays(), meta=META)
    with zipfile.ZipFile(tmp_path / "a") as archive:
        assert archive.testzip() is None
        assert archive.namelist()[0] == "meta.json"
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        said = json.loads(archive.read("meta.json"))
        assert (said["format"], said["format_version"], said["vaenb"]) == ("vaenb", 1, vaenb.__version__)
        assert said["arrays"] == sorted(example_arrays())
        for name, array in example_arrays().items():
            read = np.load(io.BytesIO(archive.read(f"arrays/{name}.npy")), allow_pickle=False)
            np.testing.assert_array_equal(read, array)


def test_a_file_of_format_1_made_by_hand_is_read(tmp_path):
    """The format is a contract: this file is made without `write_bundle`."""
    array = np.array([[1.5, 2.0]])
    content = by_hand([head(["w/a"], meta={"k": 1}), ("arrays/w/a.npy", npy(array))])
    arrays, meta = read_bytes(tmp_path, content)
    np.testing.assert_array_equal(arrays["w/a"], array)
    assert meta == {"k": 1}


def test_nothing_at_all_is_also_a_bundle(tmp_path):
    write_bundle(tmp_path / "a", arrays={}, meta={})
    assert read_bundle(tmp_path / "a") == ({}, {})


# What cannot be saved


@pytest.mark.parametrize(
    "array",
    [
        np.array([object()]),
        np.zeros(2, dtype=complex),
        np.zeros(2, dtype=np.float16),
        np.zeros(2, dtype=[("a", "f4")]),
        np.array([b"x"]),
        np.zeros(2, dtype=np.uint64),
    ],
)
def test_other_kinds_of_arrays_are_not_saved(tmp_path, array):
    with pytest.raises(InputError, match=r"The array 'a' is of dtype .* which a bundle does not hold"):
        write_bundle(tmp_path / "x", arrays={"a": array}, meta={})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "name", ["", "../a", "/a", "a/../b", "a//b", "a\\b", "a b", ".a", "ä", "a\n", "a" * 101]
)
def test_names_that_could_mean_something_are_not_saved(tmp_path, name):
    with pytest.raises(InputError, match="cannot name an array: use letters, digits"):
        write_bundle(tmp_path / "x", arrays={name: np.zeros(1)}, meta={})


def nested(depth):
    value = []
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("meta", "said"),
    [
        ({"a": float("nan")}, "cannot be saved as JSON"),
        ({"a": float("inf")}, "cannot be saved as JSON"),
        ({"a": np.float32(1)}, "cannot be saved as JSON"),
        ({"a": {1, 2}}, "cannot be saved as JSON"),
        ({"a": (1, 2)}, "does not come back from JSON as it was"),
        ({"a": {1: 2}}, "does not come back from JSON as it was"),
        ({"a": nested(60)}, "nested at most 50 deep"),
        ({"a": nested(100_000)}, "cannot be saved as JSON"),
        ({"a": "x" * 2**24}, "16,777,216 bytes long"),
    ],
    ids=["nan", "inf", "numpy", "set", "tuple", "number key", "deep", "very deep", "long"],
)
def test_meta_that_would_come_back_different_is_not_saved(tmp_path, meta, said):
    with pytest.raises(InputError, match=said):
        write_bundle(tmp_path / "x", arrays={}, meta=meta)


def test_more_than_a_bundle_holds_is_not_saved(tmp_path, monkeypatch):
    monkeypatch.setattr("vaenb.bundle.MOST_BYTES", 1000)
    with pytest.raises(InputError, match=r"1 arrays of together .* bytes do not fit into a bundle"):
        write_bundle(tmp_path / "x", arrays={"a": np.zeros(200)}, meta={})


def test_a_full_disk_leaves_the_old_bundle(tmp_path):
    path = tmp_path / "x.vaenb"
    write_bundle(path, arrays=example_arrays(), meta=META)
    before = path.read_bytes()
    code = f"""
import resource, numpy as np
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
from vaenb.bundle import write_bundle
write_bundle({str(path)!r}, arrays={{"a": np.zeros(100_000)}}, meta={{}})
"""
    child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert child.stderr.strip().splitlines()[-1].startswith("vaenb.errors.OutputError: Cannot write")
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["x.vaenb"]


def test_a_folder_that_does_not_exist(tmp_path):
    with pytest.raises(OutputError, match="its folder does not exist; create it first"):
        write_bundle(tmp_path / "no" / "x", arrays={}, meta={})


# What is refused


@pytest.mark.parametrize(
    ("content", "seems"),
    [
        (b"", "empty"),
        (b"time,value\n1,2\n", "something else"),
        (pickle.dumps({"a": 1}), "a Python pickle, which can run code and is never opened"),
        (npy(np.zeros(3)), "a NumPy array"),
        (b"\x89HDF\r\n\x1a\n", "an HDF5 file, such as Keras weights"),
        (b"\x1f\x8b\x08\x00", "a gzip file"),
        (b"PAR1....", "a Parquet file"),
        (b"<!DOCTYPE html>", "a web page or XML"),
        (b'{"a": 1}', "JSON"),
        (by_hand([("config.json", b"{}"), ("model.weights.h5", b"")]), "a Keras model"),
        (by_hand([("a.npy", npy(np.zeros(3)))]), "another zip archive"),
    ],
)
def test_what_is_not_a_bundle_is_told_what_it_seems_to_be(tmp_path, content, seems):
    with pytest.raises(BundleError, match=f"x.vaenb' is not a saved detector: it seems to be {seems}"):
        read_bytes(tmp_path, content)


def test_a_file_that_cannot_be_opened(tmp_path):
    with pytest.raises(BundleError, match=r"There is no file .*none\.vaenb'; check its name and folder"):
        read_bundle(tmp_path / "none.vaenb")
    with pytest.raises(BundleError, match="cannot be opened: Is a directory"):
        read_bundle(tmp_path)


def test_a_newer_format_is_told_so_before_anything_else(tmp_path):
    future = head(format_version=FORMAT_VERSION + 1, vaenb="9.9.9", arrays={"not": "a list"})
    said = (
        r"x.vaenb' was written by vaenb 9\.9\.9, format 2; this is vaenb "
        rf"{vaenb.__version__}, which reads up to format 1: upgrade with pip install -U vaenb\.$"
    )
    with pytest.raises(BundleError, match=said):
        read_bytes(tmp_path, by_hand([future, ("new/thing.bin", b"?")]))


def test_a_newer_format_cannot_write_on_the_terminal(tmp_path):
    with pytest.raises(BundleError) as caught:
        read_bytes(tmp_path, by_hand([head(format_version=2, vaenb="\x1b[31m\nError: ")]))
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("kept", [0.2, 0.5, 0.9, 0.99])
def test_a_truncated_file(tmp_path, kept):
    write_bundle(tmp_path / "a", arrays=example_arrays(), meta=META)
    content = (tmp_path / "a").read_bytes()
    with pytest.raises(BundleError, match=r"x\.vaenb' is truncated or damaged: copy it again"):
        read_bytes(tmp_path, content[: int(len(content) * kept)])


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"format": "zip"}, "its meta.json is not vaenb's"),
        ({"format_version": 0}, "its format version is '0'"),
        ({"format_version": True}, "its format version is 'True'"),
        ({"format_version": "1"}, "its format version is '1'"),
        ({"format_version": 10**50}, "its format version is '10000000000000000000'"),
        ({"arrays": "a"}, "is not laid out as a bundle's"),
        ({"meta": []}, "is not laid out as a bundle's"),
        ({"meta": {"a": nested(60)}}, "is not laid out as a bundle's"),
        ({"arrays": [1]}, "names that a bundle does not allow"),
        ({"arrays": ["../../etc/passwd"]}, "names that a bundle does not allow"),
        ({"arrays": ["a", "a"]}, "names that a bundle does not allow"),
        ({"arrays": ["a"]}, "its table of contents and its members differ in 'arrays/a.npy'"),
    ],
)
def test_a_damaged_table_of_contents(tmp_path, changes, said):
    with pytest.raises(BundleError, match=said):
        read_bytes(tmp_path, by_hand([head(**changes)]))


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"format": "vaenb", "format_version": 1, "arrays": [], "meta": {"a": NaN}}',
        b'{"format": "vaenb", "format_version": 1, "arrays": [], "meta": {"a": 1e999}}',
        b'{"format": "vaenb", "format_version": 1, "arrays": [], "meta": {"a": ' + b"9" * 5000 + b"}}",
    ],
    ids=["empty", "no text", "deep", "nan", "overflow", "long number"],
)
def test_json_that_is_none(tmp_path, text):
    with pytest.raises(BundleError, match="truncated or damaged"):
        read_bytes(tmp_path, by_hand([("meta.json", text)]))


@pytest.mark.parametrize("text", [b"3", b"[]", b"null", b'"vaenb"'])
def test_json_that_is_something_else(tmp_path, text):
    with pytest.raises(BundleError, match=r"its meta\.json is not vaenb's"):
        read_bytes(tmp_path, by_hand([("meta.json", text)]))


class Bomb:
    def __reduce__(self):
        return (open, ("exploded", "w"))


@pytest.mark.parametrize(
    "content",
    [
        npy(np.array([Bomb()], dtype=object)),
        pickle.dumps(Bomb()),
        npy(np.zeros(2, dtype=complex)),
        npy(np.zeros(2, dtype=[("a", "f4")])),
        npy(np.zeros(2, dtype=">f8")),
        npy(np.asfortranarray(np.ones((2, 3)))),
        npy_with("|O", "(1,)", b"12345678"),
        npy_with("<f8", "(__import__('os').getpid(),)", b"12345678"),
        npy_with("<f8", "(-1,)", b"12345678"),
        npy_with("<f8", "(1.0,)", b"12345678"),
        npy_with("<M8[zz]", "(1,)", b"12345678"),
        npy_with("<U0", "(1000000000000,)"),
        npy_with("<f8", "(" + "1," * 40 + ")", b"12345678"),
        b"\x93NUMPY\x03\x00",
        b"",
    ],
)
def test_arrays_of_other_kinds_are_refused_unopened(tmp_path, monkeypatch, content):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BundleError, match="the array 'a' is not of a kind that a bundle holds"):
        read_bytes(tmp_path, by_hand([head(["a"]), ("arrays/a.npy", content)]))
    assert not (tmp_path / "exploded").exists()


@pytest.mark.parametrize("shape", ["(2,)", "(100000000000000,)", "(99999, 99999, 99999)", "(0,)", "()"])
def test_shapes_that_do_not_fit_are_refused_before_memory_is_taken(tmp_path, shape):
    content = npy_with("<f8", shape, b"123")
    with pytest.raises(BundleError, match=r"the array 'a' of shape .* does not have 3 bytes"):
        read_bytes(tmp_path, by_hand([head(["a"]), ("arrays/a.npy", content)]))


@pytest.mark.parametrize(
    ("descr", "content"), [("|b1", b"\x02"), ("<U1", b"\x00\x00\x11\x00"), ("<U1", b"\xff\xff\xff\xff")]
)
def test_values_that_are_none_of_their_kind(tmp_path, descr, content):
    with pytest.raises(BundleError, match="the array 'a' holds what is no value of its kind"):
        read_bytes(tmp_path, by_hand([head(["a"]), ("arrays/a.npy", npy_with(descr, "(1,)", content))]))


def test_an_empty_array_of_enormous_sides(tmp_path):
    content = npy_with("<f8", "(0, 999999999999999, 999999999999999)")
    with pytest.raises(BundleError, match="truncated or damaged"):
        read_bytes(tmp_path, by_hand([head(["a"]), ("arrays/a.npy", content)]))


def test_a_zip_bomb_is_refused_by_its_table(tmp_path):
    content = by_hand([head(["a"]), ("arrays/a.npy", npy(np.zeros(10**6)))], compression=zipfile.ZIP_DEFLATED)
    assert len(content) < 20_000
    with pytest.raises(BundleError, match="a member is compressed, and members of a bundle are not"):
        read_bytes(tmp_path, content)


def test_members_that_share_their_bytes_are_refused(tmp_path):
    """Many entries of the table pointing at one large member: a bomb without compression."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(*head([f"a{i}" for i in range(50)]))
        archive.writestr("arrays/a0.npy", npy(np.zeros(10_000)))
        original = archive.filelist[-1]
        for i in range(1, 50):
            entry = zipfile.ZipInfo(f"arrays/a{i}.npy")
            entry.header_offset, entry.CRC = original.header_offset, original.CRC
            entry.file_size = entry.compress_size = original.file_size
            archive.filelist.append(entry)
    with pytest.raises(BundleError, match="its members are together longer than the file"):
        read_bytes(tmp_path, stream.getvalue())


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("name", ["meta.json", "arrays/a.npy"])
def test_two_members_of_one_name(tmp_path, name):
    member = ("arrays/a.npy", npy(np.zeros(1)))
    content = by_hand([head(["a"]), member, (name, dict([head(["a"]), member])[name])])
    with pytest.raises(BundleError, match="it holds two members of one name"):
        read_bytes(tmp_path, content)


@pytest.mark.parametrize("name", ["../evil.npy", "/etc/passwd", "arrays/../a.npy", "run_me.py", "arrays/"])
def test_members_that_are_not_in_the_table_of_contents(tmp_path, name):
    with pytest.raises(BundleError, match="its table of contents and its members differ in"):
        read_bytes(tmp_path, by_hand([head(), (name, b"")]))


def test_an_enormous_meta_is_not_read(tmp_path):
    content = by_hand([("meta.json", b" " * (2**24 + 1))])
    with pytest.raises(BundleError, match=r"its meta\.json is longer than 16,777,216 bytes"):
        read_bytes(tmp_path, content)


def test_a_file_larger_than_any_detector_is_not_read(tmp_path, monkeypatch):
    write_bundle(tmp_path / "a", arrays=example_arrays(), meta=META)
    monkeypatch.setattr("vaenb.bundle.MOST_BYTES", 500)
    with pytest.raises(BundleError, match="bytes long, and no detector is longer than 1,000"):
        read_bundle(tmp_path / "a")


def test_every_wrong_byte_in_an_array_is_noticed(tmp_path):
    write_bundle(tmp_path / "a", arrays={"a": np.arange(4.0)}, meta={})
    content = bytearray((tmp_path / "a").read_bytes())
    at = content.index(np.arange(4.0).tobytes())
    for place in range(at, at + 32):
        content[place] ^= 1
        with pytest.raises(BundleError, match="truncated or damaged"):
            read_bytes(tmp_path, bytes(content))
        content[place] ^= 1


def outcome(content, path):
    """The arrays and meta in a file, or the sentence that refuses it; nothing else may happen."""
    path.write_bytes(content)
    try:
        return read_bundle(path)
    except BundleError as error:
        return str(error)


def damaged(data, content):
    """Some bytes changed, and a piece cut off, removed or repeated."""
    content = bytearray(content)
    for _ in range(data.draw(st.integers(0, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    start, stop = sorted(data.draw(st.tuples(*[st.integers(0, len(content))] * 2)))
    what = data.draw(st.sampled_from(["nothing", "cut", "remove", "repeat"]))
    if what == "cut":
        del content[stop:]
    elif what == "remove":
        del content[start:stop]
    elif what == "repeat":
        content[start:start] = content[start:stop]
    return bytes(content)


@pytest.fixture(scope="module")
def intact(tmp_path_factory):
    path = tmp_path_factory.mktemp("intact") / "fuzzed.vaenb"
    write_bundle(path, arrays=example_arrays(), meta=META)
    return path.read_bytes(), path


@settings(max_examples=600, deadline=None)
@given(st.data())
def test_a_damaged_file_is_refused_or_gives_what_was_saved(intact, data):
    content, path = intact
    found = outcome(damaged(data, content), path)
    if isinstance(found, str):
        assert found.isprintable()
    else:
        assert same(found[0], example_arrays())
        assert found[1] == META


@settings(max_examples=600, deadline=None)
@given(st.data())
def test_a_hostile_member_with_a_true_checksum_is_refused_or_read(intact, data):
    """Checksums guard against accidents only: whoever builds a file can make them fit."""
    content, path = intact
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    name = data.draw(st.sampled_from(sorted(members)))
    members[name] = damaged(data, members[name])
    found = outcome(by_hand(members.items()), path)
    if isinstance(found, str):
        assert found.isprintable()
    else:
        json.dumps(found[1], allow_nan=False)
        assert all(array.dtype.kind in "fiubmMU" for array in found[0].values())
        assert all(array.tolist() is not None for array in found[0].values())
