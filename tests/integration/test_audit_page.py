"""The page of an audit in a real browser: clicks, search, links into it, and nothing that it loads."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from cli.rendering.audit_html import render_page
from policies import LineageEnd, finding
from provenance.auditing.model import Audit, Custody, Edge, Evidence, Node, Person

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
HOSTILE = "</script><img src=x onerror=\"document.title='owned'\">\u202e"

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium: install Debian's package chromium")


def chain(count: int, *, bad: int = 5) -> Audit:
    """An audit of a model that was made in many steps, one of which is wrong."""
    nodes = tuple(
        Node(
            name=f"artifact-{number}" if number != 7 else HOSTILE,
            digest=f"{number:064x}",
            status="asserted" if number == bad else "proven",
            state="wrong" if number == bad else "derived",
            depth=number // 3,
            contributor="dora" if number == bad else "",
            problem="the key was stolen" if number == bad else "",
        )
        for number in range(count)
    )
    edges = tuple(Edge((number - 1) // 3, number, "curate", "batch", "") for number in range(1, count))
    return Audit(
        subject=HOSTILE,
        digest="0" * 64,
        policy="policy.toml",
        decision="refused",
        findings=(finding("LIN001", HOSTILE, path=HOSTILE),),
        status="asserted",
        made=datetime(2026, 11, 24, tzinfo=UTC),
        people=(Person(id=HOSTILE, records=3, share=1.0, standing="revoked", tainted=True),),
        sources=(LineageEnd(path=HOSTILE, status="proven", reason=HOSTILE),),
        custody=(
            Custody(
                artifact=HOSTILE,
                digest="",
                kind="train",
                inputs=2,
                signer=HOSTILE,
                status="proven",
                statement=HOSTILE,
            ),
        ),
        evidence=(Evidence(article="12", asks="records", status="proven", shown=HOSTILE),),
        nodes=nodes,
        edges=edges,
    )


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


class Opened:
    """A page, what it asked for, and what it complained about."""

    def __init__(self, browser: Any, path: Path, link: str = "", **context: Any) -> None:
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self.page = browser.new_context(**context).new_page()
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.goto(path.as_uri() + link)

    def close(self) -> None:
        assert self.complaints == []
        assert all(url.startswith("file:") for url in self.requests)
        assert len(self.requests) == 1
        self.page.context.close()


@pytest.fixture
def page(tmp_path: Path) -> Path:
    path = tmp_path / "audit.html"
    path.write_text(render_page(chain(40)), encoding="utf-8")
    return path


def test_it_opens_on_the_finding_and_loads_nothing(browser, page):
    opened = Opened(browser, page)
    assert "artifact-5: asserted (wrong)" in opened.page.inner_text("#about")
    assert opened.page.locator("#graph .is-focus .role").text_content() == "wrong, dora"
    opened.close()


def test_hostile_names_are_text(browser, page):
    opened = Opened(browser, page)
    assert opened.page.title() != "owned"
    assert opened.page.locator("img").count() == 0
    assert "<img src=x" in opened.page.inner_text("h1")
    assert "\u202e" not in page.read_text(encoding="utf-8")
    opened.close()


def test_a_click_and_the_keyboard_move_the_focus(browser, page):
    opened = Opened(browser, page)
    opened.page.locator("#graph g.node[data-node='1']").click()
    assert "artifact-1:" in opened.page.inner_text("#about")
    assert "#focus=" in opened.page.url
    opened.page.keyboard.press("ArrowRight")
    assert "artifact-0:" in opened.page.inner_text("#about")
    opened.page.keyboard.press("ArrowLeft")
    assert "artifact-1:" in opened.page.inner_text("#about")
    opened.page.click("#more")
    assert "3 steps around" in opened.page.inner_text("#about")
    opened.page.click("#home")
    assert "artifact-0:" in opened.page.inner_text("#about")
    opened.page.click("#next")
    assert "artifact-5:" in opened.page.inner_text("#about")
    opened.close()


def test_search_finds_by_name_digest_and_contributor(browser, page):
    opened = Opened(browser, page)
    for wanted, found in (
        ("artifact-33", "artifact-33:"),
        ("dora", "artifact-5:"),
        (f"{12:064x}", "artifact-12:"),
    ):
        opened.page.fill("#search", wanted)
        assert "1 found" in opened.page.inner_text("#found")
        opened.page.press("#search", "Enter")
        assert found in opened.page.inner_text("#about")
    opened.close()


def test_a_link_leads_to_an_artifact(browser, page):
    opened = Opened(browser, page, f"#focus={20:064x}&depth=1")
    assert "artifact-20:" in opened.page.inner_text("#about")
    assert "1 steps around" in opened.page.inner_text("#about")
    opened.close()
    opened = Opened(browser, page, "#focus=%3Cimg%3E&depth=x")
    assert "artifact-5:" in opened.page.inner_text("#about")
    opened.close()


def test_it_can_be_read_without_scripts(browser, page):
    opened = Opened(browser, page, java_script_enabled=False)
    text = opened.page.inner_text("main")
    assert "Chain of custody" in text
    assert "the tables hold all of it" in text
    assert not opened.page.locator("#tools").is_visible()
    opened.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_ground(browser, page, scheme):
    opened = Opened(browser, page, color_scheme=scheme)
    ratio = opened.page.evaluate(
        """() => {
          const light = (text) => {
            const [r, g, b] = text.match(/[\\d.]+/g).map(Number).map((each) => each / 255)
              .map((each) => each <= 0.03928 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4);
            return 0.2126 * r + 0.7152 * g + 0.0722 * b;
          };
          let worst = 21;
          for (const each of document.querySelectorAll("p, td, th, dt, dd, h1, h2, .mark, .badge, a, button")) {
            let ground = each;
            while (ground && getComputedStyle(ground).backgroundColor === "rgba(0, 0, 0, 0)") ground = ground.parentElement;
            const one = light(getComputedStyle(each).color), other = light(getComputedStyle(ground).backgroundColor);
            worst = Math.min(worst, (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05));
          }
          return worst;
        }"""
    )
    assert ratio >= 4.5, "WCAG 2.2, success criterion 1.4.3"
    opened.close()


def test_thousands_of_artifacts_open(browser, tmp_path):
    path = tmp_path / "large.html"
    path.write_text(render_page(msgspec.structs.replace(chain(2_000, bad=1_500))), encoding="utf-8")
    opened = Opened(browser, path)
    assert "artifact-1500:" in opened.page.inner_text("#about")
    for _ in range(30):
        opened.page.click("#more")
    assert "of 2000 artifacts drawn" in opened.page.inner_text("#about")
    assert opened.page.locator("#graph g.node").count() <= 150
    opened.close()
