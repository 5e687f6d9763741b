"""Nordhav, an invented ferry and port operator: offices, people, systems, certificates. All names are reserved ones.

Everything about a certificate follows from its host's name and the hour, so that renewals, warnings and revocations of
the same certificate agree with each other for ever, without a memory.
"""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass

HOUR_0 = 473_352
"""2024-01-01T00Z in hours since the epoch: object ids count from here."""
IDS_AN_HOUR = 64


@dataclass(frozen=True)
class Office:
    city: str
    utc_offset_h: int
    """The same all year: what counts is the rhythm of three continents, not the calendar."""
    records: tuple[int, int]
    """What a working hour adds to the stream, at least and at most."""
    agents: tuple[str, ...]
    acme_accounts: tuple[str, ...]

    def at_work(self, hour: int) -> bool:
        """Monday to Friday, 7 to 17 by its own clock; ``hour`` is UTC since the epoch (a Thursday)."""
        local = hour + self.utc_offset_h
        return (local // 24 + 3) % 7 < 5 and local % 24 in OFFICE_HOURS


OFFICE_HOURS = range(7, 17)
GOTHENBURG = Office(
    "Gothenburg", 1, (18, 42), ("agent-got-01", "agent-got-02", "agent-hel-01", "agent-gdn-01"),
    ("k8s-prod-gothenburg", "edge-proxies", "terminal-gates"),
)  # fmt: skip
CHICAGO = Office("Chicago", -6, (8, 18), ("agent-chi-01", "agent-hou-01"), ("k8s-prod-chicago", "mail-gateways"))
SINGAPORE = Office("Singapore", 8, (5, 14), ("agent-sin-01", "agent-sin-02"), ("k8s-prod-singapore", "k8s-stage"))
OFFICES = (GOTHENBURG, CHICAGO, SINGAPORE)
"""Between them somebody is at work at any hour of a working day."""


@dataclass(frozen=True)
class Person:
    login: str
    name: str
    role: str
    address: str
    """Usual IP address (documentation ranges)."""
    office: Office = GOTHENBURG


@dataclass(frozen=True)
class Host:
    name: str
    office: Office
    organization: str
    department: str
    profile: str
    server: str
    term_days: int
    enrolled_by: str
    """``acme``, ``agent``, ``scm`` (automatic renewal) or ``manual``."""

    @property
    def _random(self) -> random.Random:
        return random.Random(hashlib.sha256(self.name.encode()).hexdigest())

    @property
    def period_h(self) -> int:
        """Hours between two issues: a certificate is replaced before a third of its term is left."""
        return 24 * (self.term_days * 2 // 3 if self.enrolled_by != "manual" else self.term_days - 12)

    @property
    def phase_h(self) -> int:
        """Machines renew in the small hours, people during the day, by the clock of their office."""
        rng = self._random
        day = rng.randrange(self.period_h // 24)
        local = rng.randrange(8, 15) if self.enrolled_by == "manual" else rng.randrange(1, 5)
        return day * 24 + local - self.office.utc_offset_h

    def issued_hour(self, hour: int) -> int:
        """The hour in which the certificate in use at ``hour`` was issued."""
        return hour - (hour - self.phase_h) % self.period_h

    def certificate_id(self, hour: int) -> str:
        return object_id(self.issued_hour(hour), self._random.randrange(IDS_AN_HOUR))

    def days_left(self, hour: int) -> int:
        return self.term_days - (hour - self.issued_hour(hour)) // 24


def object_id(hour: int, number: int) -> str:
    """Ids of SCM objects rise with time, as those of a database do."""
    return str(60_000 + max(0, hour - HOUR_0) * IDS_AN_HOUR + number)


ADMINS = (
    Person("mara.lindqvist", "Mara Lindqvist", "MRAO", "192.0.2.14"),
    Person("jonas.ek", "Jonas Ek", "MRAO", "192.0.2.15"),
    Person("aino.salmela", "Aino Salmela", "RAO SSL", "192.0.2.31"),
    Person("per.wikstrom", "Per Wikström", "RAO SSL", "192.0.2.32"),
    Person("ingrid.dahl", "Ingrid Dahl", "RAO S/MIME", "192.0.2.40"),
    Person("tomasz.zielinski", "Tomasz Zieliński", "RAO Code Signing", "192.0.2.44"),
    Person("sofie.kjaer", "Sofie Kjær", "DRAO SSL", "198.51.100.7"),
    Person("henrik.bratt", "Henrik Bratt", "DRAO SSL", "198.51.100.9"),
    Person("leila.haddad", "Leila Haddad", "DRAO S/MIME", "198.51.100.12"),
    Person("olof.norrby", "Olof Norrby", "Auditor", "198.51.100.20"),
    Person("denise.okafor", "Denise Okafor", "MRAO", "192.0.2.81", CHICAGO),
    Person("walter.brandt", "Walter Brandt", "RAO SSL", "192.0.2.82", CHICAGO),
    Person("rosa.delgado", "Rosa Delgado", "DRAO SSL", "192.0.2.83", CHICAGO),
    Person("casey.nguyen", "Casey Nguyen", "RAO S/MIME", "192.0.2.84", CHICAGO),
    Person("ivy.whitfield", "Ivy Whitfield", "RAO Code Signing", "192.0.2.85", CHICAGO),
    Person("lim.hui.fen", "Lim Hui Fen", "MRAO", "198.51.100.141", SINGAPORE),
    Person("arjun.pillai", "Arjun Pillai", "RAO SSL", "198.51.100.142", SINGAPORE),
    Person("nur.aisyah", "Nur Aisyah binte Rahman", "DRAO SSL", "198.51.100.143", SINGAPORE),
    Person("chen.wei", "陈伟", "RAO S/MIME", "198.51.100.144", SINGAPORE),
)
AUDITOR = ADMINS[9]
API_USERS = (
    Person("api-terraform", "Terraform pipeline", "API", "203.0.113.5"),
    Person("api-servicenow", "Service desk", "API", "203.0.113.18"),
    Person("api-venice", "Booking platform", "API", "203.0.113.27"),
    Person("api-inventory", "Certificate inventory", "API", "203.0.113.40"),
    Person("api-siem", "Audit export", "API", "203.0.113.41"),
)
EMPLOYEES = (
    "Anna Berg", "Lars Holm", "Eva Nyström", "Mikko Virtanen", "Kirsten Møller", "Björn Ågren", "Piotr Nowak",
    "Zoë de Wit", "Nadia El Amrani", "Gustav Öberg", "Signe Lund", "Rasmus Toft", "Heidi Karlsen", "Emil Strand",
    "Camille Roux", "Jürgen Weiß", "Teresa Álvarez", "Łukasz Król", "山田 太郎", "Ola Hansen",
)  # fmt: skip
STRANGERS = ("203.0.113.77", "203.0.113.201", "198.51.100.240")
WEBHOOKS = ("Slack #pki", "ServiceNow incidents", "Inventory sync")
RENEWAL_TERM_DAYS = {"Public OV 90": 90, "Public DV ACME": 90, "Public OV 199": 199, "Private TLS": 365}
REVOCATION_REASONS = ("keyCompromise", "cessationOfOperation", "superseded", "affiliationChanged", "unspecified")
REPORTS = ("SSL Certificates", "Client Certificates", "Activity Log", "Discovery Summary", "Expiring in 30 days")

_FLEET = (
    # office, organization, department, domain, server, profile, enrolled by, hosts
    (GOTHENBURG, "Nordhav Group", "Group IT", "nordhav.example", "nginx", "Public DV ACME", "acme",
     "www api login status docs shop booking cdn images search"),
    (GOTHENBURG, "Nordhav Group", "Group IT", "nordhav.example", "F5 BIG-IP", "Public OV 199", "agent",
     "vpn mail autodiscover sip meet extranet partners"),
    (GOTHENBURG, "Nordhav Group", "Security", "sec.nordhav.example", "Apache", "Private TLS", "scm",
     "vault siem scanner bastion pki ocsp"),
    (GOTHENBURG, "Nordhav Lines", "Fleet operations", "lines.nordhav.example", "Tomcat", "Public OV 90", "scm",
     "fleet crew cargo manifest positions weather bunkering"),
    (GOTHENBURG, "Nordhav Lines", "On-board systems", "ships.nordhav.example", "IIS", "Private TLS", "agent",
     "mv-aurora mv-boreas mv-celeste mv-dagmar mv-elin mv-freja mv-gunhild"),
    (GOTHENBURG, "Nordhav Terminals", "Gothenburg", "got.terminals.nordhav.example", "nginx", "Public DV ACME", "acme",
     "gate-1 gate-2 gate-3 yard scale customs cameras"),
    (GOTHENBURG, "Nordhav Terminals", "Helsinki", "hel.terminals.nordhav.example", "nginx", "Public DV ACME", "acme",
     "gate-1 gate-2 yard customs"),
    (GOTHENBURG, "Nordhav Terminals", "Gdańsk", "gdn.terminals.nordhav.example", "IIS", "Public OV 90", "manual",
     "gate-1 gate-2 yard scale"),
    (GOTHENBURG, "Nordhav Energy", "Shore power", "energy.nordhav.example", "Apache", "Public OV 199", "manual",
     "grid meters billing scada-dmz forecasts"),
    (GOTHENBURG, "Nordhav Finance", "Treasury", "fin.nordhav.example", "WebLogic", "Public OV 199", "manual",
     "pay erp invoices ledger"),
    (CHICAGO, "Nordhav Americas", "Great Lakes", "lakes.nordhav.example", "nginx", "Public DV ACME", "acme",
     "locks berths pilots tracking gate-1 gate-2"),
    (CHICAGO, "Nordhav Americas", "Booking", "us.nordhav.example", "F5 BIG-IP", "Public OV 90", "agent",
     "www api shop loyalty"),
    (CHICAGO, "Nordhav Americas", "Finance", "fin.us.nordhav.example", "IIS", "Public OV 199", "manual",
     "payroll tax"),
    (SINGAPORE, "Nordhav Asia", "Terminals", "sin.terminals.nordhav.example", "nginx", "Public DV ACME", "acme",
     "gate-1 gate-2 cranes yard customs"),
    (SINGAPORE, "Nordhav Asia", "Lines", "asia.nordhav.example", "Tomcat", "Private TLS", "scm",
     "www api crew manifest"),
    (SINGAPORE, "Nordhav Asia", "Trade", "trade.asia.nordhav.example", "Apache", "Public OV 90", "manual",
     "letters duties"),
)  # fmt: skip

HOSTS = tuple(
    Host(f"{name}.{domain}", office, organization, department, profile, server, RENEWAL_TERM_DAYS[profile], enrolled_by)
    for office, organization, department, domain, server, profile, enrolled_by, names in _FLEET
    for name in names.split()
)
