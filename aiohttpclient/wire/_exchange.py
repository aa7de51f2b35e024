"""The order of one exchange: which step may follow which.

Theory of operation. A connection carries one exchange at a time: a request goes out, its final response comes in, and
only then is there room for the next. Where in this order a connection stands is one :class:`ExchangeState`; what
happens to it is an :class:`ExchangeEvent`; the table says which state follows. A pair that the table does not hold is
a misuse by the caller: :func:`advance` raises and, being a pure function, changes nothing.

The usual ways through the table::

    IDLE --WHOLE_REQUEST--> REQUEST_SENT --RESPONSE--> READING_RESPONSE --END_RESPONSE--> IDLE

    IDLE --START--> REQUEST_STARTED --END_HEAD--> SENDING_BODY --END_BODY--> REQUEST_SENT --RESPONSE--> ...

Three side ways. A response may come while the body is still being sent (RFC 9112 section 9.5: a client watches for
one); what is left of the body is then not sent, and the connection is good for nothing after the response. After 101,
and after 2xx to CONNECT, the bytes are no longer HTTP, and the state is SWITCHED until the connection is closed.
CLOSE is legal everywhere, and leads to IDLE, for the next request opens a new connection.

1xx responses other than 101 are not events: they change nothing here.
"""

from __future__ import annotations

from enum import IntEnum

from ..errors import CannotSendHeader, CannotSendRequest, ImproperConnectionState, ResponseNotReady


class ExchangeState(IntEnum):
    """Where one exchange stands."""

    IDLE = 0
    """No exchange: a request may begin."""
    REQUEST_STARTED = 1
    """``putrequest`` was called: fields are collected, nothing is sent."""
    SENDING_BODY = 2
    """The head is sent, the body is not complete."""
    REQUEST_SENT = 3
    """The request is sent, the final response has not begun."""
    READING_RESPONSE = 4
    """The final response head has come, its body is not complete."""
    SWITCHED = 5
    """The connection speaks another protocol now."""


class ExchangeEvent(IntEnum):
    """What happens to an exchange."""

    START = 0
    """``putrequest``."""
    FIELD = 1
    """``putheader``."""
    END_HEAD = 2
    """The head is complete and written; a body may follow."""
    BODY = 3
    """A piece of the body."""
    END_BODY = 4
    """The body is complete, or there is none."""
    WHOLE_REQUEST = 5
    """A complete request in one step."""
    RESPONSE = 6
    """The head of the final response came."""
    SWITCH = 7
    """The head of a 101, or of a 2xx to CONNECT, came."""
    END_RESPONSE = 8
    """The body of the response is complete."""
    CLOSE = 9
    """The transport is gone."""


_State = ExchangeState
_Event = ExchangeEvent

TRANSITIONS: dict[ExchangeState, dict[ExchangeEvent, ExchangeState]] = {
    _State.IDLE: {
        _Event.START: _State.REQUEST_STARTED,
        _Event.WHOLE_REQUEST: _State.REQUEST_SENT,
        _Event.CLOSE: _State.IDLE,
    },
    _State.REQUEST_STARTED: {
        _Event.FIELD: _State.REQUEST_STARTED,
        _Event.END_HEAD: _State.SENDING_BODY,
        _Event.CLOSE: _State.IDLE,
    },
    _State.SENDING_BODY: {
        _Event.BODY: _State.SENDING_BODY,
        _Event.END_BODY: _State.REQUEST_SENT,
        _Event.RESPONSE: _State.READING_RESPONSE,
        _Event.SWITCH: _State.SWITCHED,
        _Event.CLOSE: _State.IDLE,
    },
    _State.REQUEST_SENT: {
        # http.client lets send() follow a complete request, for a body whose length was in the caller's own fields.
        _Event.BODY: _State.REQUEST_SENT,
        _Event.RESPONSE: _State.READING_RESPONSE,
        _Event.SWITCH: _State.SWITCHED,
        _Event.CLOSE: _State.IDLE,
    },
    _State.READING_RESPONSE: {
        _Event.END_RESPONSE: _State.IDLE,
        _Event.CLOSE: _State.IDLE,
    },
    _State.SWITCHED: {
        _Event.CLOSE: _State.IDLE,
    },
}

_WHAT_NOW: dict[ExchangeState, str] = {
    _State.IDLE: "no request is under way; begin one with request() or putrequest()",
    _State.REQUEST_STARTED: "a request was begun with putrequest(); end its head with endheaders()",
    _State.SENDING_BODY: "the body of a request is being sent; let that finish, or close()",
    _State.REQUEST_SENT: "a request was sent; call getresponse() and read the response",
    _State.READING_RESPONSE: "a response has not been read to its end; read() or close() it",
    _State.SWITCHED: "the connection was switched to another protocol; use detach(), or close()",
}

_ERRORS: dict[ExchangeEvent, tuple[type[ImproperConnectionState], str]] = {
    _Event.START: (CannotSendRequest, "cannot start a request"),
    _Event.WHOLE_REQUEST: (CannotSendRequest, "cannot send a request"),
    _Event.BODY: (CannotSendRequest, "cannot send a body"),
    _Event.END_BODY: (CannotSendRequest, "cannot end a body"),
    _Event.FIELD: (CannotSendHeader, "cannot add a field"),
    _Event.END_HEAD: (CannotSendHeader, "cannot end a head"),
    _Event.RESPONSE: (ResponseNotReady, "cannot get a response"),
    _Event.SWITCH: (ResponseNotReady, "cannot switch protocols"),
    _Event.END_RESPONSE: (ResponseNotReady, "cannot end a response"),
}


def advance(state: ExchangeState, event: ExchangeEvent) -> ExchangeState:
    """Return the state that follows ``state`` when ``event`` happens.

    :raises CannotSendRequest: for a request or a body out of order
    :raises CannotSendHeader: for a field or the end of a head out of order
    :raises ResponseNotReady: for a response that no request has earned, or that is being read already

    The text of the error says what state the exchange is in, and what to do about it.
    """
    try:
        return TRANSITIONS[state][event]
    except KeyError:
        error, what = _ERRORS[event]
        raise error(f"{what} in state {state.name}: {_WHAT_NOW[state]}") from None
