"""`/metrics` of a whole service: what Prometheus's own parser reads after somebody launched and typed."""

import requests
from prometheus_client.parser import text_string_to_metric_families

from tests.support.stacks import on_postgres
from tests.support.terminal_window import TerminalWindow
from tests.support.waiting import eventually

WITHIN_S = 45.0


def scrape(server, **headers):
    with requests.Session() as session:
        session.trust_env = False
        return session.get(f"{server.url}/metrics", headers=headers, timeout=10)


def samples(server):
    """Values by name and the labels' values, sorted."""
    answer = scrape(server)
    assert answer.status_code == 200
    return {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


@on_postgres
def test_a_launch_and_a_terminal_are_in_the_figures(own_server, new_user):
    user = new_user(own_server)
    container = user.new_container()
    user.wait_for(container)
    window = TerminalWindow(user.url, user.cookie_header, container)
    try:
        window.ready().run("echo hello")
        found = eventually(lambda: figures_of_one_launch(own_server), WITHIN_S, message="it is counted")
    finally:
        window.close()
    assert found["rexec_launch_seconds_sum", "total"] > found["rexec_launch_seconds_sum", "create"] > 0
    assert found["rexec_launch_seconds_bucket", "+Inf", "ours"] == 1
    assert found["rexec_containers", "running"] == 1
    assert found["rexec_queue_age_seconds", "quick"] == 0
    assert found["rexec_terminal_viewers",] == found["rexec_terminals", "main"] == 1
    assert found["rexec_terminal_bytes_total", "output"] >= len("hello")
    assert found["rexec_terminal_bytes_total", "input"] >= len("echo hello\r")
    ends = {name: found["rexec_certificate_not_after_seconds", name] for name in ("ca", "client", "server")}
    shown = {one["name"]: one["days_left"] for one in own_server.health()[1]["certificates"]}
    assert shown.keys() == ends.keys()
    assert ends["ca"] > ends["client"] > 1.7e9


def figures_of_one_launch(server):
    found = samples(server)
    assert found.get(("rexec_launch_seconds_count", "total")) == 1
    assert found["rexec_jobs_ended_total", "container.launch", "done", "quick"] == 1
    assert found["rexec_containers", "running"] == 1
    # A service that has just started waits for the first word of each of its parts.
    assert found["rexec_health", "ok"] == 1
    return found


def test_a_stranger_behind_the_proxy_needs_the_token_that_the_command_prints(server):
    stranger = {"X-Forwarded-For": "203.0.113.9"}
    assert scrape(server, **stranger).status_code == 401
    token = server.run("metrics-token").stdout.strip()
    assert scrape(server, **stranger, Authorization=f"Bearer {token}").status_code == 200
    assert scrape(server, **stranger, Authorization=f"Bearer {token[:-1]}").status_code == 401
