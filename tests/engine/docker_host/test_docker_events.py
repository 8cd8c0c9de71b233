"""The event stream: complete, filtered, patient with a quiet daemon, and loud when it is lost."""

import threading
import time

import pytest

from rexec.docker_host.errors import DockerUnreachable
from tests.support.engine import SHELL_IMAGE
from tests.support.proxy import TcpProxy
from tests.support.waiting import eventually


@pytest.fixture
def watch():
    """Opens event streams that end by themselves where a test waits in vain."""
    opened = []

    def watch(host, patience_s=20.0, **options):
        events = host.events(**options)
        timer = threading.Timer(patience_s, events.close)
        timer.start()
        opened.append((events, timer))
        return events

    yield watch
    for events, timer in opened:
        timer.cancel()
        timer.join()
        events.close()


def actions(events, until):
    """The actions up to and including one of this name."""
    seen = []
    for event in events:
        seen.append(event["Action"])
        if event["Action"] == until:
            break
    return seen


def test_a_containers_life_is_told_in_order(host, watch, spec, label):
    events = watch(host, labels=label)
    made = host.create_container(spec)
    host.start_container(made)
    host.kill_container(made)
    host.remove_container(made)
    assert actions(events, "destroy") == ["create", "start", "kill", "die", "destroy"]
    host.remove_volume(spec.volume_name)


def test_what_was_missed_is_told_from_since_on(host, watch, spec, label):
    before = time.time_ns()
    made = host.create_container(spec)
    host.remove_container(made)
    assert actions(watch(host, since_ns=before, labels=label), "destroy") == ["create", "destroy"]
    assert list(watch(host, patience_s=0.5, since_ns=time.time_ns(), labels=label)) == []
    host.remove_volume(spec.volume_name)


def test_a_stream_knows_when_it_was_opened_to_the_second(host, watch):
    before = time.time_ns()
    opened_ns = watch(host).opened_ns
    assert before - 10**9 < opened_ns <= time.time_ns()


def test_from_right_behind_an_event_it_is_not_told_again(host, watch, spec, label):
    before = time.time_ns()
    made = host.create_container(spec)
    told = next(watch(host, since_ns=before, labels=label))
    assert list(watch(host, patience_s=0.5, since_ns=told["timeNano"] + 1, labels=label)) == []
    host.remove_container(made)
    host.remove_volume(spec.volume_name)


def test_other_peoples_objects_are_not_told(host, watch, container):
    events = watch(host, patience_s=0.5, since_ns=0, labels={"rexec.deployment": "somebody else's"})
    assert list(events) == []


def test_a_quiet_daemon_is_no_error(engine, make_host, watch, spec, label):
    events = watch(make_host(engine.settings(), read_timeout=0.3), labels=label)
    patient = make_host(engine.settings())
    made = []
    timer = threading.Timer(1.0, lambda: made.append(patient.create_container(spec)))
    timer.start()
    assert next(events)["Action"] == "create"
    timer.join()
    patient.remove_container(made[0])
    patient.remove_volume(spec.volume_name)


def test_closing_from_another_thread_ends_a_waiting_reader_at_once(host):
    events = host.events(labels={"rexec.none": None})
    ended = threading.Event()

    def read():
        assert list(events) == []
        ended.set()

    reader = threading.Thread(target=read)
    reader.start()
    eventually(events._reading.locked)
    started = time.monotonic()
    events.close()
    assert ended.wait(2)
    assert time.monotonic() - started < 1
    reader.join()


def test_closing_twice_and_reading_afterwards_is_harmless(host):
    events = host.events()
    events.close()
    events.close()
    assert list(events) == []


def lost(events):
    with pytest.raises(DockerUnreachable) as caught:
        for _ in events:
            pass
    return caught.value.code


def test_a_daemon_that_stops_is_never_a_silent_end(own_engine, make_host, watch):
    events = watch(make_host(own_engine.settings()))
    own_engine.stop()
    assert lost(events) == "docker_closed"


def test_a_daemon_that_is_killed_is_an_outage(own_engine, make_host, watch):
    events = watch(make_host(own_engine.settings()))
    own_engine.kill()
    assert lost(events) == "docker_closed"


def test_a_connection_that_is_cut_is_an_outage(engine, make_host, watch):
    with TcpProxy(engine.port) as proxy:
        events = watch(make_host(engine.settings(host=f"tcp://127.0.0.1:{proxy.port}")))
        proxy.cut()
        assert lost(events) == "docker_closed"


def test_after_an_outage_the_stream_goes_on_where_it_ended(own_engine, make_host, watch, label):
    host = make_host(own_engine.settings())
    events = watch(host, labels=label)
    since_ns = events.opened_ns
    own_engine.kill()
    assert lost(events) == "docker_closed"
    own_engine.start()
    mark = "rexec.deployment=" + label["rexec.deployment"]
    made = own_engine.docker("create", "--label", mark, SHELL_IMAGE, "true")
    event = next(watch(host, since_ns=since_ns, labels=label))
    assert (event["Action"], event["id"]) == ("create", made)
