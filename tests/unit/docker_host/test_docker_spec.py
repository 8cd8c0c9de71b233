"""The bodies that make the daemon build what we want, hardened."""

from dataclasses import replace

from rexec.docker_host.spec import (
    CAPABILITIES,
    ContainerSpec,
    NetworkSpec,
    candidate_subnets,
    to_create_body,
    to_network_body,
)

SPEC = ContainerSpec(
    name="rexec-abc",
    image="debian:12",
    command=("sh", "/loop"),
    hostname="web-lab",
    network="rexec-1234-1",
    volume_name="rexec-home-abc",
    volume_target="/root",
    memory_bytes=512 * 1024**2,
    nano_cpus=500_000_000,
    pids_limit=256,
    env={"TERM": "xterm-256color", "HOME": "/root"},
    labels={"rexec.container": "abc"},
    volume_labels={"rexec.container": "abc"},
)


def host_config(spec=SPEC):
    return to_create_body(spec)["HostConfig"]


def test_root_inside_keeps_a_short_list_of_capabilities():
    config = host_config()
    assert config["CapDrop"] == ["ALL"]
    assert set(config["CapAdd"]) == set(CAPABILITIES)
    assert not {"NET_RAW", "SYS_ADMIN", "SYS_PTRACE", "MKNOD", "NET_ADMIN"} & set(config["CapAdd"])
    assert "Privileged" not in config


def test_nothing_can_gain_privileges():
    assert host_config()["SecurityOpt"] == ["no-new-privileges:true"]


def test_swap_does_not_add_to_the_memory():
    config = host_config()
    assert config["Memory"] == config["MemorySwap"] == 512 * 1024**2


def test_processor_processes_files_and_core_dumps_are_limited():
    config = host_config()
    assert config["NanoCpus"] == 500_000_000
    assert config["PidsLimit"] == 256
    limits = {limit["Name"]: (limit["Soft"], limit["Hard"]) for limit in config["Ulimits"]}
    assert limits["core"] == (0, 0)
    assert limits["nofile"] == (16384, 16384)
    # All containers share one range of users, so a limit by user would be shared too.
    assert "nproc" not in limits


def test_the_log_is_capped_at_one_megabyte_in_all():
    log = host_config()["LogConfig"]
    size, files = log["Config"]["max-size"], int(log["Config"]["max-file"])
    assert log["Type"] == "local"
    assert files >= 2
    assert int(size.removesuffix("k")) * 1024 * files <= 1024**2


def test_the_shell_has_a_terminal_that_outlives_its_viewers():
    body = to_create_body(SPEC)
    assert (body["Tty"], body["OpenStdin"], body["StdinOnce"]) == (True, True, False)
    assert body["HostConfig"]["Init"] is True
    assert body["HostConfig"]["RestartPolicy"] == {"Name": "unless-stopped"}


def test_the_command_is_ours_whatever_entrypoint_the_image_has():
    body = to_create_body(SPEC)
    assert body["Entrypoint"] == []
    assert body["Cmd"] == ["sh", "/loop"]


def test_the_home_is_a_labelled_volume_that_the_daemon_makes():
    (mount,) = host_config()["Mounts"]
    assert (mount["Type"], mount["Source"], mount["Target"]) == ("volume", "rexec-home-abc", "/root")
    assert mount["VolumeOptions"] == {"Labels": {"rexec.container": "abc"}}
    assert "Binds" not in host_config()


def test_environment_is_written_in_a_fixed_order():
    assert to_create_body(SPEC)["Env"] == ["HOME=/root", "TERM=xterm-256color"]


def test_storage_size_and_runtime_appear_only_where_given():
    assert not {"StorageOpt", "Runtime"} & set(host_config())
    config = host_config(replace(SPEC, storage_bytes=1024, runtime="runsc"))
    assert config["StorageOpt"] == {"size": "1024"}
    assert config["Runtime"] == "runsc"


def test_containers_on_the_network_do_not_reach_each_other():
    body = to_network_body(NetworkSpec("rexec-1", labels={"rexec.deployment": "d"}), "10.201.0.0/22")
    assert body["Options"]["com.docker.network.bridge.enable_icc"] == "false"
    assert body["IPAM"]["Config"] == [{"Subnet": "10.201.0.0/22"}]
    assert body["CheckDuplicate"] is True
    assert body["Labels"] == {"rexec.deployment": "d"}


def test_candidate_subnets_are_distinct_and_of_the_documented_size():
    subnets = candidate_subnets("rexec-1")
    assert len(set(subnets)) == len(subnets) > 100
    assert all(subnet.endswith("/22") for subnet in subnets)


def test_networks_of_different_names_begin_with_different_ranges():
    assert len({candidate_subnets(f"rexec-{number}")[0] for number in range(20)}) > 10
    assert candidate_subnets("rexec-1") == candidate_subnets("rexec-1")
