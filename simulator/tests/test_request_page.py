"""A request opens with what it and its answer said, without any secret, and can be repeated with curl."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from html import unescape
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local_dynatrace.kernel.masking import SHOWN, masked_body
from local_dynatrace.testing import Local
from local_dynatrace.testing.callers import CLIENT, DEPLOY, DEPLOY_TOKEN, api_token, bearer

SECRET = "a-very-private-value-of-the-vault"
ENTRY = {"name": "Kept", "type": "TOKEN", "token": SECRET, "scopes": ["APP_ENGINE"], "description": "it's mine"}


def newest(local: Local, **filters: Any) -> int:
    return max(line["number"] for line in local.sim("GET", "requests", **filters)["requests"])


def opened(local: Local, number: int) -> str:
    answer = local.call("GET", f"/_sim/ui/requests/{number}")
    assert answer.status_code == 200, answer.text
    return unescape(answer.text)


def test_a_request_shows_both_bodies_and_masks_what_is_secret(local: Local) -> None:
    made = local.call("POST", "/api/v2/credentials?x=1", json=ENTRY, headers=DEPLOY)

    text = opened(local, newest(local, api="vault"))

    assert '"name": "Kept"' in text
    assert made.json()["id"] in text
    assert f'"token": "{SHOWN}"' in text
    assert "<dt>authorization</dt><dd>Api-Token [secret]</dd>" in text
    assert SECRET not in text and DEPLOY_TOKEN not in text


def test_a_secret_of_the_vault_shows_nowhere_even_under_another_name(local: Local) -> None:
    local.call("POST", "/api/v2/credentials", json=ENTRY, headers=DEPLOY)
    record = {"content": f"printed {SECRET}", "attribute": json.dumps({"deep": {"client_secret": "inner-one"}})}
    local.call("POST", "/api/v2/logs/ingest", json=[record], headers=api_token(local, "logs.ingest"))

    text = opened(local, newest(local, api="logs"))

    assert "printed [secret]" in text
    assert SECRET not in text and "inner-one" not in text


def test_a_sign_on_shows_neither_the_client_s_secret_nor_the_token(local: Local) -> None:
    form = {"grant_type": "client_credentials", "client_id": CLIENT["id"], "client_secret": CLIENT["secret"]}
    token = local.call("POST", "/sso/oauth2/token", data=form).json()["access_token"]

    text = opened(local, newest(local, api="sso"))

    assert "grant_type=client_credentials" in text
    assert CLIENT["secret"] not in text and token not in text


def test_the_command_repeats_the_request(local: Local) -> None:
    who = bearer(local, "storage:logs:read", "storage:buckets:read")
    query = {"query": 'data record(it = "it\'s")'}
    first = local.call("POST", "/platform/storage/query/v1/query:execute", json=query, headers=who)
    text = opened(local, newest(local, api="grail"))
    found = re.search(r'id="curl-text">(.*?)</pre>', text, re.DOTALL)
    assert found

    words = shlex.split(found[1].replace("\\\n", " "))
    assert words[:3] == ["curl", "-X", "POST"]
    assert "Authorization: Bearer $DT_BEARER_TOKEN" in words
    token = {"DT_BEARER_TOKEN": who["Authorization"].removeprefix("Bearer ")}
    again = subprocess.run(["bash", "-c", f"{found[1]} -sS --noproxy '*'"], env={"PATH": "/usr/bin:/bin", **token},
                           capture_output=True, text=True, check=True)  # fmt: skip
    assert json.loads(again.stdout)["result"]["records"] == first.json()["result"]["records"] == [{"it": "it's"}]


def test_bodies_that_are_no_text_or_too_long_are_not_shown(local: Local) -> None:
    headers = {**api_token(local, "logs.ingest"), "content-type": "text/plain"}
    local.call("POST", "/api/v2/logs/ingest", data=b"\xff\xfe", headers=headers)
    assert "Not text, or longer than" in opened(local, newest(local, api="logs"))
    local.call("POST", "/api/v2/logs/ingest", data=b"x" * 250_000, headers=headers)
    text = opened(local, newest(local, api="logs"))
    assert "Not text, or longer than" in text and "--data-binary @body" in text


def test_the_environment_s_own_requests_and_unknown_numbers_do_not_open(local: Local) -> None:
    local.sim("GET", "options")
    own = newest(local, all="true")

    assert local.call("GET", f"/_sim/ui/requests/{own}").status_code == 404
    assert local.call("GET", "/_sim/ui/requests/99999").status_code == 404
    assert local.call("GET", "/_sim/ui/requests/x").status_code == 404


def test_the_list_is_filtered_by_method_and_class_of_status_and_comes_in_pages(local: Local) -> None:
    for number in range(60):
        local.call("GET", f"/api/v2/credentials/none-{number}", headers=DEPLOY)
    local.call("POST", "/api/v2/credentials", json=ENTRY, headers=DEPLOY)

    def listed(**query: str) -> str:
        return local.call("GET", "/_sim/ui/requests", params=query).text

    assert listed(status="4xx").count("<tr>") == 50 + 1
    assert listed(method="POST").count("<tr>") == 1 + 1
    assert listed(status="2xx").count("<tr>") == 1 + 1
    link = re.search(r'href="([^"]*before=[^"]*)">Older', listed(status="4xx"))
    assert link
    older = local.call("GET", unescape(link[1])).text
    assert older.count("<tr>") == 10 + 1
    assert "Newest</a>" in older and "none-0" in older
    assert local.call("GET", "/_sim/ui/requests", params={"status": "6xx"}).status_code == 400
    assert {line["status"] for line in local.sim("GET", "requests", status="4xx")["requests"]} == {404}


@pytest.mark.parametrize(
    ("text", "kind", "hidden"),
    [
        ('{"password": "geheim\\"x"}', "application/json", "geheim"),
        ('{"a": [{"clientSecret": "geheim"}]}', "application/json; charset=utf-8", "geheim"),
        ('{"text": "{\\"apiKey\\": \\"geheim\\"}"}', "application/json", "geheim"),
        ("a=1&client_secret=geheim&b=2", "application/x-www-form-urlencoded", "geheim"),
        ('{"password": "gehe', "application/json", "gehe"),
        ("[" * 100_000 + '"geheim"', "application/json", "geheim"),
        ("Bearer eyJabc.def.ghi", "text/plain", "eyJabc"),
    ],
)
def test_no_form_of_body_shows_a_secret(text: str, kind: str, hidden: str) -> None:
    assert hidden not in masked_body(text, kind)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3), max_leaves=12,
)  # fmt: skip


@given(
    JSON, st.sampled_from(["password", "access_token", "apiToken", "clientSecret", "Authorization"]), st.integers(0, 3)
)
def test_a_secret_is_masked_wherever_it_is_and_the_rest_stays(body: Any, name: str, times: int) -> None:
    inner: Any = {name: "S3CR3T-OF-THE-TEST", "kept": body}
    for _ in range(times):
        inner = {"inner": json.dumps(inner)}

    shown = masked_body(json.dumps(inner), "application/json")

    assert "S3CR3T-OF-THE-TEST" not in shown
    if times == 0:
        assert json.loads(shown)["kept"] == body or "dt0" in str(body).lower() or "[" in str(body)


@pytest.mark.parametrize("name", ["requestToken", "nextPageKey", "updateToken", "page-key", "token_type", "service.id"])
def test_what_only_sounds_secret_is_shown(name: str) -> None:
    assert "plain" in masked_body(json.dumps({name: "plain"}), "application/json")
