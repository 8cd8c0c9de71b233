"""Which passwords are accepted, and how they are kept."""

from __future__ import annotations

import threading

import pytest
from argon2 import PasswordHasher

from rexec.accounts import passwords
from rexec.errors import InvalidInput, Unavailable
from tests.support.waiting import eventually


@pytest.mark.parametrize(
    "password",
    [
        "correct-horse-battery-staple",
        "ten chars.",
        "пароль из слов",
        "x" * 60 + "abcd",
        "a long sentence with password in it",
        "Tr0mbone under the bridge",
    ],
)
def test_a_password_that_takes_guessing_is_accepted(password):
    passwords.check(password, "owner@example.com")


def test_a_generated_password_is_accepted():
    passwords.check(passwords.generate(), "owner@example.com")


@pytest.mark.parametrize(
    "password",
    [
        "password123",
        "Password2024!",
        "p4ssw0rd!!",
        "passwordpassword",
        "1234567890",
        "0987654321",
        "qwertyuiop",
        "aaaaaaaaaaaa",
        "abababababab",
        "Letmein12345",
        "abcdefghijkl",
        "rexec123456",
        "!!!welcome!!!",
    ],
)
def test_a_password_that_everybody_tries_first_is_refused(password):
    with pytest.raises(InvalidInput) as refused:
        passwords.check(password)
    assert refused.value.field == "password"


@pytest.mark.parametrize(
    "password", ["owner-of-things@example.com", "OWNER-OF-THINGS", "Owner-Of-Things@Example.com"]
)
def test_the_address_is_no_password_for_its_own_account(password):
    with pytest.raises(InvalidInput, match="e-mail address"):
        passwords.check(password, "owner-of-things@example.com")


@pytest.mark.parametrize(("length", "accepted"), [(9, False), (10, True), (128, True), (129, False)])
def test_length_has_two_ends(length, accepted):
    password = "".join(chr(ord("a") + number * 7 % 26) for number in range(length))
    if accepted:
        passwords.check(password)
    else:
        with pytest.raises(InvalidInput):
            passwords.check(password)


def test_a_hash_is_argon2id_and_verifies_only_its_password():
    kept = passwords.hash_password("correct-horse")
    assert kept.startswith("$argon2id$")
    assert passwords.verify(kept, "correct-horse")
    assert not passwords.verify(kept, "correct-horsf")
    assert passwords.hash_password("correct-horse") != kept


def test_two_encodings_of_one_character_are_one_password():
    assert passwords.verify(passwords.hash_password("cafe\u0301-au-lait"), "caf\u00e9-au-lait")


def test_an_account_that_is_not_there_costs_one_verification_and_the_answer_is_no(monkeypatch):
    tried = []

    class Counting:
        def verify(self, kept, password):
            tried.append(kept)
            return True

    monkeypatch.setattr(passwords, "_HASHER", Counting())
    assert passwords.verify(None, "whatever-it-is") is False
    assert tried == [passwords._STAND_IN]


def test_the_stand_in_costs_what_a_real_hash_costs():
    assert not passwords.is_outdated(passwords._STAND_IN)


def test_a_hash_of_weaker_parameters_is_outdated():
    weaker = PasswordHasher(time_cost=1, memory_cost=8 * 1024, parallelism=1).hash("correct-horse")
    assert passwords.is_outdated(weaker)
    assert passwords.verify(weaker, "correct-horse")


@pytest.mark.parametrize("kept", ["", "not a hash", "$argon2id$v=19$m=19456,t=2,p=1$broken"])
def test_a_broken_hash_lets_nobody_in(kept):
    assert not passwords.verify(kept, "correct-horse")


def test_no_more_than_a_few_are_hashed_at_once(monkeypatch):
    running, highest, gate = [], [], threading.Event()

    class Slow:
        def hash(self, password):
            running.append(password)
            highest.append(len(running))
            gate.wait(10)
            running.remove(password)
            return "hash"

    monkeypatch.setattr(passwords, "_HASHER", Slow())
    threads = [threading.Thread(target=passwords.hash_password, args=(f"password-{n}",)) for n in range(6)]
    for thread in threads:
        thread.start()
    eventually(lambda: len(running) == passwords.CONCURRENT_HASHES)
    gate.set()
    for thread in threads:
        thread.join(10)
    assert len(highest) == 6
    assert max(highest) == passwords.CONCURRENT_HASHES


def test_whoever_waits_too_long_for_a_turn_is_told_to_come_back(monkeypatch):
    monkeypatch.setattr(passwords, "QUEUE_SECONDS", 0.01)
    monkeypatch.setattr(passwords, "_permits", threading.BoundedSemaphore(1))
    with passwords._permit(), pytest.raises(Unavailable):
        passwords.hash_password("correct-horse")
    assert passwords.hash_password("correct-horse")
