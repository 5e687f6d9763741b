"""What happens at Nordhav: short sequences of audit events that belong together.

A story is a function ``(Teller) -> None`` and is told of one office; ``BY_DAY`` and ``BY_NIGHT`` say how often each is
told, ``EVERY_HOUR`` which are never missing. Names of services,
actions and object types are the vendor's where the manual or its pages show them (facts: sectigo 1.6), else in their
manner [D].
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from . import company
from .company import ADMINS, API_USERS, AUDITOR, EMPLOYEES, HOSTS, WEBHOOKS, Host, Office, Person

LONGEST_S = 7_000.0
"""No story goes on for longer; what would come later is left out."""


@dataclass(frozen=True)
class Event:
    id: str
    at_us: int
    service: str
    action: str
    category: str
    status: str
    object_type: str
    object_id: str
    object_name: str
    details: str
    actor: str
    ip: str


class Teller:
    """Tells one story of one office: keeps its time and writes down its events."""

    def __init__(self, rng: random.Random, hour: int, start_us: int, office: Office) -> None:
        self.rng, self.hour, self.office = rng, hour, office
        self._start_us = self._at_us = start_us
        self.events: list[Event] = []

    def wait(self, shortest_s: float, longest_s: float) -> None:
        self._at_us += round(self.rng.uniform(shortest_s, longest_s) * 1_000_000)

    def tell(
        self,
        service: str,
        action: str,
        details: str,
        *,
        by: Person | None = None,
        actor: str = "",
        ip: str = "",
        category: str = "",
        status: str = "SUCCESS",
        about: tuple[str, str, str] = ("", "", ""),
    ) -> None:
        """One event at the present moment of the story; two without a ``wait`` between them share a microsecond."""
        if self._at_us - self._start_us > LONGEST_S * 1_000_000:
            return
        unique = str(uuid.UUID(int=self.rng.getrandbits(128), version=4))
        actor, ip = (by.login, by.address) if by else (actor, ip)
        self.events.append(Event(unique, self._at_us, service, action, category, status, *about, details, actor, ip))

    def new_id(self) -> str:
        return company.object_id(self.hour, self.rng.randrange(company.IDS_AN_HOUR))

    def people(self, role: str) -> tuple[Person, ...]:
        """Administrators of the office with this role; of the whole company where the office has none."""
        known = tuple(admin for admin in ADMINS if role in admin.role)
        return tuple(admin for admin in known if admin.office is self.office) or known

    def hosts(self, *enrolled_by: str) -> tuple[Host, ...]:
        """The office's hosts, or those that are enrolled in one of these ways."""
        own = tuple(host for host in HOSTS if host.office is self.office)
        return tuple(host for host in own if not enrolled_by or host.enrolled_by in enrolled_by)


Story = Callable[[Teller], None]


def ssl(host: Host, certificate_id: str) -> tuple[str, str, str]:
    return ("scm.ssl", certificate_id, host.name)


# parts that many stories end with


def notify(t: Teller, what: str, number: str) -> None:
    """An e-mail is scheduled and sent; webhooks are prepared at one moment and go out one by one."""
    t.wait(0.2, 2)
    email = ("scm.customer.notification.email", t.new_id(), "")
    t.tell("scm", "schedule", f"Notification sending has been scheduled for ID: {number}", about=email)
    if t.rng.random() < 0.6:
        hooks = t.rng.sample(WEBHOOKS, t.rng.randint(1, 2))
        for name in hooks:
            about = ("scm.customer.notification.webhook", t.new_id(), name)
            t.tell(
                "notification.processor",
                "webhook_notification_prepare",
                f"Webhook notification '{what}' has been prepared for ID: {number}",
                about=about,
            )
        for name in hooks:
            t.wait(0.05, 3)
            webhook(t, name, what, number, fails=t.rng.random() < 0.04)
    t.wait(0.5, 20)
    t.tell("notification.sender", "email_send", f"Notification e-mail '{what}' sent for ID: {number}", about=email)


def webhook(t: Teller, name: str, what: str, number: str, *, fails: bool) -> None:
    about = ("scm.customer.notification.webhook", t.new_id(), name)
    if not fails:
        t.tell(
            "notification.sender", "webhook_send", f"Webhook '{name}' accepted '{what}' for ID: {number}", about=about
        )
        return
    reason = t.rng.choice(("HTTP 503", "HTTP 502", "connect timed out", "HTTP 429", "certificate has expired"))
    t.tell(
        "notification.sender",
        "webhook_send_failure",
        f"Failed to send webhook '{name}' for ID: {number}: {reason}",
        status="FAILURE",
        about=about,
    )


def login(t: Teller, who: Person) -> None:
    t.tell("scm", "login", "Login success", by=who, category="admin", about=("scm.admin", who.login, who.name))
    t.wait(5, 90)


# stories


def an_admin_looks_around(t: Teller) -> None:
    who = t.rng.choice(t.people(""))
    login(t, who)
    for _ in range(t.rng.randint(0, 3)):
        host = t.rng.choice(t.hosts())
        number = host.certificate_id(t.hour)
        t.tell("scm", "view", f"Viewed certificate {number}", by=who, category="ssl", about=ssl(host, number))
        t.wait(10, 240)
    if t.rng.random() < 0.5:
        t.tell("scm", "logout", "Logout", by=who, category="admin", about=("scm.admin", who.login, who.name))


def a_login_fails(t: Teller) -> None:
    who = t.rng.choice(t.people(""))
    about = ("scm.admin", who.login, who.name)
    stranger = t.rng.random() < 0.25
    ip = t.rng.choice(company.STRANGERS) if stranger else who.address
    tries = 5 if stranger else t.rng.randint(1, 3)
    for _ in range(tries):
        t.tell(
            "scm", "login_failure", "Login failed: invalid credentials",
            actor=who.login, ip=ip, category="admin", status="FAILURE", about=about,
        )  # fmt: skip
        t.wait(2, 25)
    if stranger:
        t.tell(
            "scm",
            "lock",
            f"Administrator {who.login} locked after {tries} failed logins",
            category="admin",
            about=about,
        )
        t.wait(600, 3000)
        by = t.rng.choice(t.people("MRAO"))
        t.tell("scm", "unlock", f"Administrator {who.login} unlocked", by=by, category="admin", about=about)
    else:
        login(t, who)


def a_server_gets_a_certificate(t: Teller, declined: float = 0.08) -> None:
    """Request, approval by somebody else (or a decline), issue, notification."""
    host = t.rng.choice(t.hosts())
    asks = t.rng.choice(t.people("SSL") + API_USERS[:3])
    number = t.new_id()
    about = ssl(host, number)
    if asks.role != "API":
        login(t, asks)
    t.tell(
        "scm", "request", f"SSL certificate requested: {host.name}, profile {host.profile}, {host.organization}"
        f" / {host.department}", by=asks, category="ssl", about=about,
    )  # fmt: skip
    t.wait(30, 1800)
    approver = t.rng.choice([admin for admin in t.people("SSL") + t.people("MRAO") if admin != asks])
    if t.rng.random() < declined:
        t.tell(
            "scm",
            "decline",
            "SSL certificate request declined: wrong department",
            by=approver,
            category="ssl",
            about=about,
        )
        notify(t, "SSL declined", number)
        return
    t.tell("scm", "approve", "SSL certificate request approved", by=approver, category="ssl", about=about)
    t.wait(20, 300)
    t.tell("scm", "issue", f"SSL certificate issued, term {host.term_days} days", category="ssl", about=about)
    notify(t, "SSL issued", number)
    if t.rng.random() < 0.6:
        t.wait(30, 900)
        t.tell("scm", "download", "SSL certificate downloaded, format PKCS#7", by=asks, category="ssl", about=about)


def a_renewal_by_machine(t: Teller) -> None:
    renew(t, t.rng.choice(t.hosts("acme", "agent", "scm")), t.new_id())


def renew(t: Teller, host: Host, number: str) -> None:
    """The renewal of one host's certificate, in the way that host is enrolled."""
    about = ssl(host, number)
    agent = t.rng.choice(host.office.agents)
    if host.enrolled_by == "acme":
        account = t.rng.choice(host.office.acme_accounts)
        on_account = ("scm.acme.account", account, account)
        t.tell(
            "acme",
            "order_create",
            f"ACME order for {host.name}",
            actor=f"acme:{account}",
            category="acme",
            about=on_account,
        )
        t.wait(1, 8)
        t.tell("acme", "challenge_validate", f"http-01 valid for {host.name}", category="acme", about=on_account)
        t.wait(1, 5)
    elif host.enrolled_by == "agent":
        t.tell(
            "network.agent",
            "command_send",
            f"CSR generation on {host.server}",
            category="agent",
            about=("scm.agent", agent, agent),
        )
        t.wait(5, 60)
    else:
        t.tell("scm", "schedule", f"Automatic renewal has been scheduled for ID: {number}", category="ssl", about=about)
        t.wait(5, 120)
    t.tell("scm", "renew", f"SSL certificate renewal: {host.name}, profile {host.profile}", category="ssl", about=about)
    t.wait(5, 60)
    t.tell("scm", "issue", f"SSL certificate issued, term {host.term_days} days", category="ssl", about=about)
    if host.enrolled_by == "agent":
        t.wait(10, 120)
        failed = t.rng.random() < 0.06
        t.tell(
            "network.agent", "install_failure" if failed else "install",
            f"Installation on {host.server} {'failed: service did not restart' if failed else 'finished'}: {host.name}",
            category="agent", status="FAILURE" if failed else "SUCCESS", about=("scm.agent", agent, agent),
        )  # fmt: skip
    notify(t, "SSL renewed", number)


def a_revocation(t: Teller) -> None:
    host = t.rng.choice(t.hosts())
    number = host.certificate_id(t.hour)
    who = t.rng.choice(t.people("SSL") + t.people("MRAO") + API_USERS[:1])
    reason = t.rng.choice(company.REVOCATION_REASONS)
    t.tell(
        "scm", "revoke", f"SSL certificate revoked, reason: {reason}", by=who, category="ssl", about=ssl(host, number)
    )
    notify(t, "SSL revoked", number)
    if reason in ("keyCompromise", "superseded"):
        t.wait(60, 1200)
        number = t.new_id()
        t.tell(
            "scm", "replace", f"SSL certificate replaced: {host.name}", by=who, category="ssl", about=ssl(host, number)
        )
        t.wait(20, 200)
        t.tell(
            "scm",
            "issue",
            f"SSL certificate issued, term {host.term_days} days",
            category="ssl",
            about=ssl(host, number),
        )


def an_smime_certificate(t: Teller) -> None:
    person = t.rng.choice(EMPLOYEES)
    address = ".".join((person.lower().split()[0], person.lower().split()[-1])) + "@nordhav.example"
    about = ("scm.smime", t.new_id(), address)
    by = t.rng.choice(t.people("S/MIME"))
    if t.rng.random() < 0.2:
        t.tell(
            "scm",
            "revoke",
            f"Client certificate of {person} revoked, reason: affiliationChanged",
            by=by,
            category="smime",
            about=about,
        )
        if t.rng.random() < 0.4:
            t.wait(60, 600)
            t.tell(
                "scm",
                "key_recover",
                f"Escrowed key of {person} recovered, approved by 2 officers",
                by=by,
                category="smime",
                about=about,
            )
        return
    t.tell("scm", "invite", f"Enrollment invitation for {person}", by=by, category="smime", about=about)
    notify(t, "Client certificate invitation", about[1])
    t.wait(120, 3000)
    t.tell(
        "scm",
        "enroll",
        f"Client certificate enrollment by {person}",
        actor=address,
        ip="192.0.2.200",
        category="smime",
        about=about,
    )
    t.wait(3, 40)
    t.tell("scm", "issue", f"Client certificate issued to {person}", category="smime", about=about)


def a_code_signing_request(t: Teller) -> None:
    by = t.rng.choice(t.people("Code Signing"))
    about = ("scm.codesigning", t.new_id(), t.rng.choice(("Nordhav Bridge", "Gate Controller FW", "Crew App")))
    t.tell(
        "scm", "request", f"Code signing certificate requested for {about[2]}", by=by, category="codesign", about=about
    )
    t.wait(300, 3000)
    t.tell(
        "scm",
        "approve",
        "Code signing request approved",
        by=t.rng.choice(t.people("MRAO")),
        category="codesign",
        about=about,
    )
    t.wait(30, 300)
    t.tell("scm", "issue", "Code signing certificate issued on hardware token", category="codesign", about=about)


def a_discovery_scan(t: Teller) -> None:
    task = t.rng.choice(("DMZ Gothenburg", "Ships VLAN", "Terminals", "Cloud accounts"))
    about = ("scm.discovery.task", t.new_id(), task)
    t.tell("discovery", "schedule", f"Discovery task '{task}' has been scheduled", category="discovery", about=about)
    t.wait(1, 30)
    t.tell("discovery", "start", f"Discovery task '{task}' started", category="discovery", about=about)
    for _ in range(t.rng.choice((0, 0, 1, 2))):
        t.wait(30, 600)
        where = f"10.{t.rng.randrange(20, 60)}.{t.rng.randrange(256)}.{t.rng.randrange(1, 255)}:443"
        t.tell(
            "discovery",
            "certificate_found",
            f"Unmanaged certificate at {where}",
            category="discovery",
            about=("scm.ssl", t.new_id(), where),
        )
    t.wait(60, 900)
    t.tell(
        "discovery",
        "finish",
        f"Discovery task '{task}' finished, {t.rng.randrange(20, 400)} certificates",
        category="discovery",
        about=about,
    )


def an_agent_comes_back(t: Teller) -> None:
    agent = t.rng.choice(t.office.agents)
    about = ("scm.agent", agent, agent)
    t.tell(
        "network.agent",
        "connection_error",
        f"Agent {agent} has not reported for 15 minutes",
        category="agent",
        status="FAILURE",
        about=about,
    )
    t.wait(60, 2400)
    t.tell(
        "network.agent",
        "connect",
        f"Agent {agent} connected, version 4.{t.rng.randrange(3, 9)}",
        category="agent",
        about=about,
    )


def a_report(t: Teller) -> None:
    who = t.rng.choice((AUDITOR, t.people("MRAO")[0], API_USERS[3], API_USERS[4]))
    report = t.rng.choice(company.REPORTS)
    about = ("scm.report", t.new_id(), report)
    t.tell("report", "generate", f"Report '{report}' generated", by=who, category="report", about=about)
    t.wait(3, 120)
    t.tell("report", "download", f"Report '{report}' downloaded as CSV", by=who, category="report", about=about)


def an_administrator_is_changed(t: Teller) -> None:
    by = t.rng.choice(t.people("MRAO"))
    whom = t.rng.choice([admin for admin in ADMINS if admin != by])
    about = ("scm.admin", whom.login, whom.name)
    login(t, by)
    change, details = t.rng.choice(
        (
            ("update", f"Role of {whom.name} confirmed: {whom.role}"),
            ("update", f"Two-factor authentication reset for {whom.name}"),
            ("disable", f"Administrator {whom.login} suspended during leave"),
            ("enable", f"Administrator {whom.login} active again"),
        )
    )
    t.tell("scm", change, details, by=by, category="admin", about=about)


def a_key_is_changed(t: Teller) -> None:
    by = t.rng.choice(t.people("MRAO"))
    login(t, by)
    if t.rng.random() < 0.5:
        about = ("scm.audit.apikey", t.new_id(), t.rng.choice(("dynatrace", "siem", "backup-export")))
        t.tell("scm", "create", f"Audit API key '{about[2]}' created", by=by, category="integration", about=about)
        t.wait(60, 900)
        t.tell(
            "scm",
            "delete",
            f"Audit API key '{about[2]}' (previous) deleted",
            by=by,
            category="integration",
            about=about,
        )
    else:
        account = t.rng.choice(t.office.acme_accounts)
        t.tell(
            "acme",
            "key_change",
            f"External account binding of '{account}' renewed",
            by=by,
            category="acme",
            about=("scm.acme.account", account, account),
        )


def a_domain_is_validated(t: Teller) -> None:
    domain = t.rng.choice(sorted({host.name.split(".", 1)[1] for host in HOSTS}))
    about = ("scm.domain", t.new_id(), domain)
    by = t.rng.choice(t.people("SSL"))
    t.tell("scm", "dcv_submit", f"Validation of {domain} by CNAME submitted", by=by, category="domain", about=about)
    t.wait(120, 1800)
    failed = t.rng.random() < 0.15
    t.tell(
        "scm", "dcv_failure" if failed else "dcv_validate",
        f"Validation of {domain}: {'CNAME not found' if failed else 'valid for 199 days'}",
        category="domain", status="FAILURE" if failed else "SUCCESS", about=about,
    )  # fmt: skip


def a_notification_is_edited(t: Teller) -> None:
    by = t.rng.choice(t.people("MRAO"))
    name = t.rng.choice(WEBHOOKS)
    about = ("scm.customer.notification.webhook", t.new_id(), name)
    t.tell("scm", "update", f"Notification '{name}' updated", by=by, category="notification", about=about)


def an_api_call(t: Teller) -> None:
    """What pipelines do all day: look, and now and then take."""
    who = t.rng.choice(API_USERS)
    host = t.rng.choice(t.hosts())
    number = host.certificate_id(t.hour)
    t.tell("scm", "view", f"Viewed certificate {number}", by=who, category="ssl", about=ssl(host, number))
    if t.rng.random() < 0.3:
        t.wait(0.01, 2)
        t.tell(
            "scm", "download", "SSL certificate downloaded, format PEM", by=who, category="ssl", about=ssl(host, number)
        )


def an_expiry_notice(t: Teller, host: Host) -> None:
    number = host.certificate_id(t.hour)
    days = host.days_left(t.hour)
    t.tell(
        "notification.processor",
        "expiry_notice",
        f"Certificate expires in {days} days: {host.name}",
        category="ssl",
        about=ssl(host, number),
    )
    notify(t, "SSL expiration", number)


# bursts


def a_renewal_wave(t: Teller) -> None:
    """A cluster renews everything it has within minutes."""
    for host in t.rng.sample([host for host in HOSTS if host.enrolled_by == "acme"], 12):
        renew(t, host, t.new_id())
        t.wait(0.1, 5)


def a_webhook_storm(t: Teller) -> None:
    """A receiver is down: every notification fails again and again until it is back."""
    name = t.rng.choice(WEBHOOKS)
    ids = [t.new_id() for _ in range(t.rng.randint(8, 20))]
    for _ in range(t.rng.randint(3, 6)):
        for number in ids:
            webhook(t, name, "SSL renewed", number, fails=True)
            if t.rng.random() < 0.7:
                t.wait(0, 0.4)
        t.wait(60, 300)
    for number in ids:
        webhook(t, name, "SSL renewed", number, fails=False)


EVERY_HOUR: tuple[Story, ...] = (
    an_admin_looks_around,
    partial(a_server_gets_a_certificate, declined=0.0),
    a_renewal_by_machine,
    a_revocation,
)
BY_DAY: tuple[tuple[Story, int], ...] = (
    (an_admin_looks_around, 10),
    (a_login_fails, 3),
    (a_server_gets_a_certificate, 12),
    (a_renewal_by_machine, 7),
    (a_revocation, 3),
    (an_smime_certificate, 7),
    (a_code_signing_request, 1),
    (a_discovery_scan, 2),
    (an_agent_comes_back, 2),
    (a_report, 4),
    (an_administrator_is_changed, 2),
    (a_key_is_changed, 1),
    (a_domain_is_validated, 3),
    (a_notification_is_edited, 1),
    (an_api_call, 12),
)
BY_NIGHT: tuple[tuple[Story, int], ...] = (
    (a_renewal_by_machine, 3),
    (a_discovery_scan, 3),
    (an_agent_comes_back, 2),
    (an_api_call, 12),
    (a_report, 1),
    (a_login_fails, 1),
)
