"""Installs the gateway, so that the tests need not wait for it."""

import sys

from tests.peers.wechaty.installing import installed

sys.stdout.write(f"{installed()}\n")
