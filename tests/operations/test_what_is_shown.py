"""Commands show nothing that the stack's config keeps secret, in UTF-8, with an OAuth client or a platform token."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from local_dynatrace.testing import Local
from local_dynatrace.testing.callers import CLIENT, SEED
from operations.__main__ import main
from tests.operations.conftest import Operated

SCM_CLIENT = SEED["scm_clients"][0]["id"]
C_LOCALE = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


def test_a_key_that_the_user_marked_as_secret_is_hidden_in_what_commands_print(
    prepare: Callable[..., Operated], local: Local
) -> None:
    stack = prepare()
    for key, text in (
        ("oauthClientId", CLIENT["id"]),
        ("sectigoClientId", SCM_CLIENT),
        ("scmApiUrl", "https://audit.demo.sectigo.com"),
        ("dynatraceEnvironmentUrl", local.url),
    ):
        stack.configure_secret(key, text)

    done = stack.operate("doctor", check=False)

    assert "oauthClientId: [secret] gets tokens with automation:workflows:read" in done.text
    for text in (CLIENT["id"], SCM_CLIENT, "audit.demo.sectigo.com", local.url):
        assert text not in done.text.replace(f"every request goes to {local.url.removeprefix('http://')}", "")


def test_the_checks_work_with_a_platform_token_and_say_that_its_expiry_is_not_known(
    prepare: Callable[..., Operated], local: Local
) -> None:
    stack = prepare(oauthClientId=None, oauthClientSecret=None, accountUrn=None)
    stack.configure_secret("platformToken", SEED["platform_tokens"][0]["token"])

    done = stack.operate("doctor", check=False)

    assert "warn  platformToken: its expiry is not known" in done.text
    id = SEED["platform_tokens"][0]["token"].rsplit(".", 1)[0]
    assert f"ok    platformToken: {id} has automation:workflows:read, automation:workflows:write" in done.text
    assert f"ok    platformToken: {id} may also read logs" in done.text
    assert "ok    the OAuth client's user has app-engine:functions:run" in done.text
    assert "All prerequisites are met" in done.text

    stack.configure(platformTokenExpires="2026-01-01")
    done = stack.operate("doctor", check=False)
    assert f"FAIL  platformToken: token {id} expired on 2026-01-01" in done.text
    assert SEED["platform_tokens"][0]["token"] not in done.text


def test_both_or_none_is_refused_with_what_to_do(prepare: Callable[..., Operated]) -> None:
    stack = prepare()
    stack.configure_secret("platformToken", SEED["platform_tokens"][0]["token"])
    both = stack.operate("doctor", check=False)
    assert "platformToken: replaces oauthClientId, oauthClientSecret, accountUrn; remove one of the two" in both.text

    stack.pulumi("config", "rm", "platformToken")
    stack.configure(oauthClientId=None, oauthClientSecret=None, accountUrn=None)
    none = stack.operate("doctor", check=False)
    assert "oauthClientId: is missing; pulumi config set oauthClientId VALUE" in none.text
    assert "platformToken: or set it instead of the OAuth client" in none.text


def test_in_another_locale_values_and_text_arrive_unchanged(prepare: Callable[..., Operated], local: Local) -> None:
    stack = prepare()
    file = stack.folder / "config.yaml"
    file.write_text(f'dynatrace_environment_url: {local.url}\nsectigo_client_secret: "neu: äöü €"\n', encoding="utf-8")

    done = stack.operate("import-config", "--file", str(file), check=False, env=C_LOCALE)

    assert stack.pulumi("config", "get", "sectigoClientSecret").text.strip() == "neu: äöü €"
    assert "Traceback" not in done.text
    assert "€" not in done.text


def test_a_file_that_cannot_be_read_is_named_in_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["status", "--stack", "prod", "--cwd", str(tmp_path)]) == 2
    assert capsys.readouterr().err == f"error: {tmp_path / 'Pulumi.yaml'}: No such file or directory\n"

    (tmp_path / "Pulumi.yaml").write_text("name: [")
    assert main(["status", "--stack", "prod", "--cwd", str(tmp_path)]) == 2
    assert "Pulumi.yaml is not the file of a Pulumi project" in capsys.readouterr().err
