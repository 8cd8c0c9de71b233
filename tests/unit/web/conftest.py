"""Applications with settings of the test's choice."""

import pytest

from rexec import create_app
from rexec.extensions import db
from tests.support.settings import make_settings


@pytest.fixture
def make_app(tmp_path):
    """Makes applications; each has an empty database in memory."""
    made = []

    def make(**values):
        app = create_app(make_settings(instance_dir=tmp_path, **values))
        with app.app_context():
            db.create_all()
        made.append(app)
        return app

    yield make
    for app in made:
        with app.app_context():
            db.engine.dispose()


@pytest.fixture
def get(client):
    """Asks for a path and closes the file behind the answer, if there is one."""

    def ask(path, **options):
        with client.get(path, **options) as response:
            response.get_data()
            return response

    return ask
