"""Codes: as unguessable as 80 bits are, and read as people mean them."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty import codes

ANY_CODE = st.text(alphabet=codes.ALPHABET, min_size=codes.LENGTH, max_size=codes.LENGTH)


def test_it_works():
    code = codes.new()

    assert len(code) == 16
    assert set(code) <= set(codes.ALPHABET)
    assert codes.normalise(codes.shown(code)) == code


def test_the_alphabet_is_crockfords():
    assert len(codes.ALPHABET) == len(set(codes.ALPHABET)) == 32
    assert not set("ILOU") & set(codes.ALPHABET)


def test_a_code_is_the_random_bytes_in_base32(monkeypatch):
    monkeypatch.setattr(codes.secrets, "token_bytes", lambda size: bytes(range(size)))

    number = int.from_bytes(base64.b32decode(base64.b32encode(bytes(range(10)))))
    expected = "".join(codes.ALPHABET[number >> shift & 31] for shift in range(75, -1, -5))
    assert codes.new() == expected


def test_many_codes_use_the_whole_alphabet_everywhere():
    drawn = list(codes.several(4_000))

    assert len(set(drawn)) == 4_000
    for place in range(16):
        assert {code[place] for code in drawn} == set(codes.ALPHABET)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("7k3m-0qxr-w8zd-41tn", "7K3M0QXRW8ZD41TN"),
        ("7K3M OQXR W8ZD 4ITN", "7K3M0QXRW8ZD41TN"),
        ("7k3moqxrw8zd4ltn", "7K3M0QXRW8ZD41TN"),
        (" 7K3M\N{EN DASH}0QXR\N{NO-BREAK SPACE}W8ZD_41TN\n", "7K3M0QXRW8ZD41TN"),
        ("7K3M\N{ZERO WIDTH SPACE}0QXR\N{SOFT HYPHEN}W8ZD41TN", "7K3M0QXRW8ZD41TN"),
        ("Summer10", "SUMMER10"),
        ("holiday", "H011DAY"),
    ],
)
def test_what_people_type_is_read_as_meant(typed, kept):
    assert codes.normalise(typed) == kept


@pytest.mark.parametrize(
    "typed", ["", "  - ", "7K3M!", "stra\N{LATIN SMALL LETTER SHARP S}e", "\N{FULLWIDTH DIGIT SEVEN}", "A" * 33, "A\0B"]
)
def test_what_cannot_be_a_code_is_none(typed):
    assert codes.normalise(typed) == ""


def test_letters_that_become_others_in_capitals_are_refused():
    for letter in "\N{LATIN SMALL LETTER DOTLESS I}\N{LATIN SMALL LETTER LONG S}\N{LATIN SMALL LIGATURE FI}":
        assert letter.upper().isascii()
        assert codes.normalise(f"7K3M{letter}") == ""


@given(ANY_CODE, ANY_CODE)
def test_no_two_codes_are_read_as_one(one, other):
    assert (codes.normalise(one) == codes.normalise(other)) == (one == other)


@given(st.text(max_size=40))
def test_reading_twice_is_reading_once(text):
    assert codes.normalise(codes.normalise(text)) == codes.normalise(text)


@given(ANY_CODE, st.data())
def test_look_alikes_mean_the_digit(code, data):
    looks = {"0": "0Oo", "1": "1IiLl"}
    typed = "".join(data.draw(st.sampled_from(looks.get(sign, sign + sign.lower()))) for sign in code)

    assert codes.normalise(typed) == code


def test_a_chosen_word_is_shown_whole():
    assert codes.shown("SUMMER10") == "SUMMER10"
