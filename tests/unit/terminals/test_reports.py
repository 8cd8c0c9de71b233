"""Answers that a terminal gives by itself are told from what people type."""

from __future__ import annotations

import pytest

from rexec.terminals.reports import is_report


@pytest.mark.parametrize(
    "data",
    [
        b"\x1b[?1;2c",
        b"\x1b[>0;276;0c",
        b"\x1b[0n",
        b"\x1b[24;80R",
        b"\x1b[?2004;1$y",
        b"\x1b]11;rgb:0000/0000/0000\x07",
        b"\x1b]10;rgb:ffff/ffff/ffff\x1b\\",
        b"\x1bP1+r544e=787465726d\x1b\\",
        b"\x1b[I",
        b"\x1b[O",
        b"\x1b[?1;2c\x1b[24;80R",
    ],
)
def test_answers_are_reports(data):
    assert is_report(data)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"a",
        b"\x1b",
        b"\x1b[A",
        b"\x1b[1;5C",
        b"\x1b[200~pasted\x1b[201~",
        b"\x1b[<0;10;10M",
        b"ls\r",
        b"\x1b[?1;2c\r",
        b"x\x1b[?1;2c",
        b"\x1bOP",
    ],
)
def test_keys_pastes_and_clicks_are_not(data):
    assert not is_report(data)
