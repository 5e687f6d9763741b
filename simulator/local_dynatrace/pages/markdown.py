"""Markdown of tiles and messages as HTML: no raw HTML, no images, links only to http(s) and to paths."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markupsafe import Markup

HIGHEST = 2
"""The level of a text's highest headings, as those of the page's own parts."""


@cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")
    parser.validateLink = lambda url: url.startswith(("http://", "https://", "/", "#"))  # type: ignore[method-assign]
    return parser


def html(text: str) -> Markup:
    from markupsafe import Markup

    parser = _parser()
    tokens = parser.parse(text)
    headings = [token for token in tokens if token.type in ("heading_open", "heading_close")]
    highest = min((int(token.tag[1]) for token in headings), default=1)
    for token in headings:
        token.tag = f"h{min(6, int(token.tag[1]) - highest + HIGHEST)}"
    return Markup(parser.renderer.render(tokens, parser.options, {}))
