"""``bulk/_report_table.py``: tables."""

from __future__ import annotations

from aiohttpclient.bulk._report_table import Row, safe, table


def test_table() -> None:
    """A table has its heads, and in each row a name and its cells."""
    text = table(("Name", "Number"), [Row("one", ("1",)), Row("two", ("2",))], caption="what it is")
    assert '<caption>what it is</caption><thead><tr><th scope="col">Name</th><th scope="col">Number</th></tr>' in text
    assert '<tr><th scope="row">one</th><td>1</td></tr><tr><th scope="row">two</th><td>2</td></tr>' in text
    assert "<svg" not in text


def test_bars() -> None:
    """A bar is as long as its share, never so short that it is not seen, and never longer than its place."""
    rows = [Row("a", ("1",), 1.0), Row("b", ("2",), 0.5, bad=True), Row("c", ("3",), 1e-9), Row("d", ("4",), 7.0)]
    text = table(("Name", "Number"), rows)
    for bar in ('"ok" width="100.00"', '"bad" width="50.00"', '"ok" width="0.60"'):
        assert f"<rect class={bar}" in text
    assert text.count('width="100.00"') == 2
    assert text.count('aria-hidden="true"') == 4


def test_what_explains_a_row() -> None:
    """What explains a row stands below it, as wide as the table."""
    text = table(("Name", "A", "B"), [Row("a", ("1", "2"), 1.0, says="because"), Row("b", ("3", "4"), 0.5)])
    assert text.count('<tr class="says"><td colspan="4">because</td></tr>') == 1


def test_safe() -> None:
    """Whatever a name is, it is text, and stays in its place."""
    nasty = "<script>\"'&\x1b[31m\u202e\ud800</script>"
    assert safe(nasty) == r"&lt;script&gt;&quot;&#x27;&amp;\x1b[31m\u202e\ud800&lt;/script&gt;"
    assert "<script>" not in table((nasty, nasty), [Row(nasty, (nasty,), 1.0, says=nasty)], caption=nasty)
