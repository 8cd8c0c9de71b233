"""Redis as a bell: cheap while idle, small when used, harmless when dead."""

import time
import zlib

import pytest
import redis

from rexec import jobs
from rexec.jobs import backends
from rexec.jobs.registry import THREADS
from rexec.jobs.rq_worker import POP_S
from tests.engine.jobs import queue_app
from tests.support.waiting import eventually

WORKERS = sum(THREADS.values())


@pytest.fixture
def known(handle, tmp_path):
    diary = queue_app.Diary(tmp_path)
    queue_app.declare_handlers(diary)
    return diary


@pytest.fixture
def client(own_redis):
    with redis.Redis.from_url(own_redis.url(), decode_responses=True) as client:
        yield client


def calls(client):
    """Commands that others have sent, by name."""
    stats = client.info("commandstats")
    counts = {name.removeprefix("cmdstat_"): figures["calls"] for name, figures in stats.items()}
    return {name: count for name, count in counts.items() if name not in {"info", "config|resetstat"}}


def test_an_idle_worker_sends_redis_next_to_nothing(new_worker, until_idle, client):
    new_worker(pop_s=1)
    until_idle()
    client.config_resetstat()
    eventually(lambda: calls(client).get("blmove", 0) >= 18, 30)
    counted = calls(client)
    a_pop = sum(counted.values()) / counted["blmove"]
    assert a_pop * WORKERS * 86_400 / POP_S < 10_000, counted


def test_an_operation_costs_redis_some_dozen_commands_and_leaves_nothing(
    known, new_worker, client, add, row, until, until_idle
):
    new_worker()
    until_idle()
    first = add("test.note")
    jobs.wake(row(first))
    until("done", first)
    until_idle()
    before = client.dbsize()
    client.config_resetstat()
    operation_ids = []
    for _ in range(5):
        operation_ids.append(add("test.note"))
        jobs.wake(row(operation_ids[-1]))
        until("done", operation_ids[-1])
    until_idle()
    assert sum(calls(client).values()) / 5 < 80, calls(client)
    assert client.dbsize() <= before
    assert client.keys("rq:job:*") == []


def test_the_arguments_in_redis_are_the_operations_id_alone(known, own_redis, client, add, row):
    operation_id = add("test.note")
    jobs.wake(row(operation_id))
    key = eventually(lambda: client.keys("rq:job:*"))[0]
    with redis.Redis.from_url(own_redis.url()) as raw:
        data = zlib.decompress(raw.hget(key, "data")).decode()
    assert data == f'["rexec.jobs.rq_backend.run", null, [{operation_id}], {{}}]'
    assert 0 < client.ttl(key) <= 900


@pytest.mark.parametrize("trouble", ["kill", "pause"])
def test_waking_never_raises_and_never_waits_for_a_dead_redis(known, own_redis, app, add, row, trouble):
    operation = row(add("test.note"))
    getattr(own_redis, trouble)()
    started = time.monotonic()
    for _ in range(50):
        jobs.wake(operation)
    assert time.monotonic() - started < 0.5
    started = time.monotonic()
    assert backends.bell().pending("quick") is None
    assert time.monotonic() - started < 2.5


def test_a_bell_rings_again_after_redis_came_back(known, own_redis, client, app, add, row):
    operation = row(add("test.note"))
    own_redis.kill()
    jobs.wake(operation)
    eventually(lambda: backends.bell()._failing)
    own_redis.start()

    def rings():
        jobs.wake(operation)
        return client.llen("rq:queue:rexec-quick") > 0

    eventually(rings, 15)
