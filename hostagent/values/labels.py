"""Kubernetes label grammar (k8s.io/apimachinery/pkg/util/validation), and how a hardware string is made to fit."""

from __future__ import annotations

LIMIT = 63
_ALNUM = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")
_INNER = _ALNUM | frozenset("-_.")


def is_value(text: str) -> bool:
    """Whether `text` is a label value: empty, or at most 63 of [A-Za-z0-9_.-] with alphanumeric ends."""
    return not text or is_name(text)


def is_name(text: str) -> bool:
    """Whether `text` is the name part of a label key: a value that is not empty."""
    return 0 < len(text) <= LIMIT and text[0] in _ALNUM and text[-1] in _ALNUM and _INNER.issuperset(text)


def is_prefix(text: str) -> bool:
    """Whether `text` is a DNS-1123 subdomain of at most 253 letters."""
    parts = text.split(".")
    return len(text) <= 253 and all(
        part
        and len(part) <= LIMIT
        and part == part.lower()
        and part[0] in _ALNUM
        and part[-1] in _ALNUM
        and (_ALNUM | {"-"}).issuperset(part)
        for part in parts
    )


def fitted(text: str) -> str:
    """`text` as a label value: other letters become `_`, ends are trimmed to alphanumerics, 63 letters at most."""
    body = "".join(letter if letter in _INNER else "_" for letter in text)
    return body.strip("-_.")[:LIMIT].rstrip("-_.")
