"""How states are drawn: signs differ in shape, so that colour is not needed to tell them, and the word stands beside each."""

from __future__ import annotations

from hostagent.assess import WORDS, State

_SIGNS = {
    State.BOUND: "●",
    State.FREE: "○",
    State.BLOCKED: "✕",
    State.IN_USE: "■",
    State.IDLE: "□",
    State.PROTECTED: "◆",
    State.UNSAFE: "!",
    State.UNKNOWN: "?",
    State.PLATFORM: "·",
}
# State to (sign, word, what it means); in the order of the legend.
STATES = {state: (_SIGNS[state], *WORDS[state]) for state in State}
