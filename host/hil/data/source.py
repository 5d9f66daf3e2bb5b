"""Where a data set comes from: its publisher's archive, and the folder that it unpacks to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Download:
    """One file of the publisher's."""

    url: str
    checksum: str
    """MD5 (32 digits) or SHA-256 (64), as the publisher, or those who mirror the file, give it."""
    kind: Literal["tar.gz", "zip", "plain"]
    has_folder: bool = True
    """Whether all of an archive lies in one folder."""

    @property
    def name(self) -> str:
        """Its last part."""
        return self.url.rsplit("/", 1)[-1]

    @property
    def algorithm(self) -> str:
        """Of the checksum, as hashlib calls it."""
        return "md5" if len(self.checksum) == 32 else "sha256"


@dataclass(frozen=True)
class Source:
    """A data set that does not ship with a package."""

    folder: str
    """What the archive unpacks to; for plain files, the folder that they are put in."""
    downloads: tuple[Download, ...]
    megabytes: int
    """Of the downloads together, so that a user knows what is coming."""
    how: str = ""
    """What to do where there is nothing to download."""

    @property
    def hint(self) -> str:
        """How to come by it."""
        if not self.downloads:
            return self.how
        return (
            f"`hil data fetch` gets it ({self.megabytes} MB); or unpack {self.downloads[0].url} "
            "somewhere and name that place with --data-dir or HIL_DATA"
        )
