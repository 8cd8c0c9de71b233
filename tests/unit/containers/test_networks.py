"""The network that containers share is made once, however many are launched at the same moment."""

import threading

from rexec.containers import networks


def test_a_thread_waits_while_another_makes_the_network(app, docker_host):
    def ensure():
        with app.app_context():
            networks.ensure("lab")

    second = threading.Thread(target=ensure)

    def meanwhile():
        second.start()
        second.join(0.3)

    docker_host.before("ensure_network", meanwhile)
    ensure()
    second.join(10)
    assert docker_host.calls["ensure_network"] == 1
    assert docker_host.networks == {"lab"}
