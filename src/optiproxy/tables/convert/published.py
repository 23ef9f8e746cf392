"""The files that a converter is given: that they are all there, and that a JSON file is one."""

from __future__ import annotations

import json
from collections.abc import Mapping

from optiproxy.errors import DataError


def given(files: Mapping[str, bytes], name: str) -> bytes:
    """Return the content of a file.

    Args:
        files: Local name -> content.
        name: The wanted one.

    Raises:
        DataError: If it is not among them.
    """
    if name not in files:
        raise DataError(f"Expected the file {name} among {', '.join(files) or 'no files'}. Fetch them all.")
    return files[name]


def parsed(text: bytes, name: str) -> object:
    """Read JSON.

    Args:
        text: What it is read from.
        name: Of the file, for messages.

    Raises:
        DataError: If it is none.
    """
    try:
        return json.loads(text)
    # Deep nesting ends in the second one.
    except (ValueError, RecursionError) as error:
        raise DataError(f"Expected {name} to be JSON: {error!s:.200}. Get the file again from its source.") from error
