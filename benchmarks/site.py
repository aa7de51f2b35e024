"""A site to crawl: pages of HTML with links to each other, the same ones in every run.

Each page has the look of one from a manual: a menu, a path of crumbs, a text with links in it, what is below, and
where to go on. Links are written in the ways in which pages write them: absolute, from the root, from here, with a
fragment, and several times; some are of no use to a crawl.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

PAGES: Final = 2000
"""As many as a peer with two hundred a second is done with in ten seconds."""

SITE: Final = "/site/"
"""Where the site begins; this is its first page, too."""

BRANCHES: Final = 8
"""Pages below a page: so each can be reached, and the site is as deep as sites are."""

MENU: Final = 6
OTHERS: Final = 6
"""Links to other pages, in the menu of each and at random."""

PARAGRAPHS: Final = 9

TEXT: Final = (
    "a the of and to in is that for it as with on be by are this from or at which an can has not have each when its "
    "request answer connection server client field value header body length stream buffer table index record entry "
    "page section option setting default number text name path file order time limit error state result method call"
)
WORDS: Final = TEXT.split()

PAGE: Final = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{title} - The manual</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="/site/style.css">
<link rel="icon" href="/site/icon.png">
<script src="/site/script.js" defer></script>
</head>
<body>
<nav class="menu"><ul>
{menu}
<li><a href="mailto:manual@example.org">Write to us</a></li>
</ul></nav>
<p class="crumbs"><a href="/site/">The manual</a> &gt; <a href="{above}.html">{above_title}</a> &gt; {title}</p>
<main>
<h1 id="top">{title}</h1>
{text}
<h2 id="below">Below this</h2>
<ul>
{below}
</ul>
<p class="next"><a href="{before}.html" rel="prev">Back</a> <a href="{after}.html" rel="next">On</a>
<a href="#top">To the top</a></p>
</main>
<footer><p>Made of nothing but random numbers. <a href="/site/#top">The manual</a></p></footer>
</body>
</html>
"""


def path_of(number: int) -> str:
    """The path of a page, of which there are :data:`PAGES`."""
    return f"{SITE}{number}.html" if number else SITE


def page(number: int) -> str:
    """The HTML of a page."""
    numbers = random.Random(number)
    others = [numbers.randrange(1, PAGES) for _ in range(OTHERS)]
    paragraphs = [_paragraph(numbers, others[place] if place < OTHERS else None) for place in range(PARAGRAPHS)]
    below = [child for child in range(number * BRANCHES + 1, (number + 1) * BRANCHES + 1) if child < PAGES]
    above = max(1, (number - 1) // BRANCHES)
    return PAGE.format(
        title=_title(number),
        menu="\n".join(f'<li><a href="{path_of(one)}">{_title(one)}</a></li>' for one in range(1, MENU + 1)),
        above=above,
        above_title=_title(above),
        text="\n".join(paragraphs),
        below="\n".join(f'<li><a href="./{child}.html">{_title(child)}</a></li>' for child in below),
        before=max(1, number - 1),
        after=min(PAGES - 1, number + 1),
    )


def write(directory: Path) -> None:
    """Makes the files of the site in ``directory``, which is what :data:`SITE` leads to."""
    directory.mkdir()
    for number in range(PAGES):
        name = path_of(number).removeprefix(SITE) or "index.html"
        (directory / name).write_text(page(number))


def _title(number: int) -> str:
    numbers = random.Random(-number)
    return f"{number}. {' '.join(numbers.choices(WORDS, k=3)).capitalize()}"


def _paragraph(numbers: random.Random, link: int | None) -> str:
    words = numbers.choices(WORDS, k=75)
    if link is not None:
        words[numbers.randrange(10, 60)] = f'<a href="../site/{link}.html#below">{_title(link)}</a>'
    return f"<p>{' '.join(words).capitalize()}.</p>"
