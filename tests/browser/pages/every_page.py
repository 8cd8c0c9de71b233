"""Every page of the product, for the tests that go through all of them."""

from __future__ import annotations

STRANGER = ("/", "/signup", "/login", "/nothing-here")
NEWCOMER = ("/containers", "/account", "/account/delete", "/billing")
ADMIN = (
    "/containers",
    "/containers?q=zzz",
    "/containers/new",
    "/containers/keep",
    "/containers/{running}",
    "/containers/{stopped}",
    "/containers/{failed}",
    "/containers/{stopped}?open=delete#danger",
    "/containers/{running}/logs",
    "/billing",
    "/account",
    "/admin",
    "/admin/billing",
    "/admin/invite",
)
EVERY_PAGE = [
    *(("stranger", path) for path in STRANGER),
    *(("newcomer", path) for path in NEWCOMER),
    *(("admin", path) for path in ADMIN),
]


def person_of(site, who):
    """The person of the site by that name; None for a stranger."""
    return {"stranger": None, "newcomer": site.newcomer, "admin": site.admin}[who]
