"""The forms of a new container and of what stays. What makes a name acceptable is said once, in `names`."""

from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import RadioField, SelectMultipleField, StringField
from wtforms.validators import InputRequired

from rexec.containers import names
from rexec.errors import InvalidInput


class LaunchForm(FlaskForm):
    """A new container."""

    name = StringField(
        "Name",
        [InputRequired("Give the container a name.")],
        render_kw={
            "autocomplete": "off",
            "autocapitalize": "none",
            "spellcheck": "false",
            "maxlength": names.LONGEST,
        },
    )
    image = RadioField("Image", [InputRequired("Choose one of the images.")], validate_choice=False)

    def refuse(self, error: InvalidInput) -> None:
        """Show a service's refusal beside the field it names."""
        field = self.image if error.field == "image" else self.name
        field.errors = (*field.errors, error.message)


class KeepForm(FlaskForm):
    """Which containers stay where the plan has not room for all."""

    keep = SelectMultipleField("Containers that stay", validate_choice=False)

    def refuse(self, error: InvalidInput) -> None:
        """Show a service's refusal beside the choice."""
        self.keep.errors = (*self.keep.errors, error.message)
