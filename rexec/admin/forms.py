"""The forms of the admin pages."""

from __future__ import annotations

from wtforms import BooleanField, EmailField, SelectField

from rexec.accounts.forms import ServiceForm
from rexec.billing import plans

DEFAULT_PLAN = ""


def plan_choices() -> list[tuple[str, str]]:
    """The plans to choose from, and the default one by no name of its own."""
    return [(DEFAULT_PLAN, "Default"), *((plan.key, plan.name) for plan in plans.all())]


class PlanForm(ServiceForm):
    """Another plan for somebody."""

    plan = SelectField("Plan", choices=plan_choices)


class InviteForm(ServiceForm):
    """A link to sign up by."""

    email = EmailField(
        "E-mail address",
        description="Leave it empty for a link that works for any address.",
        render_kw={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"},
    )
    plan = SelectField("Plan", choices=plan_choices)
    admin = BooleanField("Make them an admin")
