"""docs/findings.md and `hostagent explain`: what the codes of advice declare, as text."""

from __future__ import annotations

from textwrap import fill

from hostagent.advice import CODES, TOPICS, Code
from hostagent.advice.model import FIRMWARE, MOVE, NONE, PROFILE, REBOOT, Remedy

_KINDS = {
    FIRMWARE: "firmware",
    MOVE: "move the card",
    REBOOT: "reboot",
    PROFILE: "change the profile",
    NONE: "by hand",
}

_INTRO = """\
# Findings

What `hostagent check` says. A code never changes its meaning. Severities: a **BLOCKER** keeps what is wanted from working, a
**WARNING** works and should not be left so, a **NOTE** is to be known. With a profile, wanted is what it asks for; without,
what somebody has configured or bound for guests. `hostagent explain CODE` prints one of these.
"""


def kind_of(remedy: Remedy) -> str:
    """A remedy's kind in words: `render modprobe`, `firmware` ..."""
    return f"render {remedy.target}" if remedy.target is not None else _KINDS[remedy.kind]


def explained(code: Code, width: int) -> str:
    """One code for a terminal of that width."""
    remedy = f"{kind_of(code.remedy)}. {code.remedy.text}"
    rows = (("Cause", code.cause), ("Evidence", code.proof), ("Remedy", remedy))
    lines = [f"{code.name}: {code.title}\n\n"]
    for head, text in rows:
        lines.append(fill(text, width, initial_indent=f"{head + ':':<10}", subsequent_indent=" " * 10) + "\n")
    return "".join(lines)


def listed() -> str:
    """Every code with its title, by topic."""
    width = max(map(len, CODES))
    return "\n".join(
        f"{topic.title}\n" + "".join(f"  {code.name:<{width}}  {code.title}\n" for code in topic.codes)
        for topic in TOPICS
    )


def findings_text() -> str:
    """docs/findings.md."""
    text = _INTRO
    for topic in TOPICS:
        text += f"\n## {topic.title}\n"
        for code in topic.codes:
            text += f"\n### {code.name}\n\n**{code.title}.** {code.cause}\n\n- Evidence: {code.proof}\n"
            text += f"- Remedy ({kind_of(code.remedy)}): {code.remedy.text}\n"
    return text
