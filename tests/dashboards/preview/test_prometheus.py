from __future__ import annotations

import socket
import threading

import pytest

from orders_obs.dashboards.preview.jaeger import Jaeger
from orders_obs.dashboards.preview.prometheus import PASSWORD, TOKEN, USER, Api, QueryFailed
from orders_obs.dashboards.preview.times import Range
from orders_obs.errors import EnvironmentFault, UserError
from tests.dashboards.preview.fake import TRACE, Fake


@pytest.mark.parametrize("url", ["", "prometheus:9090", "ftp://host", "http://", "http://a b", "http://[x", "http://h/?q=1", "http://h/#x"])  # fmt: skip
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(UserError, match="--prometheus"):
        Api(url)


def test_credentials_in_the_address_are_refused_and_not_repeated() -> None:
    with pytest.raises(UserError, match=TOKEN) as caught:
        Api("http://me:hunter2@host")
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("env", "header"),
    [
        ({TOKEN: "abc"}, "Bearer abc"),
        ({USER: "me", PASSWORD: "pw"}, "Basic bWU6cHc="),
        ({}, None),
    ],
)
def test_credentials_come_from_the_environment(server: Fake, env: dict[str, str], header: str | None) -> None:
    Api(server.url, env=env).query("one", 1)
    assert server.headers[0].get("Authorization") == header


@pytest.mark.parametrize("env", [{TOKEN: "a", USER: "b"}, {TOKEN: "a\nb"}, {TOKEN: "ü"}])
def test_credentials_that_cannot_be_used_are_refused(env: dict[str, str]) -> None:
    with pytest.raises(UserError):
        Api("http://host", env=env)


def test_queries_are_posted_and_got_where_a_proxy_lets_no_post_through(server: Fake) -> None:
    api = Api(server.url)
    api.query_range("one", 0, 60, 15)
    server.refuses_post = True
    api.query_range("one", 0, 60, 15)
    api.query_range("one", 0, 60, 15)
    assert [method for method, _, _ in server.asked] == ["POST", "POST", "GET", "GET"]
    assert (
        server.asked[0][2] == server.asked[3][2] == {"query": "one", "start": "0", "end": "60", "step": "15"}
    )


def test_what_prometheus_says_of_a_query_is_the_failure(server: Fake) -> None:
    with pytest.raises(QueryFailed, match="bad_data: invalid parameter query: parse error"):
        Api(server.url).query("fails", 1)


def test_a_server_that_does_not_answer_in_time_is_a_failure(server: Fake) -> None:
    with pytest.raises(QueryFailed, match=r"no answer within 0\.05 s"):
        Api(server.url, timeout=0.05).query("slow", 1)


def test_a_server_that_is_not_there_is_a_fault_of_the_surroundings() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        with pytest.raises(EnvironmentFault, match="cannot be reached"):
            Api(f"http://127.0.0.1:{unused.getsockname()[1]}").probe()


def test_refused_credentials_are_said_and_where_they_come_from(server: Fake) -> None:
    server.refuses = 401
    with pytest.raises(EnvironmentFault, match="credentials are missing or refused") as caught:
        Api(server.url, env={TOKEN: "hunter2"}).probe()
    assert TOKEN in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_a_page_that_is_no_prometheus_is_said(server: Fake) -> None:
    server.refuses = 404
    with pytest.raises(EnvironmentFault, match="HTTP 404, and no answer of a Prometheus"):
        Api(server.url).probe()


def test_credentials_follow_no_redirect() -> None:
    seen: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        place = f"http://127.0.0.1:{listener.getsockname()[1]}"

        def answer() -> None:
            for _ in range(1):
                connection, _ = listener.accept()
                with connection:
                    seen.append(connection.recv(65536))
                    connection.sendall(
                        f"HTTP/1.1 302 Found\r\nLocation: {place}/other\r\nContent-Length: 0\r\n\r\n".encode()
                    )

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        with pytest.raises(QueryFailed, match="HTTP 302"):
            Api(place, env={TOKEN: "abc"}).label_values("job", "", 0, 1)
        thread.join()
    assert len(seen) == 1


def test_a_search_for_traces_is_rows_with_links(server: Fake) -> None:
    words = {"service": "orders-api", "tags": 'error=true http.status_code="500"'}
    (row,) = Jaeger(server.url).search(words, 20, Range(0, 60))
    assert row == {"trace": TRACE, "link": f"{server.url}/trace/{TRACE}", "name": "orders-api: POST /orders", "start": 1.7e9, "duration": 0.04}  # fmt: skip
    assert server.asked[0][2] == {"service": "orders-api", "start": "0", "end": "60000000", "limit": "20", "tags": '{"error": "true", "http.status_code": "500"}'}  # fmt: skip


def test_jaeger_gets_no_credentials_of_prometheus(server: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TOKEN, "abc")
    Jaeger(server.url).search({"service": "a"}, None, Range(0, 60))
    assert "Authorization" not in server.headers[0]


@pytest.mark.parametrize("trace", ["", "javascript:alert(1)", "abc", "0af7651916cd43dd/../x"])
def test_what_is_no_traces_id_has_no_link(trace: str) -> None:
    assert Jaeger("http://host").link(trace) is None
