"""Files written whole or not at all."""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO


@contextmanager
def atomic_write(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """Opens a file for writing that appears at ``path`` only once it is complete.

    The bytes go to a hidden temporary file in the same folder, are flushed to the disk, and take the name ``path`` in
    one step when the block ends. If the block raises (an interrupt included), the temporary file is removed and what
    was at ``path`` before is untouched. The temporary name keeps the suffix, for writers that are given ``file.name``.
    A link is followed. A device or pipe (``/dev/stdout``) is written straight through.

    Args:
        path: the file to write; its folder must exist.

    Yields:
        The file, open for binary writing.

    Raises:
        OSError: the folder is missing or not writable, ``path`` is a folder, or the disk is full.
    """
    target = Path(os.path.realpath(path))
    if target.exists() and not stat.S_ISREG(target.stat().st_mode):
        # Renaming over a device would replace the device; open() refuses a folder with the right error.
        with open(target, "wb") as file:
            yield file
        return
    temporary = target.with_name(f".{target.stem}.{secrets.token_hex(4)}{target.suffix}")
    try:
        # Mode "x" honours the umask, which tempfile's private 0600 files would not.
        file = open(temporary, "xb")  # noqa: SIM115
    except OSError as error:
        raise type(error)(error.errno, error.strerror, os.fspath(path)) from None  # name the file that was asked for
    try:
        with file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise
