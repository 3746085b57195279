"""Find links in the Markdown files that lead nowhere: files that are not there, headings that do not exist."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)[^)]*\)")
CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)
HEADING = re.compile(r"^#+ +(.+?) *$", re.MULTILINE)


def anchors(text: str) -> set[str]:
    """Return the anchors that GitHub and GitLab make of the headings."""
    fenced = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in HEADING.findall(fenced)}


def problems(root: Path, page: Path) -> list[str]:
    found = []
    for target in LINK.findall(CODE.sub("", page.read_text())):
        if re.match(r"[a-z]+:", target):
            continue  # another site: not looked up, so that the check works without a network
        name, _, anchor = target.partition("#")
        there = (page.parent / name).resolve() if name else page
        if not there.exists() or not there.is_relative_to(root):
            found.append(f"{page.relative_to(root)}: no file {target}")
        elif anchor and there.suffix == ".md" and anchor not in anchors(there.read_text()):
            found.append(f"{page.relative_to(root)}: no heading {target}")
    return found


def main() -> int:
    root = Path(__file__).resolve().parent.parent
    listing = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"]
    pages = subprocess.run(listing, cwd=root, check=True, capture_output=True, text=True).stdout.split("\n")
    dead = [problem for page in pages if page for problem in problems(root, root / page)]
    for problem in dead:
        print(problem)
    return 1 if dead else 0


if __name__ == "__main__":
    sys.exit(main())
