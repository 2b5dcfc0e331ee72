import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.messages import gsm7


@pytest.mark.parametrize(
    ("text", "room"), [("", 0), ("Thu Nov 26", 10), ("ñ é ü ¿ ¡", 9), ("5 €", 4), ("{[~]}", 10), ("a\nb", 3)]
)
def test_room_is_counted_as_providers_do(text, room):
    assert gsm7.septets(text) == room


@pytest.mark.parametrize(
    ("text", "parts"),
    [("a" * 160, 1), ("a" * 161, 2), ("a" * 306, 2), ("a" * 307, 3), ("€" * 80, 1), ("€" * 81, 2), ("", 1)],
)
def test_a_long_text_costs_several(text, parts):
    assert gsm7.segments(text) == parts


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        ("“It’s” — 8–10", '"It\'s" - 8-10'),
        ("sábado, Dónde, última, aquí", "sabado, Donde, ultima, aqui"),
        ("niño, pingüino, café, ¿Sí? ¡Gracias!", "niño, pingüino, café, ¿Si? ¡Gracias!"),
        ("cafe\u0301", "café"),  # an accent of its own
        ("ça œ", "ca ?"),
        ("Łódź", "Lodz"),
        ("8\u202f–\u00a010…", "8 - 10..."),
        ("李 🚛", "? ?"),
        ("a\u200db\ufeff", "ab"),
        ("{{ link }} [€]", "{{ link }} [€]"),
    ],
)
def test_other_characters_become_plain_ones(typed, sent):
    assert gsm7.to_gsm7(typed) == sent


@given(st.text())
def test_whatever_is_typed_what_is_sent_is_in_the_alphabet(text):
    assert set(gsm7.to_gsm7(text)) <= gsm7.ALPHABET | gsm7.EXTENSION


def test_what_cannot_be_shown_is_named_once():
    assert gsm7.missing("🚛 Hi? “李” 🚛 á") == ["🚛", "李"]
