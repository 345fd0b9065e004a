"""The whole page: one file that asks for nothing else, runs nothing, and says so in its own Content-Security-Policy.

The policy allows the one style element by its hash and the icon in the page itself; a scrap of markup that slipped in could
load nothing and run nothing. No style attribute is used, so nothing has to be allowed for them: sizes of bars are SVG's.
"""

from __future__ import annotations

import base64
import hashlib
import time

from hostagent import __version__
from hostagent.assess import Assessment, assess
from hostagent.assess.node import data
from hostagent.publish.page import boxes, facts, findings, memory, rest, verdict
from hostagent.publish.page.html import Html, element, joined
from hostagent.publish.page.style import STYLE
from hostagent.report import NodeReport

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from hostagent.publish.page.findings import Finding

_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
# Of the page; a server that sends it as a header may add frame-ancestors, which is ignored in a page.
POLICY = f"default-src 'none'; style-src 'sha256-{_HASH}'; img-src data:; base-uri 'none'; form-action 'none'"
_ICONS = {"viable": "%231a7f4b", "protected": "%23b87700", "blocked": "%23c62f26"}


def page(
    report: NodeReport,
    findings_: Sequence[Finding] = (),
    *,
    judged: Assessment | None = None,
    title: str = "hostagent",
    since: float | None = None,
) -> bytes:
    """The page in UTF-8. `title`: what the node is called. Equal arguments make equal pages.

    `judged`: the report's assessment, where somebody has made it already.
    `since`: when the host was first found like this, in seconds since 1970; reports have no clock, and whoever looked has.
    """
    judged = assess(report) if judged is None else judged
    body = element(
        "main",
        findings.section(findings_),
        boxes.section(report, judged),
        memory.section(report, judged),
        facts.section(report, judged),
        rest.watchdogs(report),
        rest.stands(report, judged),
        rest.trouble(report),
    )
    top = element(
        "header",
        element("p", title, _since(since), cls="node-name"),
        element("h1", _machine_name(report)),
        verdict.section(report, findings_, judged),
        cls="top",
    )
    whole = joined((_head(title, verdict.tone(report, findings_, judged)), element("body", top, body, _foot())))
    return f'<!doctype html>\n<html lang="en">{whole}</html>\n'.encode()


def noted(made: bytes, said: str) -> bytes:
    """A page that was made before, with a notice above everything."""
    # What is foreign on the page is escaped: the first such tag is ours.
    return made.replace(b"<body>", b"<body>" + element("p", said, cls="notice", role="alert").encode(), 1)


def _since(seconds: float | None) -> Html | None:
    if seconds is None:
        return None
    at = time.gmtime(seconds)
    told = time.strftime("%Y-%m-%d %H:%M:%S UTC", at)
    return joined((" · this state since ", element("time", told, datetime=time.strftime("%Y-%m-%dT%H:%M:%SZ", at))))


def _head(title: str, tone: str) -> Html:
    icon = f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 8 8'><circle cx='4' cy='4' r='4' fill='{_ICONS[tone]}'/></svg>"
    return element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=POLICY),
        element("meta", name="viewport", content="width=device-width"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", f"{title}: node page"),
        element("link", rel="icon", href=f"data:image/svg+xml,{icon}"),
        Html(f"<style>{STYLE}</style>"),
    )


def _machine_name(report: NodeReport) -> str:
    """Maker and model; a machine that does not say is a machine all the same."""
    firmware = data(report.firmware)
    dmi = None if firmware is None else firmware.dmi
    said = () if dmi is None else (dmi.sys_vendor, dmi.product_name)
    model = None if firmware is None else firmware.model
    return " ".join(part for part in said if part) or model or "This machine"


def _foot() -> Html:
    links = [
        element("a", name, href=href)
        for name, href in (("Metrics", "metrics"), ("Report as JSON", "report.json"), ("Health", "-/healthy"))
    ]
    return element(
        "footer", element("nav", *links, aria_label="Other formats"), element("small", f"hostagent {__version__}")
    )
