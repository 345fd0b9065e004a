"""PCI addresses and IDs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from hostagent.values.pci import PciAddress, hex_id, in_classes

_DOMAINS = st.integers(0, 0xFFFF).map("{:04x}".format) | st.integers(0x10000, 0xFFFFFFFF).map("{:x}".format)
ADDRESSES = st.builds(
    "{}:{:02x}:{:02x}.{}".format, _DOMAINS, st.integers(0, 255), st.integers(0, 31), st.integers(0, 7)
)


@given(ADDRESSES)
def test_addresses_print_as_they_parse(text: str) -> None:
    address = PciAddress.parse(text)
    assert address == text
    assert PciAddress.parse(str(address)) == address
    assert PciAddress.parse(text.upper()) == address


@given(st.text(), ADDRESSES)
def test_parsing_is_total_and_gives_canonical_text_only(text: str, seed: str) -> None:
    for candidate in (text, seed + text, text + seed, seed[:5] + text + seed[5:]):
        address = PciAddress.parse(candidate)
        assert address is None or (address == candidate.lower() and PciAddress.parse(address) == address)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("3b:00.0", "lspci without -D leaves the domain out, the kernel never does"),
        ("00010:00:01.0", "a second spelling of domain 0010"),
        ("0000:00:20.0", "32 devices a bus"),
        ("0000:00:1f.8", "8 functions a device"),
        ("0000:00:1f", "no function"),
        ("123456789:00:1f.0", "nine digits of domain"),
        ("0000:00:1f.0\n", "a newline"),
        ("0000:00:1f.٣", "another alphabet's digit"),
        ("0000:0 :1f.0", "a blank"),
        ("+000:00:1f.0", "a sign"),
        ("", "nothing"),
        ("..", "no parts"),
    ],
)
def test_other_text_is_no_address(text: str, why: str) -> None:
    assert PciAddress.parse(text) is None, why


def test_parts_of_an_address() -> None:
    address = PciAddress("10000:e1:1f.6")
    assert (address.slot, address.function) == ("10000:e1:1f", 6)


@given(st.lists(ADDRESSES.map(PciAddress)))
def test_order_is_by_number(addresses: list[PciAddress]) -> None:
    def numbers(address: PciAddress) -> list[int]:
        return [int(part, 16) for part in address.replace(".", ":").split(":")]

    assert sorted(addresses, key=lambda address: address.order) == sorted(addresses, key=numbers)


@given(st.integers(0, 0xFFFF), st.sampled_from(["", "0x", "0X"]), st.booleans())
def test_ids_lose_their_prefix_and_case(number: int, prefix: str, upper: bool) -> None:  # noqa: FBT001
    digits = f"{number:04X}" if upper else f"{number:04x}"
    assert hex_id(prefix + digits, 4) == f"{number:04x}"


@pytest.mark.parametrize("text", ["", "0x", "10d", "10deb", "0x10d", "10dg", " 10de", "1_0d", "١٢٣٤"])
def test_other_text_is_no_id(text: str) -> None:
    assert hex_id(text, 4) is None


def test_classes_are_prefixes() -> None:
    assert in_classes("0c0330", ("03", "0c03"))
    assert not in_classes("0c0500", ("03", "0c03"))
    assert not in_classes("0c0500", ())


def test_pydantic_takes_what_parses() -> None:
    adapter = TypeAdapter(PciAddress)
    assert adapter.validate_python("0000:3B:00.0") == PciAddress("0000:3b:00.0")
    assert type(adapter.validate_json('"0000:3b:00.0"')) is PciAddress
    assert adapter.dump_python(PciAddress("0000:3b:00.0"), mode="json") == "0000:3b:00.0"
    with pytest.raises(ValidationError, match="a PCI address looks like"):
        adapter.validate_python("00010:3b:00.0")
