"""Every reason for a refusal has a code of its topic, and every topic says whether it is about passthrough."""

from __future__ import annotations

import pytest

from hostagent.advice import BLOCKER, CODES, TOPICS, Finding
from hostagent.advice.refusals import code_of
from hostagent.assess.reasons import Why
from hostagent.daemon.verdict import verdict_labels
from tests.plan.machines import worker
from tests.plan.profiles import devices

# Those about a part of the host, or a guest: the only ones of which it is true that the host needs the device.
_NEEDED = {
    "bridge", "platform", "console", "bmc", "storage", "network", "virtual-functions", "network-namespace", "guest",
    "watchdog", "memory", "vmd", "unknown",
}  # fmt: skip
_ABOUT_POOLS = {"page-size", "numa-node", "too-many-pages"}
_ABOUT_WATCHDOGS = {"no-watchdog", "other-watchdog", "timeout"}


@pytest.mark.parametrize("why", Why)
def test_every_reason_has_a_code(why: Why) -> None:
    code = code_of(why)
    assert CODES[code.name] is code
    assert (code.name == "protected-device") == (why.value in _NEEDED)
    (topic,) = [topic for topic in TOPICS if code in topic.codes]
    expected = "Huge pages" if why.value in _ABOUT_POOLS else "Watchdog" if why.value in _ABOUT_WATCHDOGS else None
    assert (topic.title if not topic.passthrough else None) == expected


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: str(topic.title))
def test_ready_for_passthrough_is_what_the_topic_says(topic: object) -> None:
    (found,) = [one for one in TOPICS if one is topic]
    for code in found.codes:
        blocker = Finding(
            code=code.name, severity=BLOCKER, subject="node", sentence="So.", evidence=(), remedy=code.remedy
        )
        labels = verdict_labels(worker().report(), (blocker,), devices("id: '8086:10d3'"))
        assert labels == {
            "profile.compliant": "false",
            "passthrough.ready": "false" if found.passthrough else "true",
        }


def test_topics_that_are_not_about_passthrough() -> None:
    # Guests without devices need them; devices in guests do not.
    assert [topic.title for topic in TOPICS if not topic.passthrough] == ["Huge pages", "KVM", "Watchdog"]
