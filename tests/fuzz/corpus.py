"""Writes the seed corpus for fuzzing the Rust core: python -m tests.fuzz.corpus [FOLDER]

The builders of tests/build create the inputs; each target has a folder, by default in rust/fuzz/corpus.
"""

import bz2
import gzip
import io
import lzma
import struct
import sys
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from tests.build import broken, lz4, lzw, objects, zst
from tests.build.dicom import MrSeries, Syntax, Vendor, encoded
from tests.build.encrypted import Aes, encrypted
from tests.build.mosaics import Mosaic
from tests.build.packets import Kind, packed, tarred, zipped
from tests.build.parrec import ParRec
from tests.build.sevenz import Method, sevenz
from tests.build.sevenz_samples import SEVENZ_SAMPLES

FOLDER = Path(__file__).resolve().parents[2] / "rust" / "fuzz" / "corpus"
SMALL = MrSeries(slices=2, rows=4, columns=3)
WORDS = b"words and more words, " * 6
MEMBERS = (
    bytes([0, 3, 5, 0]) + b"one12345" + bytes([1, 6, 40, 0]) + b"folder" + WORDS[:40] + bytes([3, 1, 9, 0]) + WORDS[:10]
)
"""Archive members as the targets parse them: method, length of the name, length of the content, name, content."""


def first_file(series: MrSeries) -> bytes:
    """Return the first file of a series."""
    return next(iter(series.files().values()))


def private(syntax: Syntax) -> bytes:
    """Return an object with nested private sequences and a name in two scripts."""
    dataset = next(SMALL.datasets())
    dataset.SpecificCharacterSet = ["", "ISO 2022 IR 87"]
    dataset.PatientName = "Yamada^Tarou=山田^太郎"
    inner = Dataset()
    inner.add_new(0x00110010, "LO", "SOMEONE")
    inner.add_new(0x00111003, "LO", "x")
    outer = Dataset()
    outer.add_new(0x00110010, "LO", "SOMEONE")
    outer.add_new(0x00111002, "SQ", Sequence([inner]))
    dataset.add_new(0x00110010, "LO", "SOMEONE")
    dataset.add_new(0x00111001, "SQ", Sequence([outer, Dataset()]))
    dataset[0x00111001].is_undefined_length = True
    dataset.add_new(0x20010010, "LO", "Philips Imaging DD 001")
    dataset.add_new(0x20011018, "SL", 1)
    return encoded(dataset, syntax)


def headers() -> dict[str, bytes]:
    """Return objects of all transfer syntaxes, kinds and manufacturers."""
    plain = [syntax for syntax in Syntax if syntax is not Syntax.RLE]
    inputs = {f"classic-{syntax.name.lower()}": first_file(SMALL.with_(syntax=syntax)) for syntax in Syntax}
    inputs |= {f"private-{syntax.name.lower()}": private(syntax) for syntax in plain}
    inputs |= {f"enhanced-{syntax.name.lower()}": encoded(objects.enhanced(SMALL), syntax) for syntax in plain}
    inputs |= {f"maker-{vendor.name.lower()}": first_file(SMALL.with_(vendor=vendor)) for vendor in Vendor}
    inputs["bare"] = first_file(SMALL.with_(preamble=False, meta=False))
    inputs["bare-implicit"] = first_file(SMALL.with_(preamble=False, meta=False, syntax=Syntax.IMPLICIT))
    inputs["dicomdir"] = objects.dicomdir(SMALL)
    inputs["gzip"] = gzip.compress(inputs["classic-explicit"], mtime=0)
    makers = (objects.report, objects.raw_data, objects.spectroscopy, objects.presentation_state, objects.screen_save)
    return inputs | {make.__name__: encoded(make(SMALL)) for make in makers}


def frames() -> dict[str, bytes]:
    """Return classic, enhanced and mosaic objects, in the transfer syntaxes with different pixel encodings."""
    small = MrSeries(slices=2, volumes=2, rows=4, columns=3)
    syntaxes = (Syntax.EXPLICIT, Syntax.IMPLICIT, Syntax.BIG, Syntax.DEFLATED)
    inputs = {f"classic-{syntax.name.lower()}": first_file(SMALL.with_(syntax=syntax)) for syntax in syntaxes}
    inputs |= {f"enhanced-{syntax.name.lower()}": encoded(objects.enhanced(small), syntax) for syntax in syntaxes}
    mosaics = Mosaic(slices=2, volumes=1, b_values=(700,))
    for vendor in (Vendor.SIEMENS, Vendor.UIH):
        inputs[f"mosaic-{vendor.name.lower()}"] = encoded(mosaics.with_(vendor=vendor).datasets()[0])
    return inputs


def zips() -> dict[str, bytes]:
    """Return zip archives of every method of zipfile: sound, unusual and damaged."""
    tree = {"a/1": first_file(SMALL)[:300], "a/ü": WORDS}
    inputs = {"stored": zipped(tree, stored=True), "deflated": zipped(tree), "empty": zipped({})}
    for method, name in ((zipfile.ZIP_BZIP2, "bzip2"), (zipfile.ZIP_LZMA, "lzma")):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", method) as archive:
            archive.writestr(zipfile.ZipInfo("a", (2024, 1, 15, 10, 15, 0)), WORDS, method)
        inputs[name] = out.getvalue()
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive, archive.open("wide", "w", force_zip64=True) as member:
        member.write(WORDS)
    streamed = io.BytesIO()
    with zipfile.ZipFile(Unseekable(streamed), "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("later", (2024, 1, 15, 10, 15, 0)), WORDS, zipfile.ZIP_DEFLATED)
    inputs |= {"zip64": out.getvalue(), "streamed": streamed.getvalue()}
    inputs |= {f"aes-{version}": encrypted({"a": WORDS}, cipher=Aes(version=version)) for version in (1, 2)}
    inputs |= {"same-names": broken.same_names([("x", b"one"), ("x", b"two")]), "encrypted": encrypted(tree)}
    inputs |= {
        "cut": inputs["deflated"][:-40],
        "behind": b"#!/bin/sh\n" + inputs["deflated"],
        "bomb": broken.bomb("z", 60000),
    }
    return inputs | {f"written-{how}": bytes([how]) + b"\x55\x00" + MEMBERS for how in (0, 1)}


class Unseekable(io.RawIOBase):
    """A stream that cannot seek: zipfile writes sizes after the data."""

    def __init__(self, buffer: io.BytesIO) -> None:
        self.buffer = buffer

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        return self.buffer.write(data)


def sevenzs() -> dict[str, bytes]:
    """Return 7z archives of every method, sound and damaged, and members that the target packs itself."""
    tree = {"a/1": first_file(SMALL)[:300], "a/ü": WORDS, "none": b""}
    inputs = {name.replace(" ", "-"): data for name, data in SEVENZ_SAMPLES.items()}
    inputs |= {"apart": sevenz(tree, solid=False, folders=["b"]), "members": sevenz(tree, Method.COPY)}
    inputs |= {"cut": inputs["lzma"][:-20], "behind": inputs["lzma"] + b"tail", "none": sevenz({})}
    return inputs | {f"written-{how}": bytes([how]) + MEMBERS for how in range(8)}


def tars() -> dict[str, bytes]:
    """Return tar archives of every format, with long names, links, devices and sparse members."""
    tree = {"a/1": first_file(SMALL)[:300], "a/" + 60 * "long" + "/2": WORDS}
    forms = ((tarfile.PAX_FORMAT, "pax"), (tarfile.GNU_FORMAT, "gnu"))
    inputs = {name: tarred(tree, form=form)[: 512 * 14] for form, name in forms}
    inputs["ustar"] = tarred({"a/1": WORDS, "b": b""}, form=tarfile.USTAR_FORMAT)[: 512 * 7]
    odd = broken.odd_tar({"a": b"1"}, links={"link": b"../out"}, devices=["null"])
    inputs |= {"odd": odd[: 512 * 8], "cut": odd[:700]}
    inputs |= {f"sparse-{name}": sparse(**records) for name, records in SPARSE.items()}
    return inputs | {f"written-{how}": bytes([how]) + b"\x55\x05" + MEMBERS for how in (0, 1)}


SPARSE: Mapping[str, Mapping[str, str]] = {
    "map": {"GNU.sparse.size": "9", "GNU.sparse.numblocks": "2", "GNU.sparse.map": "0,2,5,3"},
    "head": {
        "GNU.sparse.major": "1",
        "GNU.sparse.minor": "0",
        "GNU.sparse.name": "holes",
        "GNU.sparse.realsize": "9",
    },
}


def sparse(**records: str) -> bytes:
    """Return a tar with one sparse member that has these pax records."""
    out = io.BytesIO()
    data = b"abcde" if "GNU.sparse.map" in records else b"2\n0\n2\n5\n3\n".ljust(512, b"\0") + b"abcde"
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        info = tarfile.TarInfo("GNUSparseFile.0/holes")
        info.size, info.pax_headers = len(data), dict(records)
        archive.addfile(info, io.BytesIO(data))
    return out.getvalue()[: 512 * 7]


def streams() -> dict[str, bytes]:
    """Return data compressed in each way, two streams with trailing bytes of each, and data that the target packs itself."""
    compressions: dict[str, Callable[[bytes], bytes]] = {
        "gz": lambda data: gzip.compress(data, mtime=0),
        "bz2": lambda data: bz2.compress(data, 1),
        "xz": lambda data: lzma.compress(data, preset=0),
        "lzma": lambda data: lzma.compress(data, lzma.FORMAT_ALONE, preset=0),
        "lz4": lz4.compress,
        "zst": zst.compress,
        "z": lzw.compress,
    }
    inputs = {}
    for name, compress in compressions.items():
        inputs[name] = compress(WORDS)
        inputs[f"{name}-twice"] = compress(WORDS[:9]) + compress(b"") + b"\0\0\0"
    inputs["z-long"] = lzw.compress(bytes(k * k % 251 for k in range(900)))
    return inputs | {f"written-{how}": bytes([how]) + WORDS for how in (0, 3, 5, 6, 7)}


def blocks() -> dict[str, bytes]:
    """Return deflate streams of stored, fixed and dynamic blocks; the target also packs each of them."""
    noise = bytes(k * k * 7 % 253 for k in range(900))
    inputs = {}
    for name, data in (("words", WORDS), ("noise", noise), ("none", b"")):
        for level in (0, 1, 9):
            deflate = zlib.compressobj(level, zlib.DEFLATED, -15)
            inputs[f"{name}-{level}"] = deflate.compress(data) + deflate.flush()
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15, 9, zlib.Z_FIXED)
    inputs["fixed"] = deflate.compress(noise) + deflate.flush()
    return inputs


def files() -> dict[str, bytes]:
    """Return the contents of gzip files after the header: single streams, and streams flushed into several pieces."""
    inputs = {name: data for name, data in blocks().items() if name.endswith(("-1", "-9"))}
    for name, data in (("words", WORDS), ("zeros", bytes(3000))):
        deflate = zlib.compressobj(6, zlib.DEFLATED, -15)
        pieces = b"".join(deflate.compress(data) + deflate.flush(zlib.Z_FULL_FLUSH) for _ in range(3))
        sums = zlib.crc32(data * 3).to_bytes(4, "little") + (3 * len(data)).to_bytes(4, "little")
        inputs[f"{name}-pieces"] = pieces + deflate.flush() + sums
    return inputs


def packets() -> dict[str, bytes]:
    """Return small packets."""
    files = SMALL.with_(slices=1).files() | {"notes.txt": WORDS, "DICOMDIR": objects.dicomdir(SMALL)}
    pair = ParRec(slices=1, rows=2, columns=2).files()
    nested = {"inner.zip": zipped(files), "copy.gz": gzip.compress(files["IM0001"], mtime=0), **files}
    inputs = {"zip": zipped(nested), "pair": zipped(pair), "dicom": files["IM0001"]}
    inputs |= {
        kind.value.lstrip("."): packed(files, kind) for kind in (Kind.SEVENZ, Kind.TAR, Kind.TAR_GZ, Kind.TAR_ZST)
    }
    climbing = {
        "../../up": b"1",
        "/etc/rooted": b"2",
        "a//b/./c": b"3",
        "a": b"4",
        "A": b"5",
        "..\\w": b"6",
        "x!y": b"7",
    }
    inputs |= {
        "climbing-zip": zipped(climbing),
        "climbing-tar": tarred(climbing, form=tarfile.USTAR_FORMAT)[: 512 * 16],
    }
    inputs["encrypted"] = encrypted(files)
    inputs["same"] = broken.same_names([("x", files["IM0001"]), ("x", files["IM0001"]), ("y", b"two")])
    return inputs | {"odd": broken.odd_tar({"a": WORDS}, links={"l": b"/etc"}, devices=["null"])[: 512 * 8]}


def scans() -> dict[str, bytes]:
    """Return NIfTI images of a few volumes, with several data types and both byte orders."""
    shape, count = (4, 3, 2, 12), 4 * 3 * 2 * 12
    values = [100 * (k % 5) + k % 7 for k in range(count)]
    inputs = {}
    for name, code, letter, order in (
        ("short", 4, "h", "<"),
        ("short-big", 4, "h", ">"),
        ("byte", 2, "B", "<"),
        ("float", 16, "f", "<"),
        ("double-big", 64, "d", ">"),
        ("long", 1024, "q", "<"),
    ):
        head = bytearray(352)
        struct.pack_into(f"{order}i", head, 0, 348)
        struct.pack_into(f"{order}8h", head, 40, 4, *shape, 1, 1, 1)
        struct.pack_into(f"{order}2h", head, 70, code, 8 * struct.calcsize(letter))
        struct.pack_into(f"{order}3f", head, 108, 352, 2, -1)
        head[344:348] = b"n+1\0"
        inputs[name] = bytes(head) + struct.pack(f"{order}{count}{letter}", *(value % 256 for value in values))
    return inputs


TARGETS: Mapping[str, Callable[[], dict[str, bytes]]] = {
    "header": headers,
    "frames": frames,
    "zip": zips,
    "sevenz": sevenzs,
    "tar": tars,
    "compressed": streams,
    "deflate_blocks": blocks,
    "reread": files,
    "statistics": scans,
    "ingest": packets,
}


def main(folder: Path) -> None:
    """Write the inputs of each target into its folder."""
    for target, make in TARGETS.items():
        target_folder = folder / target
        target_folder.mkdir(parents=True, exist_ok=True)
        for name, data in make().items():
            (target_folder / f"{name}.bin").write_bytes(data)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if sys.argv[1:] else FOLDER)
