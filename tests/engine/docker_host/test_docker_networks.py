"""The shared network and the volumes."""

import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from rexec.docker_host import NetworkSpec
from rexec.docker_host.errors import DockerConflict, DockerHostError, DockerNotFound, DockerRejected


@pytest.fixture
def net(host, label):
    """A network that is not there yet."""
    spec = NetworkSpec(f"rexec-race-{uuid.uuid4().hex[:8]}", labels=label)
    yield spec
    for found in host._session.call(lambda client: client.networks(names=[spec.name])):
        host.remove_network(found["Id"])


def networks_named(host, name):
    return [net for net in host._session.call(lambda client: client.networks()) if net["Name"] == name]


def test_a_network_is_made_once(host, net):
    first = host.ensure_network(net)
    assert host.ensure_network(net) == first
    (made,) = networks_named(host, net.name)
    assert made["Options"]["com.docker.network.bridge.enable_icc"] == "false"
    assert made["IPAM"]["Config"][0]["Subnet"].endswith("/22")
    assert made["Labels"] == net.labels


def test_processes_that_make_it_at_once_end_with_one(engine, make_host, host, net):
    many = 8
    hosts = [make_host(engine.settings()) for _ in range(many)]
    barrier = threading.Barrier(many)

    def make(one):
        one.ping()
        barrier.wait(10)
        return one.ensure_network(net)

    with ThreadPoolExecutor(many) as threads:
        ids = set(threads.map(make, hosts))
    (made,) = networks_named(host, net.name)
    assert ids == {made["Id"]}


def test_a_taken_range_is_passed_over(host, net, label):
    taken = NetworkSpec(f"{net.name}-taken", labels=label, subnets=("10.250.0.0/22",))
    host.ensure_network(taken)
    wanted = replace(net, subnets=("10.250.0.0/22", "10.250.2.0/23", "10.250.4.0/22"))
    host.ensure_network(wanted)
    (made,) = networks_named(host, net.name)
    assert made["IPAM"]["Config"][0]["Subnet"] == "10.250.4.0/22"
    host.remove_network(taken.name)


def test_where_every_range_is_taken_that_is_said(host, net, label):
    taken = NetworkSpec(f"{net.name}-taken", labels=label, subnets=("10.250.0.0/22",))
    host.ensure_network(taken)
    with pytest.raises(DockerRejected) as caught:
        host.ensure_network(replace(net, subnets=("10.250.0.0/22",)))
    assert caught.value.code == "docker_no_subnet"
    host.remove_network(taken.name)


def test_a_network_of_that_name_that_is_not_ours_is_left_alone(host, engine, net):
    engine.docker("network", "create", "--subnet", "10.251.0.0/24", net.name)
    with pytest.raises(DockerConflict):
        host.ensure_network(net)


def test_a_name_that_contains_ours_is_not_ours(host, net, label):
    longer = replace(net, name=f"{net.name}-longer")
    host.ensure_network(longer)
    host.ensure_network(net)
    assert len(networks_named(host, net.name)) == 1
    host.remove_network(longer.name)


def test_a_network_in_use_cannot_be_removed(host, network, container):
    with pytest.raises(DockerHostError):
        host.remove_network(network)


def test_volumes_are_found_by_their_labels(host, spec, container, label):
    (volume,) = host.list_volumes(label)
    assert volume["Name"] == spec.volume_name
    assert host.list_volumes({"rexec.none": None}) == []


def test_a_volume_in_use_cannot_be_removed(host, spec, container):
    with pytest.raises(DockerConflict):
        host.remove_volume(spec.volume_name)


def test_a_volume_that_is_gone_is_not_found(host):
    with pytest.raises(DockerNotFound):
        host.remove_volume("rexec-none")
