from __future__ import annotations

import pytest

from orders_obs.redact import is_secret_name, redact, redact_query, redact_text, redact_url


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://bob:hunter2@db:5432/orders", "password=hunter2", "PASSWORD: hunter2", "db_password='hunter2'",
        '{"access_token":"hunter2"}', "Authorization: Bearer hunter2hunter2", "Basic aHVudGVyMjpodW50ZXIy",
        "eyJhbGciOiJI.eyJzdWIiOiIx.hunter2", "xoxb-hunter2-hunter2", "https://hooks.slack.com/services/T/B/hunter2",
        "X-Amz-Signature=hunter2&x=1", "-----BEGIN RSA PRIVATE KEY-----\nhunter2\n-----END RSA PRIVATE KEY-----",
        "redis://:hunter2@cache:6379/0",
    ],
)  # fmt: skip
def test_secrets_are_taken_out_by_their_shape(text: str) -> None:
    clean = redact_text(text)
    assert "hunter2" not in clean
    assert "aHVudGVyMjpodW50ZXIy" not in clean
    assert "[REDACTED]" in clean
    assert redact_text(clean) == clean


@pytest.mark.parametrize(
    "text",
    [
        "order ord_1 created for customer c1", "GET /api/v1/orders/1 200", "https://shop.example/a/b?x=1", "SELECT * FROM orders",
        "the key to success", "tokens used: 5", "signal 15", "basic income", "12:30:45", "a@b.example",
    ],
)  # fmt: skip
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert redact_text(text) == text


@pytest.mark.parametrize(
    "name", ["password", "DB_PASSWORD", "apiKey", "x-api-key", "Authorization", "Set-Cookie", "token", "dsn"]
)
def test_names_of_secrets(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize(
    "name", ["order_id", "total", "key", "total_tokens", "customer_id", "author", "passenger"]
)
def test_names_of_what_is_none(name: str) -> None:
    assert not is_secret_name(name)


def test_structures_are_redacted_at_every_depth() -> None:
    value = {"a": [{"password": "x", "n": 1}], "token": {"any": "thing"}, "ok": True}
    assert redact(value) == {"a": [{"password": "[REDACTED]", "n": 1}], "token": "[REDACTED]", "ok": True}


def test_queries_and_addresses_keep_their_shape() -> None:
    assert redact_query("a=1&sig=x&b=&token=y") == "a=1&sig=[REDACTED]&b=&token=[REDACTED]"
    assert (
        redact_url("https://bob:pw@host:1/p?a=1&token=y")
        == "https://[REDACTED]@host:1/p?a=1&token=[REDACTED]"
    )


def test_a_hostile_text_takes_no_long_time() -> None:
    for text in (
        "password" * 20_000,
        "a." * 50_000 + "token",
        "://" * 30_000,
        "-----BEGIN PRIVATE KEY-----" * 3000,
    ):
        redact_text(text)
