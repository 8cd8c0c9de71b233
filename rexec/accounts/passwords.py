"""Passwords: which are accepted, and how they are kept.

Hashing is argon2id. Its native code releases the interpreter lock, so other threads go on; what it costs is
memory and a core, so only a few run at once in a process.
"""

from __future__ import annotations

import contextlib
import re
import secrets
import threading
import unicodedata
from collections.abc import Iterator

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from rexec.errors import InvalidInput, Unavailable

MIN_LENGTH = 10
MAX_LENGTH = 128

# From OWASP's cheat sheet on password storage. The library's default takes 64 MB a time: sixteen request
# threads would need a gigabyte.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)

# Of a random password that nobody kept, made with the parameters above.
_STAND_IN = (
    "$argon2id$v=19$m=19456,t=2,p=1$iShfLcPvGocugBmyZ1Jj5g$k6Yg/xZPiMubeRK6JDZKmNS5ka2IiWBhuEIRPptiBZA"
)

CONCURRENT_HASHES = 2
QUEUE_SECONDS = 10.0
_permits = threading.BoundedSemaphore(CONCURRENT_HASHES)

_WORDS = """
abc abcd abcdef access account admin administrator baseball batman changeme charlie computer container
default docker dragon football freedom guest hello hunter iloveyou internet letmein login love master
michael monkey mustang mypassword newpassword nopassword passw password passwort pokemon princess qazwsx
qwer qwert qwerty qwertyuiop rexec root samsung secret shadow starwars summer sunshine superman system temp
test tester testing thisisapassword toor trustno user welcome whatever winter
"""
_COMMON_WORDS = frozenset(_WORDS.split())
_RUNS = (
    "01234567890123456789",
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiopasdfghjklzxcvbnm",
    "qwertzuiopasdfghjklyxcvbnm",
    "azertyuiopqsdfghjklmwxcvbn",
    "1q2w3e4r5t6z7u8i9o0p",
    "1q2w3e4r5t6y7u8i9o0p",
    "1qaz2wsx3edc4rfv5tgb6yhn",
    "qazwsxedcrfvtgbyhnujm",
)
_LEET = str.maketrans("013457@$!", "oieastasi")
_FEWEST_DIFFERENT = 4


def check(password: str, email: str = "") -> None:
    """Refuse a password that is too short, too long or among the first that anybody would try.

    No composition rules: length is what counts (NIST SP 800-63B, section 5.1.1.2).

    Args:
        password: What was typed.
        email: The account's address, which must not be the password.

    Raises:
        InvalidInput: On the field `password`.
    """
    if len(password) < MIN_LENGTH:
        raise InvalidInput(f"Use at least {MIN_LENGTH} characters.", field="password")
    if len(password) > MAX_LENGTH:
        raise InvalidInput(f"Use at most {MAX_LENGTH} characters.", field="password")
    folded = _normalised(password).casefold()
    if email and folded in {email.casefold(), email.casefold().partition("@")[0]}:
        raise InvalidInput("Your e-mail address is not a secret: choose something else.", field="password")
    if _is_common(folded):
        raise InvalidInput(
            "This is among the first passwords anybody would try: choose another.", field="password"
        )


def hash_password(password: str) -> str:
    """The argon2id hash to store, parameters included.

    Raises:
        Unavailable: If too many others are being worked on.
    """
    with _permit():
        return _HASHER.hash(_normalised(password))


def verify(password_hash: str | None, password: str) -> bool:
    """Say whether a password is the right one, in the same time whether or not there is an account.

    Args:
        password_hash: What is stored; None where there is no such account: a stand-in is verified and the
            answer is no.
        password: What was typed.

    Raises:
        Unavailable: If too many others are being worked on.
    """
    if len(password) > MAX_LENGTH:
        return False
    known = password_hash is not None
    with _permit():
        try:
            _HASHER.verify(password_hash if password_hash is not None else _STAND_IN, _normalised(password))
        except (VerificationError, InvalidHashError):
            return False
    return known


def is_outdated(password_hash: str) -> bool:
    """Say whether a hash was made with other parameters than today's."""
    return _HASHER.check_needs_rehash(password_hash)


def generate() -> str:
    """A password of 120 random bits that can be read aloud and typed."""
    alphabet = "abcdefghijkmnpqrstuvwxyz23456789"
    return "-".join("".join(secrets.choice(alphabet) for _ in range(6)) for _ in range(4))


def _normalised(password: str) -> str:
    """One form for what two keyboards may encode differently."""
    return unicodedata.normalize("NFKC", password)


def _is_common(folded: str) -> bool:
    if len(set(folded)) < _FEWEST_DIFFERENT:
        return True
    if any(folded in run or folded in run[::-1] for run in _RUNS):
        return True
    letters = re.sub(r"[\W\d_]+", "", folded)
    spelled = re.sub(r"[\W_]+", "", folded.rstrip("0123456789!?.$#*").translate(_LEET))
    return any(word in _COMMON_WORDS or _halves_match(word) for word in (letters, spelled) if word)


def _halves_match(word: str) -> bool:
    middle, odd = divmod(len(word), 2)
    return not odd and word[:middle] == word[middle:] and word[:middle] in _COMMON_WORDS


@contextlib.contextmanager
def _permit() -> Iterator[None]:
    if not _permits.acquire(timeout=QUEUE_SECONDS):
        raise Unavailable(
            "Too many people are logging in at this moment.", hint="Try again in a few seconds."
        )
    try:
        yield
    finally:
        _permits.release()
