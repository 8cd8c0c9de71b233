"""Browser tests: Debian's Chromium on the shared server. A page that breaks its own rules fails the test.

Any violation of the content security policy, any uncaught exception and any error in the console counts.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, ConsoleMessage, Error, Page, Response, expect, sync_playwright

from tests.support.http_user import HttpUser, new_address
from tests.support.reports import failed
from tests.support.server import RexecServer

ARTIFACTS = Path(__file__).resolve().parents[2] / ".test" / "artifacts"
CHROMIUM = Path("/usr/bin/chromium-headless-shell")
NETWORK_CHANGES = 3
PATIENCE_MS = 20_000
"""For what a busy machine does late; a promise about time is a test of its own."""
ARGUMENTS = (
    *("--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
)
REPORT_VIOLATIONS = """
document.addEventListener("securitypolicyviolation", (event) =>
  console.error(`CSP violation: ${event.violatedDirective} blocked ${event.blockedURI} ${event.sample}`));
"""


NETWORK_CHANGED = "ERR_NETWORK_CHANGED"
"""A container that starts on this machine changes its network: Chromium drops what it loads just then."""
HARMLESS = (
    NETWORK_CHANGED,
    # A page that is left while its terminal connects.
    "WebSocket connection to .* failed: Connection closed before receiving a handshake response",
    # A page whose container is being deleted or gone, and which asks once more before it is left.
    "WebSocket connection to .* failed: .* Unexpected response code: 40[49]",
    r"Failed to load resource: .* status of 404 .*/containers/[0-9a-z]+/status\)",
)


class PageErrors:
    """Collects what pages complain about; what a test expects, it allows by name."""

    def __init__(self) -> None:
        self._seen: list[str] = []
        self._allowed: list[re.Pattern[str]] = [re.compile(pattern) for pattern in HARMLESS]

    def allow(self, pattern: str) -> None:
        """Expect errors whose text this regular expression matches somewhere."""
        self._allowed.append(re.compile(pattern))

    def watch(self, page: Page) -> None:
        """Collect the errors of a page from now on."""
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self._seen.append(f"uncaught: {error}"))

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self._seen.append(f"{message.text} ({message.location.get('url', '')})")

    def unexpected(self) -> list[str]:
        """Everything that nobody allowed."""
        return [text for text in self._seen if not any(pattern.search(text) for pattern in self._allowed)]


@pytest.fixture(scope="session")
def playwright():
    """Playwright's driver."""
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="session")
def chromium(playwright):
    """One Chromium for the session; each person gets a context of their own."""
    # Chromium's sandbox does not start for root.
    arguments = [*ARGUMENTS, *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    # Without Debian's, the one that Playwright installed.
    path = CHROMIUM if CHROMIUM.exists() else None
    browser = playwright.chromium.launch(executable_path=path, args=arguments)
    yield browser
    browser.close()


@pytest.fixture
def page_errors():
    """The complaints of all pages of this test; `allow` the ones it is about."""
    return PageErrors()


def go_past_network_changes(page: Page) -> None:
    """Let the page's `goto` ask again when the network changed, as a person would press *Reload*."""
    once = page.goto

    def goto(url: str, **options) -> Response | None:
        for _ in range(NETWORK_CHANGES):
            try:
                return once(url, **options)
            except Error as error:
                if NETWORK_CHANGED not in error.message:
                    raise
        return once(url, **options)

    page.goto = goto


@pytest.fixture
def new_context(request, chromium, page_errors):
    """Makes browsers that know nobody; takes screenshots of their pages when the test fails."""
    contexts: list[BrowserContext] = []

    def make(**options) -> BrowserContext:
        headers = {"X-Forwarded-For": new_address()}
        context = chromium.new_context(**{"locale": "en-GB", "extra_http_headers": headers, **options})
        context.set_default_timeout(PATIENCE_MS)
        context.add_init_script(REPORT_VIOLATIONS)
        context.on("page", page_errors.watch)
        context.on("page", go_past_network_changes)
        contexts.append(context)
        return context

    yield make
    if failed(request.node):
        _keep_evidence(request.node, contexts)
    for context in contexts:
        context.close()
    assert not page_errors.unexpected(), "\n".join(page_errors.unexpected())


def _keep_evidence(item: pytest.Item, contexts: list[BrowserContext]) -> None:
    """Write screenshots and server logs of a failed test into .test/artifacts."""
    folder = ARTIFACTS / re.sub(r"[^\w.-]+", "_", item.nodeid)
    folder.mkdir(parents=True, exist_ok=True)
    pages = (page for context in contexts for page in context.pages)
    for number, page in enumerate(pages, start=1):
        page.screenshot(path=folder / f"page-{number}.png")
        (folder / f"page-{number}.html").write_text(page.content(), encoding="utf-8")
    for name, value in item.funcargs.items():
        if isinstance(value, RexecServer):
            (folder / f"{name}.log").write_text(value.log, encoding="utf-8")


@pytest.fixture
def page(new_context):
    """A page of somebody whom nobody knows, 1280 by 800."""
    return new_context(viewport={"width": 1280, "height": 800}).new_page()


@pytest.fixture
def log_in_as():
    """Hands the session of a person to a browser: `log_in_as(page.context, user)`."""

    def log_in(context: BrowserContext, user: HttpUser) -> None:
        cookies = [
            {"name": cookie.name, "value": cookie.value, "url": user.url} for cookie in user.session.cookies
        ]
        context.add_cookies(cookies)

    return log_in


@pytest.fixture
def user_page(page, user, server, log_in_as):
    """A page of somebody who is logged in to the shared server, on the list of containers."""
    log_in_as(page.context, user)
    page.goto(server.url + "/containers")
    return page
