"""Whole puts files in their place whole or not at all."""

import os
from pathlib import Path

from workers.operator.terms import Refused


def replace_whole(file: Path, content: bytes) -> None:
    """Write a file under another name, and then give it its own.

    Raises:
        Refused: it cannot be written.
    """
    part = file.with_name(f".{file.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        part.replace(file)
    except OSError as error:
        raise Refused(f"{file} cannot be written: {error.strerror}") from None
    finally:
        part.unlink(missing_ok=True)
