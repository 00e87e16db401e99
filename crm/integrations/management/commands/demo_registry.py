"""Runs the demo's other system: a registry of benefits on this machine."""

import signal
from argparse import ArgumentParser
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from crm.integrations.demo import lead_to
from crm.integrations.registry import listen


class Command(BaseCommand):
    """Ends by Ctrl-C or SIGTERM."""

    help = "Serve made-up benefits to the demo's connections on 127.0.0.1, as another system would."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Accept --port."""
        parser.add_argument("--port", type=int, default=8091)

    def handle(self, *, port: int, **_options: Any) -> None:
        """The demo's connections lead here for as long as it runs."""
        try:
            server = listen(port)
        except OSError as error:
            raise CommandError(f"Port {port} is taken by another program.") from error
        lead_to(f"http://127.0.0.1:{port}")
        self.stdout.write(f"The registry listens on 127.0.0.1:{port}.")

        def stop(_number: int, _frame: FrameType | None) -> None:
            raise KeyboardInterrupt

        signal.signal(signal.SIGTERM, stop)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            server.server_close()
