"""Files that commands are given by name: what is wrong with one, and writing one that was not there before."""

import os
from pathlib import Path

from content.problem import InputError, Problem


def write_new(path: Path, data: bytes, mode: int) -> None:
    """A file that was not there before, whole and on the disk, or InputError."""
    try:
        number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    except FileExistsError as error:
        remedy = "Name another file, or move this one away first; it may hold what exists nowhere else."
        raise wrong_file(path, "the file exists and is never overwritten", remedy) from error
    except OSError as error:
        raise wrong_file(path, error.strerror or str(error), "Name a file in a folder you can write to.") from error
    try:
        with os.fdopen(number, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        path.unlink(missing_ok=True)
        raise


def wrong_file(path: Path, found: str, remedy: str) -> InputError:
    return InputError([Problem(str(path), "file", found, remedy)])
