"""The page, in a real Chromium: asked, corrected, read, copied, and what it says when something is wrong."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest

from tests.serving.page_browser import CHROMIUM, Browser, browser
from tests.serving.page_recordings import ANSWER, HOSTILE
from tests.serving.page_server import PAGE, PageServer, page_server

in_a_browser = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here: install the package chromium")


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browser(tmp_path_factory.mktemp("browser")) as found:
        yield found


@pytest.fixture
def server() -> Iterator[PageServer]:
    with page_server() as found:
        yield found


@pytest.fixture
def page(chromium: Browser, server: PageServer) -> Browser:
    chromium.faults.clear()
    chromium.requested.clear()
    chromium.look()
    chromium.open(server.address)
    return chromium


def ask(page: Browser, question: str, ends: str = "!document.getElementById('ask').disabled") -> None:
    page.run(f"document.getElementById('question').value = {json.dumps(question)}")
    page.run("document.getElementById('ask').click()")
    page.until(ends)


def test_the_page_is_one_file_that_fetches_nothing_from_elsewhere_and_writes_no_markup_of_others() -> None:
    text = PAGE.read_text("utf-8")
    assert text.count('nonce="{{nonce}}"') == 2
    assert text.count("{{") == 2
    assert re.findall(r"""(?:src|href|url)\s*[=(]\s*["']?(?:https?:|//)""", text) == []
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|\son\w+=\"|style=\"", text)
    assert "trainedAlgorithmicMedia" in text


def test_the_page_knows_no_country_and_no_law() -> None:
    text = PAGE.read_text("utf-8")
    assert not re.search(r"German|Austria|BetrVG|works council|employee", text)


@in_a_browser
class TestAsking:
    def test_the_answer_its_citations_and_the_statutes_words(self, page: Browser, server: PageServer) -> None:
        ask(page, "good")
        assert page.text("#answer") == ANSWER
        assert "30 people: taken as those affected" in page.text("#reading")
        assert page.text("#counted") == "2 citations seen, 2 judged. Not checked: one number."
        assert "consultation before each dismissal – § 102 Abs. 1 BetrVG" in page.text("#engine")
        assert "does not name § 17" in page.text("#differ")
        page.run("document.querySelector('#answer .chip').click()")
        assert page.text("#words") == "Der Betriebsrat ist vor jeder Kündigung zu hören."
        assert "2026-08-19" in page.text("#about")
        assert page.faults == []
        assert {address.split("/")[2] for address in page.requested} == {server.address.split("/")[2]}

    def test_what_was_read_is_corrected_and_asked_again(self, page: Browser, server: PageServer) -> None:
        ask(page, "good")
        page.run("document.getElementById('correct').click()")
        page.run("document.getElementById('fact-employees').value = '180'")
        ask(page, "good")
        assert server.asked == [
            {"question": "good"},
            {
                "question": "good",
                "jurisdictions": ["DE"],
                "change": "collective_redundancy",
                "facts": {"employees": 180, "works_council": True},
            },
        ]

    def test_by_the_keyboard_alone(self, page: Browser) -> None:
        page.run("document.getElementById('question').focus()")
        page.type("good")
        page.press("Enter", modifiers=2)
        page.until("!document.getElementById('tools').hidden")
        page.run("document.querySelector('#answer .chip').focus()")
        page.press("Enter")
        assert page.run("document.activeElement.id") == "statute"
        page.press("Escape")
        assert not page.shown("#statute")
        assert page.run("document.activeElement.classList.contains('chip')")

    def test_everything_that_can_be_used_has_a_name(self, page: Browser) -> None:
        ask(page, "good")
        nameless = page.run(
            "[...document.querySelectorAll('input, select, textarea, button')].filter((one) => "
            "!(one.labels && one.labels.length) && !one.textContent.trim() && !one.getAttribute('aria-label'))"
            ".map((one) => one.outerHTML)"
        )
        assert nameless == []

    def test_text_that_is_taken_back_is_gone_and_the_reason_stands_there(self, page: Browser) -> None:
        ask(page, "withdrawn")
        assert page.text("#withdrawn") == "Taken back: A citation does not exist. It is asked again."
        assert page.text("#answer") == ANSWER

    def test_copied_as_markdown_with_the_statutes_words(self, page: Browser) -> None:
        ask(page, "good")
        copied = page.run("markdown()")
        assert copied.startswith(f"> good\n\n{ANSWER}\n")
        assert "(asked for here): “Der Betriebsrat ist vor jeder Kündigung zu hören.” (text as of 2026-08-19)" in copied
        assert copied.endswith("*Written by a machine: this text can be wrong.*\n*No legal advice.*\n")


@in_a_browser
class TestTrouble:
    @pytest.mark.parametrize(
        ("question", "said"),
        [
            ("too long", "The question has 100000 bytes; at most 2000."),
            ("busy", "All 4 places are taken: ask again in a moment."),
            ("bad field", "Employees cannot be below 0. (facts.employees)"),
            ("stopped", "The model is starting."),
            ("error", "The model stopped while it answered."),
            ("broken off", "The answer broke off: the server stopped."),
        ],
    )
    def test_what_goes_wrong_is_said(self, page: Browser, question: str, said: str) -> None:
        ask(page, question)
        assert page.text("#trouble").startswith(said)
        assert page.run("document.getElementById('ask').disabled") is False

    def test_a_refusal_is_no_answer(self, page: Browser) -> None:
        ask(page, "refused")
        assert page.text("#message") == "No country was found in the question."

    def test_a_server_that_is_gone(self, page: Browser, server: PageServer) -> None:
        server.vanish()
        ask(page, "good")
        assert page.text("#trouble").startswith("The server is gone")

    def test_a_question_of_a_hundred_kilobytes_is_not_sent(self, page: Browser, server: PageServer) -> None:
        ask(page, "ä" * 50_000)
        assert page.text("#trouble").startswith("The question has 100000 bytes; at most 2000")
        assert server.asked == []

    def test_hostile_text_stays_text(self, page: Browser) -> None:
        ask(page, "hostile")
        assert page.run("document.title") == "Information and consultation of employees in Europe"
        assert page.run("document.querySelectorAll('#result img, #result script').length") == 0
        assert "<script>" in page.text("#answer")
        assert not {"\u202e", "\u0007"} & set(page.text("body"))
        assert HOSTILE[:20] in page.text("#notes")

    def test_it_can_be_stopped(self, page: Browser) -> None:
        ask(page, "slow", ends="document.getElementById('answer').innerText.length > 0")
        page.run("document.getElementById('stop').click()")
        page.until("!document.getElementById('ask').disabled")
        assert page.text("#state") == "Stopped."


@in_a_browser
class TestHistory:
    def test_questions_are_kept_in_the_browser_until_they_are_cleared(self, page: Browser, server: PageServer) -> None:
        ask(page, "good")
        page.open(server.address)
        page.run("document.querySelector('.history details').open = true")
        assert page.text("#history") == "good"
        page.run("document.getElementById('clear').click()")
        page.open(server.address)
        assert page.run("document.querySelectorAll('#history li').length") == 0

    def test_whoever_does_not_want_it_keeps_none(self, page: Browser, server: PageServer) -> None:
        page.run("document.querySelector('.history details').open = true")
        page.run("document.getElementById('keep').click()")
        ask(page, "good")
        assert page.run("localStorage.getItem('forge-questions')") is None


@in_a_browser
class TestLook:
    @pytest.mark.parametrize("dark", [False, True])
    def test_all_text_stands_out_from_what_is_behind_it(self, page: Browser, dark: bool) -> None:
        """At least 4.5 to 1, as WCAG 2.2 asks for at level AA."""
        page.look(dark=dark)
        ask(page, "good")
        page.run("document.querySelector('#answer .chip').click()")
        faint = page.run(CONTRAST)
        assert faint == []

    @pytest.mark.parametrize("width", [320, 700, 1400])
    def test_nothing_reaches_beyond_the_window(self, page: Browser, width: int) -> None:
        page.look(width=width)
        ask(page, "good")
        page.run("document.querySelector('#answer .chip').click()")
        assert page.run("document.documentElement.scrollWidth") <= width


CONTRAST = """(() => {
  const channels = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((c) => (c /= 255) <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (one) => { for (; one; one = one.parentElement) {
    const found = channels(getComputedStyle(one).backgroundColor); if (found.length < 4 || found[3] > 0) return found; }
    return [255, 255, 255]; };
  return [...document.querySelectorAll('body *')].filter((one) => one.offsetParent && !one.disabled
      && [...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim()))
    .map((one) => [one, light(channels(getComputedStyle(one).color)), light(behind(one))])
    .filter(([, a, b]) => (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05) < 4.5)
    .map(([one]) => one.outerHTML.slice(0, 120));
})()"""
