"""Engines as the application has them."""

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError

from rexec.extensions import engine_options


def test_an_error_names_no_value_of_its_statement():
    engine = create_engine("sqlite://", **engine_options("sqlite://"))
    with engine.connect() as connection, pytest.raises(OperationalError, match="no such table") as caught:
        connection.execute(text("SELECT 1 FROM users WHERE hash = :hash"), {"hash": "a-secret"})
    assert "a-secret" not in str(caught.value)
