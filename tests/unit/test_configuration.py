"""Every config value is checked before the first API call; all problems at once, by key, without a secret."""

from __future__ import annotations

import re
from dataclasses import asdict, fields

import pytest

from providers.configuration import (
    KEYS,
    SECRET_ACCESS,
    Access,
    Settings,
    Values,
    access_of,
    read,
    retyped,
    texts_to_hide,
)
from providers.rules import apps_url_of

SECRET = "dt0c01.PUBLIC.CANARY"
GIVEN = {
    "dynatraceEnvironmentUrl": "https://abc12345.live.dynatrace.com",
    "dynatraceApiToken": SECRET,
    "oauthClientId": "dt0s02.CLIENT",
    "oauthClientSecret": "dt0s02.CLIENT.CANARY",
    "accountUrn": "urn:dtaccount:5ec71900-0000-4000-8000-000000000001",
    "scmApiUrl": "https://audit.demo.sectigo.com/",
    "sectigoClientId": "7d1f3a52-9c0b-4e0e-8a44-5ec719000001",
    "sectigoClientSecret": "CANARY",
}


def settings(**changes: str) -> Settings:
    return Settings(read({**GIVEN, **changes}), "sectigo-dynatrace", "prod")


def problem(**changes: str) -> str:
    with pytest.raises(ValueError, match="The stack configuration has problems") as caught:
        read({**GIVEN, **changes})
    assert "CANARY" not in str(caught.value)
    return str(caught.value)


def test_the_defaults_are_the_manuals() -> None:
    values = read(GIVEN)

    assert values["maxRetries"] == 3
    assert values["maxExecutionTimeMinutes"] == 55
    assert values["initHistoryDuration"] == "2h"
    assert values["initialCheckpoint"] == ""
    assert values["triggerIntervalMinutes"] == 10
    assert values["triggerEnabled"] is True
    assert values["name"] == "Sectigo SCM"


def test_all_problems_are_reported_at_once_by_key_and_without_secrets() -> None:
    text = problem(
        dynatraceApiToken="CANARY",
        oauthClientSecret="dt0s02.CANARY CANARY",
        maxRetries="many",
        triggerIntervalMinutes="0",
        initHistoryDuration="0h",
        unknownKey="x",
    )

    for line in (
        "unknownKey: unknown setting",
        "dynatraceApiToken: must start with dt0c01. and contain no spaces",
        "oauthClientSecret: contains spaces, line breaks or characters that no token has",
        "maxRetries: must be an integer from 0 to 10",
        "triggerIntervalMinutes: must be an integer from 1 to 720",
        "initHistoryDuration: must look like 2h, 1d or 5d12h, at most 365d",
    ):
        assert f"- {line}" in text


def test_missing_keys_are_reported_with_the_command_that_sets_them() -> None:
    with pytest.raises(ValueError, match="pulumi config set --secret dynatraceApiToken\n") as caught:
        read({"sectigoClientSecret": "", "triggerEnabled": "maybe"})  # Pulumi.yaml's default is empty

    for line in (
        "scmApiUrl: is missing; pulumi config set scmApiUrl VALUE",
        "sectigoClientSecret: is missing; pulumi config set --secret sectigoClientSecret",
        "oauthClientSecret: is missing; pulumi config set --secret oauthClientSecret",
        "triggerEnabled: must be true or false",
    ):
        assert f"- {line}\n" in f"{caught.value}\n"


def test_a_secret_in_clear_is_refused() -> None:
    with pytest.raises(ValueError, match="logIngestToken: is in plaintext in the stack file") as caught:
        read({**GIVEN, "logIngestToken": SECRET}, plain={"logIngestToken"})

    assert "CANARY" not in str(caught.value)


@pytest.mark.parametrize(
    ("given", "live", "apps"),
    [
        ("https://abc.live.dynatrace.com/", "https://abc.live.dynatrace.com", "https://abc.apps.dynatrace.com"),
        ("https://abc.apps.dynatrace.com", "https://abc.live.dynatrace.com", "https://abc.apps.dynatrace.com"),
        ("https://abc.sprint.dynatracelabs.com", "https://abc.sprint.dynatracelabs.com",
         "https://abc.sprint.apps.dynatracelabs.com"),
        ("https://abc.sprint.apps.dynatracelabs.com", "https://abc.sprint.dynatracelabs.com",
         "https://abc.sprint.apps.dynatracelabs.com"),
        ("https://abc.dev.dynatracelabs.com", "https://abc.dev.dynatracelabs.com",
         "https://abc.dev.apps.dynatracelabs.com"),
        ("http://127.0.0.1:8787", "http://127.0.0.1:8787", "http://127.0.0.1:8787"),
    ],
)  # fmt: skip
def test_either_address_of_an_environment_is_understood(given: str, live: str, apps: str) -> None:
    assert read({**GIVEN, "dynatraceEnvironmentUrl": given})["dynatraceEnvironmentUrl"] == live
    assert apps_url_of(live) == apps


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("https://managed.example/e/11111111-2222-3333-4444-555555555555", "is a Dynatrace Managed or ActiveGate"),
        ("https://gate.example:9999/e/abc12345/api", "has the environment in its path, as ActiveGate addresses do; use "
         "https://abc12345.live.dynatrace.com"),
        ("http://abc.live.dynatrace.com", "must start with https://"),
        ("https://abc.live.dynatrace.com/api/v2", "must end after the host; /api/v2"),
        ("https://user:CANARY@abc.live.dynatrace.com", "must contain no user"),
        ("abc.live.dynatrace.com", "must be an address like https://HOST"),
        ("https://[broken", "must be an address like https://HOST"),
    ],
)  # fmt: skip
def test_a_wrong_address_is_reported_with_its_reason(given: str, says: str) -> None:
    assert f"dynatraceEnvironmentUrl: {says}" in problem(dynatraceEnvironmentUrl=given)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "must be an object of IDs"),
        ('{"scm": 1}', "must be an object of IDs"),
        ('{"scms": "x"}', "knows scm, logIngest, checkpoint"),
    ],
)
def test_a_wrong_adoption_is_reported(text: str, says: str) -> None:
    assert f"adopt: {says}" in problem(adopt=text)


def test_the_hosts_are_those_the_script_asks_and_sectigos_wildcard() -> None:
    assert settings().outbound_hosts == [
        "audit.demo.sectigo.com",
        "abc12345.live.dynatrace.com",
        "auth.sso.sectigo.com",
        "*.sectigo.com",
    ]


def test_the_runtime_config_holds_the_initial_checkpoint_only_if_there_is_one() -> None:
    assert settings().runtime_config == '{"maxRetries": 3, "initHistoryDuration": "2h"}'
    assert (
        '"initialCheckpoint": "2026-01-22T12:00:00Z"'
        in settings(initialCheckpoint="2026-01-22T12:00:00Z").runtime_config
    )


def test_the_provider_gets_the_dynatrace_keys_and_no_others() -> None:
    access = access_of(read(GIVEN))

    assert GIVEN["sectigoClientSecret"] not in asdict(access).values()
    assert access.sso_token_url == "https://sso.dynatrace.com/sso/oauth2/token"
    assert access.log_ingest_token == SECRET, "the one token of the manual, unless there is another"


@pytest.mark.parametrize(
    ("stage", "address"),
    [("sprint", "https://sso-sprint.dynatracelabs.com"), ("dev", "https://sso-dev.dynatracelabs.com")],
)
def test_sso_follows_the_stage_and_never_the_environments_host(stage: str, address: str) -> None:
    values = read({**GIVEN, "dynatraceEnvironmentUrl": f"https://abc.{stage}.dynatracelabs.com"})

    assert access_of(values).sso_token_url == f"{address}/sso/oauth2/token"


@pytest.mark.parametrize(
    ("minutes", "enabled", "shown"),
    [("10", "true", "Every 10 minutes"), ("1", "true", "Every minute"), ("10", "false", "off")],
)
def test_the_schedule_is_shown_in_words(minutes: str, enabled: str, shown: str) -> None:
    assert settings(triggerIntervalMinutes=minutes, triggerEnabled=enabled).schedule_shown == shown


def test_the_type_checker_knows_every_key() -> None:
    assert list(Values.__annotations__) == list(KEYS)


def test_settings_and_access_show_no_secret() -> None:
    shown = f"{settings()!r} {settings().access!r}"

    assert "CANARY" not in shown
    assert {field.name for field in fields(Access) if not field.repr} == set(SECRET_ACCESS)


def test_history_older_than_log_ingest_accepts_causes_a_warning() -> None:
    assert settings(initHistoryDuration="24h").warnings == []
    assert ["initHistoryDuration 1d1h: Dynatrace refuses log records older than 24 h" in text
            for text in settings(initHistoryDuration="1d1h").warnings] == [True]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "addresses"),
    [
        ("", []),
        ("a@b.example", ["a@b.example"]),
        (" a@b.example, c@d.example;a@b.example ", ["a@b.example", "c@d.example"]),
    ],
)
def test_e_mail_addresses_are_a_list_without_repeats(text: str, addresses: list[str]) -> None:
    assert read({**GIVEN, "alertEmails": text})["alertEmails"] == addresses


def test_what_watches_is_checked_by_key() -> None:
    text = problem(
        alertEmails="pki-team",
        alertSlack='{"channel":"#pki"}',
        detections='{"logins":10}',
        auditRetentionDays="4000",
        securityContext=" x",
    )

    for line in (
        "alertEmails: must be e-mail addresses, separated by commas; pki-team is not one",
        "alertSlack: must have the form {connection: ID, channel: NAME}",
        "detections: knows failedSignIns, revocations, administrators, apiKeys, access, policies, wildcards, "
        "notifications, not logins",
        "auditRetentionDays: must be an integer from 0 to 3657",
        "securityContext: must be 1 to 250 printable characters",
    ):
        assert line in text
    many = ",".join(f"a{n}@b.example" for n in range(11))
    assert "alertEmails: must be 10 addresses at most" in problem(alertEmails=many)
    assert "detections: apiKeys must be an integer from 1 to 100000" in problem(detections='{"apiKeys":0}')


def test_settings_that_have_no_effect_are_warned_of() -> None:
    assert settings(alerts="true", alertEmails="a@b.example", triggerIntervalMinutes="20").warnings == []
    assert settings(detections='{"apiKeys":1}', alertEmails="a@b.example").warnings == []
    assert "have no effect without alerts or detections" in settings(alertEmails="a@b.example").warnings[0]
    assert "silence is not watched" in settings(alerts="true", triggerIntervalMinutes="21").warnings[0]
    assert settings(alerts="true", alertEmails="a@b.example", triggerIntervalMinutes="21").warnings == []
    detections = '{"apiKeys":1}'
    assert settings(detections=detections, triggerIntervalMinutes="37").warnings == []
    assert "late are missed" in settings(detections=detections, triggerIntervalMinutes="38").warnings[0]


def test_only_features_that_are_used_are_asked_for() -> None:
    assert settings().access.features == ""
    assert settings(dashboard="true", detections='{"apiKeys":1}').access.features == "dashboard alerts"


def test_the_dashboards_id_is_the_stacks_own_and_fits() -> None:
    ids = {
        Settings(read({**GIVEN, "name": name}), "p", stack).document_id
        for name in ("Sectigo SCM", "SECTIGO-SCM", "ä" * 100)
        for stack in ("prod", "prod-eu")
    }

    assert len(ids) == 6
    hidden = Settings(read({**GIVEN, "name": "Sectigo SCM"}), "p", "prod", marked=frozenset({"name"})).document_id
    assert "sectigo" not in hidden
    assert all(re.fullmatch(r"[A-Za-z0-9-]{10,100}", id) for id in ids)


def test_attributes_of_every_record_are_those_that_are_set() -> None:
    assert settings().script_parameters["attributes"] == {}
    assert settings(securityContext="pki", costCenter="42").script_parameters["attributes"] == {
        "dt.security_context": "pki",
        "dt.cost.costcenter": "42",
    }


@pytest.mark.parametrize(
    ("unknown", "key"),
    [
        ("triggerIntervallMinutes", "triggerIntervalMinutes"),
        ("trigger_interval_minutes", "triggerIntervalMinutes"),
        ("dynatrace-api-token", "dynatraceApiToken"),
        ("SCMAPIURL", "scmApiUrl"),
        ("accountURN", "accountUrn"),
        ("historyDuration", "initHistoryDuration"),
    ],
)
def test_an_unknown_key_is_reported_with_the_one_that_is_meant(unknown: str, key: str) -> None:
    assert f"- {unknown}: unknown setting; did you mean {key}?" in problem(**{unknown: "x"})


def test_a_key_that_resembles_none_is_reported_alone() -> None:
    assert "- favouriteColour: unknown setting\n" in problem(favouriteColour="x", aaa="x") + "\n"


@pytest.mark.parametrize(
    ("key", "text", "says"),
    [
        ("dynatraceApiToken", "dt0s16.PUBLIC.CANARY", "is a platform token (dt0s16.); it must be an API"),
        ("dynatraceApiToken", "dt0s02.A.CANARY", "is an OAuth client (dt0s02.); it must be an API token (dt0c01.)"),
        ("logIngestToken", "dt0s16.PUBLIC.CANARY", "is a platform token (dt0s16.)"),
        ("oauthClientSecret", "dt0c01.PUBLIC.CANARY", "is an API token (dt0c01.); it must be an OAuth"),
        ("oauthClientId", "dt0s16.PUBLIC.CANARY", "is a platform token (dt0s16.)"),
        ("oauthClientId", "dt0s02.PUBLIC.CANARY", "is the client's secret; the ID is the part before the second dot"),
        ("oauthClientSecret", GIVEN["oauthClientId"], "is the client's ID; the secret starts with the ID"),
        ("dynatraceApiToken", '"dt0c01.PUBLIC.CANARY"', "has quotes around it"),
        ("sectigoClientSecret", "'CANARY'", "has quotes around it"),
        ("scmApiUrl", "“https://audit.demo.sectigo.com”", "has quotes around it"),
        ("dynatraceApiToken", "Api-Token dt0c01.PUBLIC.CANARY", "must start with dt0c01. and contain no spaces"),
        ("dynatraceApiToken", "dt0c01.PUBLIC.CANARY\n", "contains spaces, line breaks or characters that no token has"),
        ("platformToken", "dt0s16.PUBLIC.CANARY\u200b", "contains spaces, line breaks or characters that no token has"),
        ("logIngestToken", "dt0c01.PUBLICCANARY", "is not complete: it has three parts"),
        ("sectigoClientSecret", "dt0s02.PUBLIC.CANARY", "is an OAuth client (dt0s02.); it must be the secret of the"),
        ("sectigoClientSecret", "CANARY \n", "has spaces or line breaks at its ends"),
        ("sectigoClientSecret", GIVEN["sectigoClientId"], "is the client's ID"),
        ("sectigoClientId", "dt0s02.PUBLIC", "is an OAuth client (dt0s02.); it must be a UUID"),
        ("accountUrn", "5ec71900-0000-4000-8000-000000000001", "must look like urn:dtaccount:UUID"),
        ("accountUrn", "urn:dtaccount:<your-account>", "still contains the placeholder <your-account>"),
    ],
)  # fmt: skip
def test_a_value_of_another_kind_is_named(key: str, text: str, says: str) -> None:
    assert f"- {key}: {says}" in problem(**{key: text})


@pytest.mark.parametrize(
    ("given", "address"),
    [
        ("https://[::1]:8787/", "https://[::1]:8787"),
        ("http://[0:0:0:0:0:0:0:1]:8787", "http://[::1]:8787"),
        ("https://ABC12345.live.dynatrace.com.", "https://abc12345.live.dynatrace.com"),
        ("https://abc12345.live.dynatrace.com.:443/", "https://abc12345.live.dynatrace.com"),
        ("HTTPS://abc12345.apps.dynatrace.com:443", "https://abc12345.live.dynatrace.com"),
        ("http://localhost:80", "http://localhost"),
        ("https://abc12345.live.dynatrace.com:8443", "https://abc12345.live.dynatrace.com:8443"),
    ],
)
def test_the_forms_of_one_address_are_one(given: str, address: str) -> None:
    assert read({**GIVEN, "dynatraceEnvironmentUrl": given})["dynatraceEnvironmentUrl"] == address


@pytest.mark.parametrize("given", ["https://a..b", "https://abc:port", "https://abc:99999", "https://a b", "https://."])
def test_an_address_that_names_no_host_is_refused(given: str) -> None:
    assert "dynatraceEnvironmentUrl: must be an address like https://HOST" in problem(dynatraceEnvironmentUrl=given)


@pytest.mark.parametrize(
    ("arrived", "time"),
    [
        ("2026-01-22 12:00:00 +0000 UTC", "2026-01-22T12:00:00Z"),
        ("2026-01-22 12:00:00.5 +0200 +0200", "2026-01-22T12:00:00.5+02:00"),
        ("2026-01-22 00:00:00 +0000 UTC", "2026-01-22T00:00:00Z"),
        ("2026-01-22 12:00:00 -0500 EST", "2026-01-22T12:00:00-05:00"),
    ],
)
def test_a_time_without_quotes_is_the_time_that_was_written(arrived: str, time: str) -> None:
    assert read({**GIVEN, "initialCheckpoint": arrived})["initialCheckpoint"] == time


@pytest.mark.parametrize(
    ("written", "arrived", "problems"),
    [
        ("name: 1.10", "1.1", ["name: YAML reads 1.10 as 1.1; put the value in quotes"]),
        ("name: 0123", "83", ["name: YAML reads 0123 as 83; put the value in quotes"]),
        ('name: "1.10"', "1.10", []),
        ("maxRetries: 010", "8", ["maxRetries: YAML reads 010 as 8; put the value in quotes"]),
        ("maxRetries: 3.0", "3", []),
        ("triggerEnabled: True", "true", []),
        ("initialCheckpoint: 2026-01-22T12:00:00+02:00", "2026-01-22 12:00:00 +0200 +0200", []),
        ("initialCheckpoint: 2026-01-22", "2026-01-22 00:00:00 +0000 UTC", []),
        ("sectigoClientSecret: {secure: v1:abc}", "CANARY", []),
    ],
)
def test_what_yaml_reads_as_something_else_is_named_unless_it_means_the_same(
    written: str, arrived: str, problems: list[str]
) -> None:
    file = f"config:\n  p:{written}\n"

    assert retyped(file, "p", {written.split(":", maxsplit=1)[0]: arrived}) == problems


def test_what_a_secret_value_consists_of_is_hidden_and_what_stands_everywhere_is_not() -> None:
    given = {
        "alertEmails": "one@b.example, two@b.example",
        "alertSlack": '{"connection":"CONNECTION-1","channel":"#pki-team"}',
        "adopt": '{"scm":"CREDENTIALS_VAULT-1"}',
        "detections": '{"failedSignIns":4711}',
        "dashboard": "true",
        "auditRetentionDays": "3650",
        "costCenter": "98765",
    }

    texts = texts_to_hide(given, given.keys())

    for shown in ("one@b.example", "two@b.example", "CONNECTION-1", "#pki-team", "CREDENTIALS_VAULT-1", "98765"):
        assert shown in texts
    assert not {"true", "3650", "4711"} & set(texts)  # they would also hide parts of other numbers and of JSON
    assert {"analyzer", "purpose", "event"} <= settings_marked("detections").secret_inputs


def settings_marked(*keys: str) -> Settings:
    return Settings(read(GIVEN), "p", "prod", marked=frozenset(keys))
