"""The English catalogue is whole and in step with the code; and the check that says so can fail."""

import unicodedata

import pytest
from babel.messages import Catalog

from bot.translations import load_translations
from tests import catalogue as kept

ADVICE = "after a change of texts: python -m tests.catalogue, then translate what it names in " + str(kept.FILE)


def whole() -> Catalog:
    return kept.read(kept.FILE.read_text(encoding="utf-8"))


def test_catalogue_is_whole_and_in_step_with_the_code() -> None:
    found = list(kept.problems(whole(), kept.texts_of_the_code(), kept.button_texts()))
    assert not found, "\n".join([ADVICE, *found])


def test_every_marked_text_can_be_found() -> None:
    assert kept.unreadable_calls() == []


def test_bot_speaks_every_translation() -> None:
    translations = load_translations()
    for message in whole():
        if message.id:
            assert translations.gettext(message.id, locale="en") == message.string


def test_file_is_as_the_script_writes_it() -> None:
    """Merging what is in step changes no translation, and writing twice gives the same."""
    once = whole()
    kept.merge(once, kept.texts_of_the_code())
    again = kept.read(kept.write(once))
    kept.merge(again, kept.texts_of_the_code())
    assert kept.write(again) == kept.write(once)
    assert {message.id: message.string for message in again} == {message.id: message.string for message in once}


# The check itself, on a catalogue of two texts


def code() -> Catalog:
    catalogue = Catalog()
    catalogue.add("Trang chính")
    catalogue.add("Nhắc {number}")
    return catalogue


def english(**changed: str) -> Catalog:
    catalogue = Catalog(locale="en")
    catalogue.add("Trang chính", changed.get("home", "Home"))
    catalogue.add("Nhắc {number}", changed.get("remind", "Remind {number}"))
    return catalogue


def test_check_takes_a_whole_catalogue() -> None:
    assert list(kept.problems(english(), code(), {"Trang chính"})) == []


def test_check_tells_a_missing_and_a_stale_entry() -> None:
    catalogue = english()
    catalogue.delete("Trang chính")
    catalogue.add("Chữ cũ", "Old text")
    assert list(kept.problems(catalogue, code(), set())) == [
        "stale, the code has no “Chữ cũ”",
        "missing: “Trang chính”",
    ]


def test_merge_keeps_translations_drops_stale_entries_and_guesses_none() -> None:
    catalogue = english()
    catalogue.delete("Trang chính")
    catalogue.add("Trang chính.", "Home page.")  # so similar that Babel would take it over, marked fuzzy
    kept.merge(catalogue, code())
    assert {message.id: message.string or "" for message in catalogue if message.id} == {
        "Nhắc {number}": "Remind {number}",
        "Trang chính": "",
    }
    assert "Home page" not in kept.write(catalogue)


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"home": ""}, "not translated"),
        ({"remind": "Remind"}, "other placeholders"),
        ({"remind": "Remind {name}"}, "other placeholders"),
        ({"remind": "Remind {number"}, "other placeholders"),
        ({"home": "Home of all that there is to do in this year"}, "over 40 characters for a button"),
        ({"home": unicodedata.normalize("NFD", "Tự Soi")}, "not in NFC"),
        ({"home": "The  home"}, "two blanks together"),
        ({"home": 'The "home"'}, "straight quotes"),
        ({"home": "The branch's home"}, "straight quotes"),
        ({"home": "Home "}, "begins or ends with other blanks"),
    ],
)
def test_check_tells_what_is_wrong_with_a_translation(changed: dict[str, str], problem: str) -> None:
    (found,) = kept.problems(english(**changed), code(), {"Trang chính"})
    assert problem in found


def test_check_tells_a_fuzzy_entry() -> None:
    catalogue = english()
    catalogue["Trang chính"].flags.add("fuzzy")
    assert list(kept.problems(catalogue, code(), set())) == ["marked fuzzy: “Trang chính”"]


@pytest.mark.parametrize("text", [unicodedata.normalize("NFD", "Học"), "Học  bài", 'Bấm "Tiếp tục"'])
def test_check_reads_the_vietnamese_too(text: str) -> None:
    catalogue = Catalog(locale="en")
    catalogue.add(text, "Lesson")
    (found,) = kept.problems(catalogue, catalogue, set())
    assert found.startswith("Vietnamese: ")


def test_buttons_are_known_however_they_get_their_text() -> None:
    """Given at once, chosen, formatted, by a name, and from a list of marks."""
    assert {"Trang chính", "Chi bộ", "Nhắc {number}", "Làm tiếp", "Rất tốt"} <= kept.button_texts()
    assert "Kính chào đồng chí" not in kept.button_texts()
