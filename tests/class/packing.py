"""What students hand in, the honest and the hostile, for collect.bats."""

import bz2
import gzip
import io
import tarfile
import zipfile

NOON = 1793527200  # 2026-11-01 10:00 UTC
SOURCE = b"int x;\n"


def zip_of(path, *entries, when=(2026, 11, 1, 10, 0, 0)):
    """entries: names, or (name, bytes), or (name, bytes, when)."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as z:
        for entry in entries:
            name, content, at = ((entry,) if isinstance(entry, str) else entry) + (SOURCE, when)[
                0 if isinstance(entry, str) else len(entry) - 1 :
            ]
            z.writestr(zipfile.ZipInfo(name, at), content)


def tar_of(path, *entries, mode="w"):
    """entries: names, or (name, bytes), or (name, bytes, seconds)."""
    with tarfile.open(path, mode, format=tarfile.PAX_FORMAT) as t:
        for entry in entries:
            entry = (entry,) if isinstance(entry, str) else entry
            name, content, at = entry + (SOURCE, NOON)[len(entry) - 1 :]
            info = tarfile.TarInfo(name)
            info.size, info.mtime = len(content), at
            t.addfile(info, io.BytesIO(content))


def tar_bytes(*entries):
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as t:
        for name, content in entries:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            t.addfile(info, io.BytesIO(content))
    return made.getvalue()


def links(path):
    """Every kind of entry that is no file under the name of one, and a file below a link."""
    with tarfile.open(path, "w:gz") as t:
        for name, kind, target in (
            ("tcp.c", tarfile.SYMTYPE, "/etc/passwd"),
            ("echo-server.c", tarfile.LNKTYPE, "/etc/passwd"),
            ("echo-client.c", tarfile.FIFOTYPE, ""),
            ("closing.c", tarfile.CHRTYPE, ""),
            ("away", tarfile.SYMTYPE, "/tmp"),
        ):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, target
            t.addfile(info)
        info = tarfile.TarInfo("away/udp.c")
        info.size, info.mtime = len(SOURCE), NOON
        t.addfile(info, io.BytesIO(SOURCE))


def zeros(path):
    """10 GiB of zeros in a few KB: bzip2 allows one packed piece after the other."""
    info = tarfile.TarInfo("zeros")
    info.size = 10 << 30
    piece = bz2.compress(bytes(128 << 20))
    with open(path, "wb") as f:
        f.write(bz2.compress(info.tobuf(tarfile.GNU_FORMAT)) + piece * 80)


def small_zeros(path, name, size, said):
    """A file of `size` zeros, of which the archive says that they are `said`."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as z:
        with z.open(zipfile.ZipInfo(name, (2026, 11, 1, 10, 0, 0)), "w") as f:
            for _ in range(size >> 20):
                f.write(bytes(1 << 20))
    with open(path, "rb") as f:
        made = f.read()
    with open(path, "wb") as f:
        f.write(made.replace(size.to_bytes(4, "little"), said.to_bytes(4, "little")))


def cut(path, n):
    with open(path, "rb") as f:
        made = f.read()
    with open(path, "wb") as f:
        f.write(made[:n])


def write(path, content):
    with open(path, "wb") as f:
        f.write(content)
