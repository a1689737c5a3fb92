"""Every template says something over every channel in every language, with all that its reaction gives it."""

import re
from importlib.resources import files

import pytest

from projections.wording import LANGUAGES, SAMPLES, SECURITY, WordingError, media_of, moment, money, words
from tests.workers.test_notification_reactions import MILESTONES, mail

FULL = {"order_id": "o-1", "total": 1299, "currency": "EUR", "lines": 2, "reason": "out of stock", "name": "Ada"}
ENDINGS = {"email": ("mail.txt", "mail.html"), "sms": ("sms.txt",), "push": ("push.txt",)}
FILLED = {"verify_email": {"token"}, "password_reset": {"token"}}
"""What is put in just before the mail leaves, in place of what it follows from."""
NEEDING = {
    "order_line_cancelled", "order_partly_shipped", "order_return_requested", "order_return_received",
    "stock_low", "card_awaited", *FILLED,
}  # fmt: skip


def test_every_template_is_there_for_each_of_its_channels_and_languages_and_has_a_sample() -> None:
    wanted = {f"{name}.{ending}" for name in SAMPLES for medium in media_of(name) for ending in ENDINGS[medium]}
    for language in LANGUAGES:
        found = {file.name for file in (files("projections.templates") / language).iterdir()}
        assert found == {"layout.html", *wanted}


@pytest.mark.parametrize("name", MILESTONES)
def test_a_sample_has_what_the_reaction_gives(name: str) -> None:
    given = mail(MILESTONES[name]).params.keys() - {"user_id", "proof_id", "nonce"}
    assert SAMPLES[name].keys() == given | FILLED.get(name, set())


@pytest.mark.parametrize("name", MILESTONES)
def test_what_is_about_security_or_for_no_customer_goes_by_mail_alone(name: str) -> None:
    asked = mail(MILESTONES[name])
    assert (name in SECURITY) == (asked.kind == "security")
    assert (media_of(name) == ("email",)) == (asked.kind == "security" or not asked.customer_id)


def needed(name: str) -> dict[str, object]:
    """What some templates cannot do without, and their events always have."""
    return SAMPLES[name] if name in NEEDING else {}


def test_there_is_a_template_for_each_milestone_and_none_else() -> None:
    assert SAMPLES.keys() == MILESTONES.keys()


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("locale", LANGUAGES)
@pytest.mark.parametrize("params", ["sample", "full", "bare"])
def test_it_is_said_over_each_of_its_channels(name: str, locale: str, params: str) -> None:
    given = {"sample": SAMPLES[name], "full": FULL | needed(name), "bare": {"order_id": "o-1"} | needed(name)}[params]
    mailed = words(name, "email", locale, given)
    assert (mailed.locale, mailed.html[:15]) == (locale, "<!doctype html>")
    assert mailed.subject
    assert f'lang="{locale}"' in mailed.html
    said = [mailed.subject, mailed.text]
    for medium in media_of(name)[1:]:
        other = words(name, medium, locale, given)
        assert bool(other.subject) == (medium == "push")
        assert 0 < len(other.text) <= 160
        assert "\n" not in other.text
        said.append(other.text)
    assert not re.search(r"[{}]|None|Undefined", " ".join(said))


def test_german_and_english_differ_everywhere() -> None:
    for name, params in SAMPLES.items():
        for medium in media_of(name):
            english, german = (words(name, medium, locale, params) for locale in LANGUAGES)
            assert english.text != german.text


def test_a_language_that_there_is_not_is_english() -> None:
    assert words("welcome", "sms", "fi", {}).locale == "en"
    assert words("welcome", "sms", "de-AT", {}).locale == "de"


def test_a_confirmation_says_what_was_bought() -> None:
    said = words("order_confirmed", "email", "en", FULL)
    assert "Items: 2\nTotal: 12.99 EUR\n" in said.text
    assert "12.99 EUR" in said.html
    assert "Summe: 12,99 EUR" in words("order_confirmed", "email", "de", FULL).text


def test_what_comes_from_outside_is_escaped_in_html_and_is_no_template() -> None:
    html = words("order_rejected", "email", "en", {"order_id": "o-1", "reason": "<script>alert(1)</script>"}).html
    assert "&lt;script&gt;" in html
    assert "<script>" not in html
    assert "{{ 7 * 7 }}" in words("order_rejected", "email", "en", {"order_id": "o-1", "reason": "{{ 7 * 7 }}"}).text


def test_a_subject_is_one_line_whatever_comes_from_outside() -> None:
    said = words("order_confirmed", "email", "en", {"order_id": "o-1"})
    assert said.subject == "Your order o-1 is confirmed"


@pytest.mark.parametrize("medium", ["email", "sms"])
def test_a_parameter_that_is_missing_is_an_error(medium: str) -> None:
    with pytest.raises(WordingError, match="order_id"):
        words("order_confirmed", medium, "en", {})  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["no_such", "../en/welcome", "", "en/welcome"])
def test_a_template_that_there_is_not_is_an_error(name: str) -> None:
    with pytest.raises(WordingError):
        words(name, "email", "en", FULL)


@pytest.mark.parametrize(
    ("amount", "currency", "locale", "written"),
    [
        (5, "EUR", "en", "0.05 EUR"),
        (-1299, "USD", "en", "-12.99 USD"),
        (500, "JPY", "de", "500 JPY"),
        (1234, "KWD", "de", "1,234 KWD"),
    ],
)
def test_money_is_written_as_people_write_it(amount: int, currency: str, locale: str, written: str) -> None:
    assert money(amount, currency, locale) == written


def test_a_moment_is_written_as_people_write_it() -> None:
    at = "2026-03-02T13:10:00+01:00"
    assert (moment(at), moment(at, "de")) == ("2 March 2026, 12:10 UTC", "2. März 2026, 12:10 UTC")
