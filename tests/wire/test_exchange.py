"""The transition table, walked."""

from __future__ import annotations

from itertools import product

import pytest

from aiohttpclient.errors import CannotSendHeader, CannotSendRequest, ImproperConnectionState, ResponseNotReady
from aiohttpclient.wire import TRANSITIONS, ExchangeEvent, ExchangeState, advance

State = ExchangeState
Event = ExchangeEvent

# The table a second time, the other way round: per event, from where to where.
LEGAL: dict[Event, dict[State, State]] = {
    Event.START: {State.IDLE: State.REQUEST_STARTED},
    Event.FIELD: {State.REQUEST_STARTED: State.REQUEST_STARTED},
    Event.END_HEAD: {State.REQUEST_STARTED: State.SENDING_BODY},
    Event.BODY: {State.SENDING_BODY: State.SENDING_BODY, State.REQUEST_SENT: State.REQUEST_SENT},
    Event.END_BODY: {State.SENDING_BODY: State.REQUEST_SENT},
    Event.WHOLE_REQUEST: {State.IDLE: State.REQUEST_SENT},
    Event.RESPONSE: {State.SENDING_BODY: State.READING_RESPONSE, State.REQUEST_SENT: State.READING_RESPONSE},
    Event.SWITCH: {State.SENDING_BODY: State.SWITCHED, State.REQUEST_SENT: State.SWITCHED},
    Event.END_RESPONSE: {State.READING_RESPONSE: State.IDLE},
    Event.CLOSE: dict.fromkeys(State, State.IDLE),
}

ERRORS: dict[type[ImproperConnectionState], set[Event]] = {
    CannotSendRequest: {Event.START, Event.WHOLE_REQUEST, Event.BODY, Event.END_BODY},
    CannotSendHeader: {Event.FIELD, Event.END_HEAD},
    ResponseNotReady: {Event.RESPONSE, Event.SWITCH, Event.END_RESPONSE},
}


@pytest.mark.parametrize(("state", "event"), list(product(State, Event)))
def test_every_pair(state: State, event: Event) -> None:
    """Every pair of state and event has one outcome: the next state, or the event's error, which names the state."""
    following = LEGAL[event].get(state)
    if following is not None:
        assert advance(state, event) is following
        return
    expected = next(error for error, events in ERRORS.items() if event in events)
    with pytest.raises(expected) as caught:
        advance(state, event)
    assert type(caught.value) is expected
    assert state.name in str(caught.value)


def test_the_table_has_no_other_entries() -> None:
    """The table holds the legal pairs and nothing else."""
    assert set(TRANSITIONS) == set(State)
    entries = {(state, event): after for state, row in TRANSITIONS.items() for event, after in row.items()}
    assert entries == {(state, event): after for event, row in LEGAL.items() for state, after in row.items()}


@pytest.mark.parametrize("state", State)
def test_every_state_is_reached_and_left(state: State) -> None:
    """Every state is reached from IDLE, and has a way back to it besides CLOSE, but for SWITCHED."""

    def reachable(start: State, *, closing: bool) -> set[State]:
        found = {start}
        while True:
            more = {
                after
                for before in found
                for event, after in TRANSITIONS[before].items()
                if closing or event is not Event.CLOSE
            }
            if more <= found:
                return found
            found |= more

    assert state in reachable(State.IDLE, closing=False)
    assert (State.IDLE in reachable(state, closing=False)) is (state is not State.SWITCHED)


@pytest.mark.parametrize(
    "events",
    [
        [Event.WHOLE_REQUEST, Event.RESPONSE, Event.END_RESPONSE],
        [Event.START, Event.FIELD, Event.FIELD, Event.END_HEAD, Event.END_BODY, Event.RESPONSE, Event.END_RESPONSE],
        [Event.START, Event.END_HEAD, Event.BODY, Event.BODY, Event.END_BODY, Event.RESPONSE, Event.END_RESPONSE],
        [Event.START, Event.END_HEAD, Event.BODY, Event.RESPONSE, Event.END_RESPONSE],
        [Event.WHOLE_REQUEST, Event.BODY, Event.RESPONSE, Event.END_RESPONSE],
        [Event.WHOLE_REQUEST, Event.SWITCH, Event.CLOSE],
        [Event.START, Event.END_HEAD, Event.SWITCH, Event.CLOSE],
    ],
)
def test_whole_exchanges(events: list[Event]) -> None:
    """The usual exchanges lead from IDLE to IDLE."""
    state = State.IDLE
    for event in events:
        state = advance(state, event)
    assert state is State.IDLE


def test_one_transaction_at_a_time() -> None:
    """From the first byte of a request to the last of its response, no other request starts, in either way."""
    for state in set(State) - {State.IDLE}:
        for event in (Event.START, Event.WHOLE_REQUEST):
            with pytest.raises(CannotSendRequest):
                advance(state, event)
