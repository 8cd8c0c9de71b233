"""Pages to sign up, log in and out, and look after one's own account."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from rexec.accounts import closing, credentials, links, login, service
from rexec.accounts.forms import (
    ChangeEmailForm,
    ChangePasswordForm,
    CloseAccountForm,
    LogInForm,
    ResetPasswordForm,
    ServiceForm,
    SignUpForm,
)
from rexec.accounts.limits import limit_links, limit_own_password, limit_tries
from rexec.errors import InvalidInput
from rexec.web.access import current_user, login_required

blueprint = Blueprint("accounts", __name__)


@blueprint.route("/signup", methods=["GET", "POST"])
@limit_tries
def sign_up() -> ResponseReturnValue:
    """Make an account, where the operator lets everybody."""
    if current_user.is_authenticated:
        return redirect(login.after_login(), 303)
    service.require_open_signups()
    return _sign_up(SignUpForm(), token=None)


@blueprint.route("/join/<token>", methods=["GET", "POST"])
@limit_links
@limit_tries
def join(token: str) -> ResponseReturnValue:
    """Make an account by an invitation, or the first admin's by the link in the log."""
    link = links.find(token, "admin", "invite")
    form = SignUpForm(data={"email": link.email or ""})
    if link.email:
        form.email.render_kw = {**(form.email.render_kw or {}), "readonly": True}
    return _sign_up(form, token=token, grants_admin=link.grants_admin)


def _sign_up(form: SignUpForm, *, token: str | None, grants_admin: bool = False) -> ResponseReturnValue:
    if form.validate_on_submit():
        try:
            login.enter(service.sign_up(form.email.data, form.password.data, token))
        except InvalidInput as error:
            form.refuse(error)
        else:
            return redirect(login.after_login(), 303)
    page = render_template(
        "accounts/signup.html", form=form, invited=token is not None, grants_admin=grants_admin
    )
    return page, _status(form)


@blueprint.route("/login", methods=["GET", "POST"])
@limit_tries
def log_in() -> ResponseReturnValue:
    """Log in."""
    if current_user.is_authenticated:
        return redirect(login.after_login(), 303)
    form = LogInForm()
    if form.validate_on_submit():
        try:
            login.enter(credentials.log_in(form.email.data, form.password.data))
        except InvalidInput as error:
            form.refuse(error)
        else:
            return redirect(login.after_login(), 303)
    return render_template("accounts/login.html", form=form), _status(form)


@blueprint.post("/logout")
def log_out() -> ResponseReturnValue:
    """Log out; harmless for whoever is not logged in."""
    login.leave()
    flash("You are logged out.", "ok")
    return redirect(url_for("accounts.log_in"), 303)


@blueprint.get("/account")
@login_required
def account() -> ResponseReturnValue:
    """The account's own page."""
    return _account_page()


@blueprint.post("/account/password")
@login_required
@limit_own_password
def change_password() -> ResponseReturnValue:
    """Set a new password; other browsers are logged out."""
    form = ChangePasswordForm()
    if form.validate_on_submit():
        try:
            credentials.change_password(
                current_user.id, form.present.data, form.password.data, session_id=current_user.session_id
            )
        except InvalidInput as error:
            form.refuse(error)
        else:
            flash("Your password is changed. Every other browser is logged out.", "ok")
            return redirect(url_for("accounts.account"), 303)
    return _account_page(password_form=form)


@blueprint.post("/account/email")
@login_required
@limit_own_password
def change_email() -> ResponseReturnValue:
    """Move the account to another e-mail address."""
    form = ChangeEmailForm()
    if form.validate_on_submit():
        try:
            credentials.change_email(current_user.id, form.present.data, form.email.data)
        except InvalidInput as error:
            form.refuse(error)
        else:
            flash("Your e-mail address is changed. Log in with the new one from now on.", "ok")
            return redirect(url_for("accounts.account"), 303)
    return _account_page(email_form=form)


@blueprint.route("/account/delete", methods=["GET", "POST"])
@login_required
@limit_own_password
def delete_account() -> ResponseReturnValue:
    """Ask once more, then delete the account and everything it has."""
    form = CloseAccountForm()
    if form.validate_on_submit():
        try:
            closing.close(current_user.id, form.present.data)
        except InvalidInput as error:
            form.refuse(error)
        else:
            login.leave()
            flash("Your account is deleted. Its containers and their files are being removed.", "ok")
            return redirect("/", 303)
    return render_template("accounts/delete.html", form=form), _status(form)


@blueprint.route("/reset/<token>", methods=["GET", "POST"])
@limit_links
def reset_password(token: str) -> ResponseReturnValue:
    """Set a new password by a link that an admin made."""
    links.find(token, "reset")
    form = ResetPasswordForm()
    if form.validate_on_submit():
        try:
            credentials.reset_password(token, form.password.data)
        except InvalidInput as error:
            form.refuse(error)
        else:
            login.leave()
            flash("Your new password is set. Log in with it.", "ok")
            return redirect(url_for("accounts.log_in"), 303)
    return render_template("accounts/reset.html", form=form), _status(form)


def _account_page(
    *, password_form: ChangePasswordForm | None = None, email_form: ChangeEmailForm | None = None
) -> ResponseReturnValue:
    refused = password_form or email_form
    page = render_template(
        "accounts/account.html",
        password_form=password_form or ChangePasswordForm(None),
        email_form=email_form or ChangeEmailForm(None),
    )
    return page, _status(refused) if refused else 200


def _status(form: ServiceForm) -> int:
    """A page with a form that was sent and is shown again says so by its status."""
    return 422 if form.is_submitted() else 200
