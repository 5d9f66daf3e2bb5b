"""What a page holds, as a browser's parser sees it."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"meta", "link", "img", "br", "input", "hr"}
LOADING = {"src", "href", "xlink:href", "action", "data", "poster", "srcset"}


@dataclass
class Page:
    """Tags with their attributes, and the text between them."""

    tags: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    open_at_end: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    scripts: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())

    def named(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.tags if name == tag]

    @property
    def identifiers(self) -> list[str]:
        return [attributes["id"] for _, attributes in self.tags if "id" in attributes]

    @property
    def addresses(self) -> list[str]:
        """Everything that the page could load or lead to."""
        found = [value for _, given in self.tags for name, value in given.items() if name in LOADING]
        for _, given in self.tags:
            found += re.findall(r"url\(([^)]*)\)", " ".join(given.values()))
        return found


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.page = Page()
        self.stack: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.page.tags.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.stack.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.page.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.stack, f"</{tag}> closes nothing"
        assert self.stack.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.stack and self.stack[-1] == "script":
            self.page.scripts.append(data)
        elif not self.stack or self.stack[-1] != "style":
            self.page.texts.append(data)


def parsed(html: str) -> Page:
    """Fails where tags do not nest."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    assert reader.stack == []
    return reader.page


def assert_self_contained(page: Page) -> None:
    """Nothing is loaded, only our script may run, and every identifier is there once."""
    for address in page.addresses:
        assert address.startswith(("data:", "#")), address
    links = [given["href"] for given in page.named("a")]
    assert {link[1:] for link in links} <= set(page.identifiers)
    assert len(set(page.identifiers)) == len(page.identifiers)
    assert len(page.scripts) == 1
    digest = base64.b64encode(hashlib.sha256(page.scripts[0].encode()).digest()).decode()
    policy = next(given["content"] for given in page.named("meta") if "http-equiv" in given)
    assert policy.startswith("default-src 'none'")
    assert f"script-src 'sha256-{digest}'" in policy
    assert not [name for _, given in page.tags for name in given if name.startswith("on")]


def assert_accessible(page: Page) -> None:
    """Pictures have words, tables have heads, headings do not skip a level."""
    assert all(given.get("alt") for given in page.named("img"))
    assert all(given.get("aria-label") for given in page.named("svg"))
    assert all("scope" in given for given in page.named("th"))
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch("h[1-6]", tag)]
    assert levels.count(1) == 1
    assert page.named("html")[0]["lang"] == "en"
