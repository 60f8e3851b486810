"""Looks how full a file system is."""

import os
from pathlib import Path

import attrs

from domain.disk import DiskUse


@attrs.frozen
class StatvfsProbe:
    """Implements `protocols.ports.DiskProbe` for the file system that a folder is on."""

    folder: Path

    def look(self) -> DiskUse:
        """Raises OSError when the file system can't be asked, or does not say how large it is.

        `shutil.disk_usage` has root's reserve (5 % of an ext4) in its total, but neither in what is
        used nor in what is free: by it a disk on which nobody but root can write is 95 % full. Here
        the reserve is left out, as in `df`: at 100 % nothing can be written, whoever asks.
        """
        found = os.statvfs(self.folder)
        used_blocks = found.f_blocks - found.f_bfree
        total_blocks = used_blocks + found.f_bavail
        if total_blocks <= 0:
            raise OSError(f"the file system of {self.folder} does not say how large it is")
        return DiskUse(
            total_bytes=total_blocks * found.f_frsize, free_bytes=found.f_bavail * found.f_frsize
        )
