"""A headless Chromium for the tests of what runs in browsers."""

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.browser.front import Front, standing

_NAMES = ("chromium", "chromium-browser", "google-chrome")
# Without the word by which robots are known; of a context alone, what is sent when a page is left would not have it.
_AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"
# No name but of this machine is found: what a test loads from elsewhere fails, and the test with it.
_ARGUMENTS = [
    "--no-sandbox",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    f"--user-agent={_AGENT}",
]


# For this folder alone: while it is there, nothing else can run an event loop in this thread.
@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """The browser. A machine without one skips these tests, and CI fails."""
    path = next(filter(None, map(shutil.which, _NAMES)), None)
    if path is None:
        said = "no Chromium here: install it (apt-get install chromium) to test what runs in browsers"
        if os.environ.get("CI") == "true":
            pytest.fail(said)
        pytest.skip(said)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=_ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    """The example front end before a Sitedesk with its sample site."""
    with standing(tmp_path_factory.mktemp("front") / "data") as front:
        yield front


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    """A visitor who has never been here."""
    context = chromium.new_context(locale="ru-RU", timezone_id="Europe/Moscow")
    context.set_default_timeout(10_000)
    yield context
    context.close()


@pytest.fixture
def complaints() -> list[str]:
    """What the browser complains of: errors of scripts, violations of a policy, what could not be loaded."""
    return []


@pytest.fixture
def page(context: BrowserContext, complaints: list[str]) -> Iterator[Page]:
    """The visitor's page. A test during which the browser complains fails, unless it empties `complaints`."""
    page = context.new_page()
    page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    assert complaints == []
