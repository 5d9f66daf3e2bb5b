"""Where a data set comes from: its publisher's archive, and the folder that it unpacks to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Download:
    """One file of the publisher's."""

    url: str
    md5: str
    """As the publisher, or those who mirror the file, give it."""
    kind: Literal["tar.gz", "zip", "plain"]

    @property
    def name(self) -> str:
        """Its last part."""
        return self.url.rsplit("/", 1)[-1]


@dataclass(frozen=True)
class Source:
    """A data set that does not ship with a package."""

    folder: str
    """What the archive unpacks to; for plain files, the folder that they are put in."""
    downloads: tuple[Download, ...]
    megabytes: int
    """Of the downloads together, so that a user knows what is coming."""

    @property
    def url(self) -> str:
        """The first download, to name in a message."""
        return self.downloads[0].url
