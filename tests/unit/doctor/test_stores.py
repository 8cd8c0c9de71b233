"""What a database, Redis or Stripe says when it refuses has one meaning each."""

import pytest
import redis
from sqlalchemy.exc import OperationalError

from rexec.doctor import payments, stores


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ('connection to server at "10.0.0.1", port 5432 failed: Connection refused', "database_refused"),
        ("[Errno -2] Name or service not known", "database_dns"),
        ("failed to resolve host 'db.invalid': [Errno -2]", "database_dns"),
        ("connection timeout expired", "database_timeout"),
        ('FATAL:  password authentication failed for user "rexec"', "database_login"),
        ('FATAL:  no pg_hba.conf entry for host "10.0.0.1"', "database_login"),
        ('FATAL:  database "rexec" does not exist', "database_unknown"),
        ('FATAL:  role "rexec" does not exist', "database_login"),
        ("FATAL: no such database: rexec", "database_unknown"),
        ("server does not support SSL, but SSL was required", "database_tls"),
        ("something new", "database_error"),
    ],
)
def test_why_the_database_cannot_be_used_is_told_apart(said, code):
    fault = stores.database_fault(OperationalError("SELECT 1", {}, Exception(said)))
    assert fault.code == code
    assert "10.0.0.1" not in fault.message + fault.hint


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (redis.ConnectionError("Error 111 connecting to r:6379. Connection refused."), "redis_refused"),
        (redis.ConnectionError("Error -2 connecting to r:6379. Name or service not known."), "redis_dns"),
        (redis.TimeoutError("Timeout connecting to server"), "redis_timeout"),
        (redis.AuthenticationError("Authentication required."), "redis_login"),
        (redis.ResponseError("WRONGPASS invalid username-password pair"), "redis_login"),
        (redis.ConnectionError("Connection closed by server."), "redis_tls"),
        (redis.ConnectionError("Error 1 connecting to r:6379. [SSL] record layer failure"), "redis_tls"),
        (redis.ResponseError("something new"), "redis_error"),
    ],
)
def test_why_redis_cannot_be_used_is_told_apart(error, code):
    assert stores.redis_fault(error).code == code


@pytest.mark.parametrize(
    ("status", "code"), [(401, "stripe_key"), (403, "stripe_permission"), (500, "stripe_unreachable")]
)
def test_why_stripe_refuses_is_told_apart(status, code):
    found = payments.verdict(status, live=False)
    assert found.status == "fail"
    assert f"({code})" in found.message


def test_a_key_for_real_money_is_told_from_one_for_tests():
    assert "real money" in payments.verdict(200, live=True).message
    assert "test mode" in payments.verdict(200, live=False).message


@pytest.mark.parametrize(
    ("present", "status", "said"),
    [
        (None, "fail", "migrations_missing"),
        ("0001", "fail", "migrations_behind"),
        ("0002", "ok", "0002"),
        ("0003", "warning", "newer"),
    ],
)
def test_tables_of_another_age_are_told_apart(present, status, said):
    found = stores.tables(present, ["0002", "0001"])
    assert found.status == status
    assert said in found.message
