"""Whatever an address pretends to be, nothing inside is called."""

import socket

import pytest

from core.webhooks import addresses, calling
from core.webhooks.addresses import Forbidden

INSIDE = [
    *("https://127.0.0.1/", "https://127.1/", "https://127.0.0.1.:443/", "https://2130706433/", "https://0x7f000001/"),
    *("https://0177.0.0.1/", "https://0x7f.0.0.1/", "https://017700000001/", "https://127.255.255.254/"),
    *("https://0.0.0.0/", "https://0/", "https://0.0.0.1/", "https://localhost/", "https://LOCALHOST/"),
    *("https://10.0.0.1/", "https://10.255.255.255/", "https://172.16.0.1/", "https://172.31.255.255/"),
    *("https://192.168.0.1/", "https://192.168.1.254/", "https://3232235777/", "https://0xc0a80101/"),
    *("https://169.254.169.254/latest/meta-data/", "https://2852039166/", "https://0xa9fea9fe/", "https://169.254.1/"),
    *("https://100.64.0.1/", "https://100.127.255.255/", "https://192.0.0.8/", "https://192.0.2.1/"),
    *("https://198.18.0.1/", "https://198.51.100.1/", "https://203.0.113.1/", "https://224.0.0.1/"),
    *("https://239.255.255.250/", "https://240.0.0.1/", "https://255.255.255.255/", "https://233.252.0.1/"),
    *("https://[::1]/", "https://[::]/", "https://[0:0:0:0:0:0:0:1]/", "https://[::ffff:127.0.0.1]/"),
    *("https://[::ffff:7f00:1]/", "https://[::ffff:10.0.0.1]/", "https://[::ffff:a9fe:a9fe]/", "https://[fe80::1]/"),
    *("https://[fc00::1]/", "https://[fd12:3456::1]/", "https://[ff02::1]/", "https://[2001:db8::1]/"),
    *("https://[64:ff9b::7f00:1]/", "https://[64:ff9b::10.0.0.1]/", "https://[64:ff9b:1::1]/"),
    *("https://[2002:7f00:1::1]/", "https://[2002:a00:1::1]/", "https://[2001:0:7f00:1::1]/"),
    *("https://[::127.0.0.1]/", "https://[fec0::1]/", "https://[100::1]/", "https://[5f00::1]/"),
]
NO_ADDRESS = [
    *("", "example.com", "ftp://example.com/", "file:///etc/passwd", "javascript:alert(1)", "https://", "https:///x"),
    *("https://exa mple.com/", "https://example.com:99999/", "https://example.com:0/", "https://bücher.example/"),
    *("https://[::1/", "https://example.com/\n", "gopher://127.0.0.1:6379/_FLUSHALL"),
]


def network(name):
    return [addresses.ipaddress.ip_network(name)]


@pytest.fixture
def connected(monkeypatch):
    """Every attempt to connect, none of which gets anywhere."""
    attempts = []

    def refuse(self, address):
        attempts.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket.socket, "connect", refuse)
    return attempts


def test_there_are_sixty_of_them():
    assert len(set(INSIDE)) >= 60


@pytest.mark.parametrize("url", INSIDE)
def test_nothing_inside_is_called(url, connected):
    outcome = calling.post(url=url, body="{}", headers={}, allowed=())
    assert (outcome.status, connected) == (0, [])
    assert outcome.said in {"not-public", "unknown-name"}


def test_the_control_a_public_one_is_called_at_the_address_that_was_checked(monkeypatch, connected):
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda host, port, *args, **options: [(2, 1, 6, "", ("93.184.216.34", port))]
    )
    calling.post(url="https://shop.example/x", body="{}", headers={}, allowed=())
    assert connected == [("93.184.216.34", 443)]


def test_a_name_server_that_changes_its_mind_is_asked_once(monkeypatch, connected):
    answers = iter(["93.184.216.34", "127.0.0.1", "127.0.0.1"])
    monkeypatch.setattr(
        addresses.socket,
        "getaddrinfo",
        lambda host, port, *args, **options: [(2, 1, 6, "", (host if host[0].isdigit() else next(answers), port))],
    )
    calling.post(url="https://shop.example/x", body="{}", headers={}, allowed=())
    assert connected == [("93.184.216.34", 443)]


def test_one_address_inside_among_several_is_enough_to_refuse(monkeypatch):
    found = [(2, 1, 6, "", (ip, 443)) for ip in ("93.184.216.34", "10.0.0.7")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **options: found)
    with pytest.raises(Forbidden, match="not-public"):
        addresses.resolve("https://shop.example/")


@pytest.mark.parametrize("url", NO_ADDRESS)
def test_what_is_no_address(url):
    with pytest.raises(Forbidden, match="not-an-address"):
        addresses.resolve(url)


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://93.184.216.34/", "not-encrypted"),
        ("https://ann:secret@93.184.216.34/", "holds-a-password"),
        ("https://@93.184.216.34/", "holds-a-password"),
    ],
)
def test_what_is_refused_by_name(url, code):
    with pytest.raises(Forbidden, match=code):
        addresses.resolve(url)


def test_a_network_that_the_operator_allows():
    target = addresses.resolve("http://10.1.2.3:8080/x?y=1", allowed=network("10.1.0.0/16"))
    assert (target.ip, target.port, target.path, target.authority) == ("10.1.2.3", 8080, "/x?y=1", "10.1.2.3:8080")
    with pytest.raises(Forbidden, match="not-public"):
        addresses.resolve("http://10.2.2.3/", allowed=network("10.1.0.0/16"))
    with pytest.raises(Forbidden, match="not-public"):
        addresses.resolve("http://93.184.216.34/", allowed=network("10.1.0.0/16"))
