"""Telling people what happened to access requests: the port `Notifier`. Best effort; nothing hangs on it."""
