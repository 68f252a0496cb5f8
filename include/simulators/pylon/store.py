"""Rendered issues, kept on disk: the largest world's do not fit in memory, and making one anew costs too much."""

import os
import tempfile
from array import array


class RowStore:
    """One rendered row per ticket, in a file without a name that goes with the process."""

    def __init__(self, tickets: int) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the store
        self._end = 0
        self._versions = array("q", [-1]) * tickets
        self._valid_at = array("q", [0]) * tickets
        self._offsets = array("q", [0]) * tickets
        self._lengths = array("q", [0]) * tickets

    def get(self, index: int, version: int, at: int) -> bytes | None:
        """The row of a ticket that has had so many events, if it was made for this instant or for any."""
        if self._versions[index] != version or self._valid_at[index] not in (0, at):
            return None
        return os.pread(self._file.fileno(), self._lengths[index], self._offsets[index])

    def put(self, index: int, version: int, at: int, row: bytes) -> None:
        """Keep a row; an instant of 0 says that it reads the same at any time."""
        os.pwrite(self._file.fileno(), row, self._end)
        self._versions[index], self._valid_at[index] = version, at
        self._offsets[index], self._lengths[index] = self._end, len(row)
        self._end += len(row)

    def close(self) -> None:
        self._file.close()
