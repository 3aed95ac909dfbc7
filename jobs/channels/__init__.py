"""The ways a report is sent, by kind of destination; each brings its library only when it is used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jobs.channels import mail, storage, web

if TYPE_CHECKING:
    from collections.abc import Mapping

    from accounts.home import Settings
    from jobs.dispatch import Channel


def channels(settings: Settings) -> Mapping[str, Channel]:
    """Every channel, set up by the environment."""
    return {
        "mail": mail.Mail(settings),
        "slack": web.slack,
        "teams": web.teams,
        "webhook": web.webhook,
        "s3": storage.s3,
        "azure": storage.azure,
        "gcs": storage.gcs,
        "sftp": storage.sftp,
        "folder": storage.folder,
    }
