"""Where a person may be sent after logging in: pages of this site and nothing else."""

from __future__ import annotations

import re
from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rexec.accounts.login import safe_next

SITE = "https://rexec.example/login"


def as_a_browser_reads(target):
    """The host a browser would go to: it drops tabs and newlines and takes backslashes for slashes."""
    target = re.sub(r"[\t\r\n]", "", target).strip("".join(map(chr, range(0x21)))).replace("\\", "/")
    return urlsplit(urljoin(SITE, target)).netloc


@pytest.mark.parametrize(
    "target", ["/containers", "/containers/ab12?tab=2", "/", "/account#email", "/containers?q=a%20b"]
)
def test_a_page_of_this_site_is_kept(target):
    assert safe_next(target) == target


@pytest.mark.parametrize(
    "target",
    [
        None,
        "",
        "containers",
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        "\t//evil.example",
        " //evil.example",
        "/\x00/evil.example",
        "/%09/evil.example",
        "/%5cevil.example",
        "/%2f/evil.example",
        "%2f%2fevil.example",
        "/%252f/evil.example",
        "https://evil.example",
        "https:evil.example",
        "http:///evil.example",
        "javascript:alert(1)",
        "data:text/html,x",
        "//[evil",
        "/\u0085/evil.example",
    ],
)
def test_whatever_could_lead_elsewhere_is_dropped(target):
    assert safe_next(target) is None


@given(st.text(alphabet=st.sampled_from("/\\%250aAcCfF9dD.:@evil?# \t\r\n\x00\x1f\u2028"), max_size=24))
def test_no_browser_is_led_to_another_host(target):
    kept = safe_next(target)
    if kept is not None:
        assert as_a_browser_reads(kept) == "rexec.example"
