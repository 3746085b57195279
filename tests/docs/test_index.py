"""Every page of the documentation is found from the page that lists its like."""

from __future__ import annotations

import pytest

from tests.docs.blocks import PROJECT

LISTED_BY = {
    "README.md": ["docs/*.md", "docs/how-to/README.md", "docs/decisions/README.md", "config/README.md", "*.md"],
    "docs/how-to/README.md": ["docs/how-to/*.md"],
    "docs/decisions/README.md": ["docs/decisions/*.md"],
}


@pytest.mark.parametrize("index", LISTED_BY)
def test_every_page_is_listed(index: str) -> None:
    page = PROJECT / index
    links = page.read_text()
    pages = {found for pattern in LISTED_BY[index] for found in PROJECT.glob(pattern)} - {page}
    assert pages
    assert not [found.name for found in sorted(pages) if f"]({found.relative_to(page.parent)}" not in links]
