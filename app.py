"""The WSGI entry point."""

from rexec import create_app

app = create_app()
