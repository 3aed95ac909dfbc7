"""Reports by mail: HTML with its charts inside, the same in plain text, files attached, and a way to end them."""

from __future__ import annotations

import hashlib
import smtplib
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote, urlsplit
from uuid import uuid4

from sqlalchemy import select

from accounts.database import sessions
from jobs.dispatch import Parcel, SendError
from jobs.schedules import Stopped, token

if TYPE_CHECKING:
    from datetime import datetime

    from accounts.home import Settings
    from jobs.destinations import Destination

#: Where the route that ends a recipient's mails answers; the token follows.
UNSUBSCRIBE: Final = "/unsubscribe/"
_PERMANENT: Final = 500


@dataclass(frozen=True, slots=True)
class Mail:
    """Mail through the server that `SPENDPROOF_SMTP` names."""

    settings: Settings

    def __call__(self, parcel: Parcel, to: Destination) -> str:
        """Send one mail.

        Raises:
            SendError: no server is set, or it refused.
        """
        if self.settings.smtp is None:
            raise SendError(
                "No mail server is set. Set SPENDPROOF_SMTP, such as smtps://user:password@mail.example.com:465, and "
                "SPENDPROOF_MAIL_FROM."
            )
        if self._is_stopped(parcel, to):
            raise SendError("The recipient does not want it any more.", final=True)
        message = self._message(parcel, to, self._unsubscribe(parcel, to))
        try:
            with self._server() as server:
                server.send_message(message)
        except smtplib.SMTPResponseException as error:
            said = error.smtp_error.decode(errors="replace") if isinstance(error.smtp_error, bytes) else ""
            raise SendError(
                f"The mail server answered {error.smtp_code}: {said}", final=error.smtp_code >= _PERMANENT
            ) from error
        except smtplib.SMTPRecipientsRefused as error:
            code, said = next(iter(error.recipients.values()))
            raise SendError(
                f"The mail server refused {to.address} ({code}): {said.decode(errors='replace')}",
                final=code >= _PERMANENT,
            ) from error
        except (smtplib.SMTPException, OSError) as error:
            raise SendError(f"The mail server could not be reached: {error}.") from error
        return f"accepted by the mail server as {message['Message-ID']}"

    def _server(self) -> smtplib.SMTP:
        address = urlsplit(self.settings.smtp.get_secret_value() if self.settings.smtp else "")
        host, context = address.hostname or "", ssl.create_default_context()
        if address.scheme == "smtps":
            server: smtplib.SMTP = smtplib.SMTP_SSL(host, address.port or 465, timeout=30, context=context)
        else:
            server = smtplib.SMTP(host, address.port or 587, timeout=30)
            if address.scheme == "smtp+starttls":
                server.starttls(context=context)
        if address.username:
            server.login(unquote(address.username), unquote(address.password or ""))
        return server

    def _message(self, parcel: Parcel, to: Destination, unsubscribe: str | None) -> EmailMessage:
        from reports.render import charts, web  # noqa: PLC0415 - jinja2 and the drawing of charts

        report, sender = parcel.report, self.settings.mail_from
        message = EmailMessage()
        lead = "ATTENTION, " if report.alarms else ""
        sample = " (synthetic sample)" if report.synthetic else ""
        message["Subject"] = f"{lead}{report.title}, {report.workspace}, {report.period}{sample}"
        message["From"], message["To"] = sender, to.address
        message["Date"] = format_datetime(parcel.at)
        # The same at every try, so that a second arrival is recognised as the same mail.
        message["Message-ID"] = f"<{parcel.id}@{sender.rpartition('@')[2]}>"
        message["Auto-Submitted"] = "auto-generated"
        if unsubscribe:
            message["List-Unsubscribe"] = f"<{unsubscribe}>"
            message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        message.set_content(web.plain_text(report, unsubscribe))
        drawn = {chart.title: chart for section in report.sections for chart in section.charts}
        ids = {title: f"chart-{number}.{parcel.id}" for number, title in enumerate(drawn)}
        message.add_alternative(web.mail(report, unsubscribe, ids), subtype="html")
        page: Any = message.get_payload(1)
        for title, chart in drawn.items():
            picture = charts.png(chart, 640)
            page.add_related(picture, "image", "png", cid=f"<{ids[title]}>")
        for file in parcel.files:
            kind, _, subtype = file.media.partition(";")[0].partition("/")
            message.add_attachment(file.body, maintype=kind, subtype=subtype, filename=file.name)
        return message

    def _is_stopped(self, parcel: Parcel, to: Destination) -> bool:
        used = select(Stopped.id).where(
            Stopped.schedule_id == parcel.schedule_id, Stopped.address == to.address, Stopped.stopped_at.is_not(None)
        )
        with sessions(self.settings)() as session:
            return session.scalars(used.limit(1)).first() is not None

    def _unsubscribe(self, parcel: Parcel, to: Destination) -> str | None:
        """The address that ends this recipient's mails; None for the owner, and where the app has no public address."""
        if self.settings.public_url is None or not parcel.schedule_id:
            return None
        fresh = token()
        with sessions(self.settings).begin() as session:
            session.add(
                Stopped(
                    id=uuid4().hex,
                    workspace=parcel.workspace,
                    schedule_id=parcel.schedule_id,
                    address=to.address,
                    token_hash=hashed(fresh),
                )
            )
        return f"{self.settings.public_url.rstrip('/')}{UNSUBSCRIBE}{fresh}"


def stop(settings: Settings, given: str, now: datetime) -> str | None:
    """End the mails that carried this token; the address they went to, or None where nobody has the token."""
    with sessions(settings).begin() as session:
        found = session.scalars(select(Stopped).where(Stopped.token_hash == hashed(given))).one_or_none()
        if found is None:
            return None
        found.stopped_at = found.stopped_at or now
        return found.address


def hashed(given: str) -> str:
    """What is stored of a token: 256 random bits need no salt."""
    return hashlib.sha256(given.encode()).hexdigest()
