from __future__ import annotations

from aiohttpclient.testing._way import Way


def put(way: Way, data: bytes) -> int:
    return way.put(memoryview(data))


def test_bytes_are_taken_in_their_order() -> None:
    """What was put is taken once, in order, in pieces of any size."""
    way = Way()
    put(way, b"abc")
    put(way, b"def")
    assert (way.take(2), way.take(3), way.take(9), way.take(9)) == (b"ab", b"cde", b"f", b"")


def test_there_is_so_much_room() -> None:
    """No more is taken up than there is room for; what is taken makes room."""
    way = Way(5)
    assert (put(way, b"abc"), put(way, b"def"), put(way, b"g"), len(way)) == (3, 2, 0, 5)
    assert way.take(2) == b"ab"
    assert put(way, b"fgh") == 2
    assert way.take(9) == b"cdefg"


def test_who_is_told_what() -> None:
    """The reader hears of bytes, of the end and of a reset, the writer of room and of the reader's leaving."""
    way = Way(4)
    told: list[str] = []
    way.on_news = lambda: told.append("news")
    way.on_room = lambda: told.append("room")
    way.on_left = lambda: told.append("left")
    put(way, b"abcd")
    put(way, b"e")  # for which there is no room: nothing has come
    way.take(1)
    way.end()
    way.end(reset=True)
    assert told == ["news", "room", "news", "news"]
    assert way.ended
    assert way.was_reset
    way.leave()
    assert told[-1] == "left"
    assert not way.is_read
    assert len(way) == 0
