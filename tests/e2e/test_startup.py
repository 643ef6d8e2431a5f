"""The first packets of a connection: what is answered, what is accepted, what PostgreSQL says about nonsense."""
import struct

import psycopg
import pytest

from support import messages as m
from support.proxy import login
from support.system import eventually
from support.wire import Closed, WireClient, error_in, summaries

# ParameterStatus of PostgreSQL 15 after every login.
REPORTED = {"application_name", "client_encoding", "DateStyle", "default_transaction_read_only", "in_hot_standby", "integer_datetimes",
            "IntervalStyle", "is_superuser", "server_encoding", "server_version", "session_authorization",
            "standard_conforming_strings", "TimeZone"}


def refused(client) -> tuple:
    """Severity, SQLSTATE and text of the one error that ended a login."""
    seen = client.rest()
    error = error_in(seen)
    assert seen[-1] is error
    return error.severity, error.sqlstate, error.text


def start(target, parameters: dict, user="trusted"):
    client = target.open()
    client.send(m.startup({"user": user, "database": "app", **parameters}))
    return client


def test_login_reports_what_postgresql_reports(target):
    with target.login() as client:
        assert set(client.parameters) == REPORTED
        assert client.parameters["session_authorization"] == "app"
        assert client.parameters["is_superuser"] == "off"
        assert client.parameters["server_version"] == target.postgres.execute("show server_version")[0][0]


def test_login_ends_with_key_data_and_ready(target):
    with target.open() as client:
        seen = client.start("app", "app", "app-secret")
        assert [x.tag for x in seen[-2:]] == ["K", "Z"] and seen[-1].status == "I"
        assert len(seen[-2].body) == 8 and client.pid > 0


def test_database_defaults_to_the_user(target):
    with target.open() as client:
        client.send(m.startup({"user": "app"}))
        client.authenticate("app", "app-secret")
        assert client.value("select current_database()") == "app"


def test_gssenc_request_is_answered_no_and_startup_follows(target):
    with WireClient(target.address_without_gss) as client:
        client.send(m.GSSENC_REQUEST)
        assert client.receive_bytes(1) == b"N"
        assert client.start("app", "app", "app-secret")[-1].tag == "Z"


def test_ssl_request_where_tls_is_off_is_answered_no(sluice):
    with WireClient(sluice().address) as client:
        client.send(m.SSL_REQUEST)
        assert client.receive_bytes(1) == b"N"
        assert client.start("app", "app", "app-secret")[-1].tag == "Z"


@pytest.mark.parametrize("request_packet", [m.SSL_REQUEST, m.GSSENC_REQUEST], ids=["ssl", "gssenc"])
def test_bytes_behind_an_encryption_request_are_never_run(target, request_packet):
    """Sent in one segment: whatever the answer, the cleartext startup packet must not become a session."""
    with WireClient(target.address if request_packet is m.SSL_REQUEST else target.address_without_gss) as client:
        client.send(request_packet, m.startup({"user": "trusted", "database": "app"}))
        answer = client.receive_bytes(1)
        if answer == b"S":
            client.upgrade()
        seen = client.rest()
        assert not any(x.tag in "RKZ" for x in seen)
        assert all(x.sqlstate == "08P01" for x in seen)


def newest_protocol(target) -> int:
    """PostgreSQL 15 knows 3.0; pgsluice speaks 3.2 with clients, whatever the server knows."""
    return m.PROTOCOL_3_0 + (0 if target.direct else 2)


def test_newer_minor_protocol_is_negotiated_down(target):
    with target.open() as client:
        client.send(m.startup({"user": "trusted", "database": "app"}, version=m.PROTOCOL_3_0 + 9999))
        seen = client.authenticate("trusted")
        assert seen[0].tag == "v" and struct.unpack("!ii", seen[0].body) == (newest_protocol(target), 0)
        assert client.value("select 1") == "1"


@pytest.mark.parametrize("mode", ["session", "transaction"])
@pytest.mark.parametrize("minor, length", [(0, 4), (1, 4), (2, 32), (9999, 32)])
def test_cancel_keys_are_as_long_as_the_protocol_allows(sluice, postgres, mode, minor, length):
    proxy = sluice(pool={"mode": mode})
    with WireClient(proxy.address) as client:
        client.send(m.startup({"user": "trusted", "database": "app"}, version=m.PROTOCOL_3_0 + minor))
        seen = client.authenticate("trusted")
        assert ("v" in [x.tag for x in seen]) == (minor == 9999)
        assert len(client.secret) == length
        client.send(m.query("select pg_sleep(30)"))
        eventually(lambda: postgres.backends(user="trusted", state="active"), 5, "the query to run")
        for secret in (client.secret[:-1] + bytes([client.secret[-1] ^ 1]), client.secret):
            with WireClient(proxy.address) as cancel:
                cancel.send(m.cancel_request(client.pid, secret))
                assert cancel.rest() == []
        assert [x.sqlstate for x in client.until_ready() if x.tag == "E"] == ["57014"]


def test_unknown_protocol_options_are_named_in_the_negotiation(target):
    with target.open() as client:
        client.send(m.startup({"user": "trusted", "database": "app", "_pq_.wish": "1", "_pq_.dream": "2"}))
        seen = client.authenticate("trusted")
        assert seen[0].tag == "v"
        assert seen[0].body == struct.pack("!ii", m.PROTOCOL_3_0, 2) + b"_pq_.wish\0_pq_.dream\0"
        assert client.value("select 1") == "1"


@pytest.mark.parametrize("version", [0x00040000, 0x00010000, 0x00030000 - 1])
def test_other_major_protocols_are_refused(target, version):
    with target.open() as client:
        client.send(m.startup({"user": "trusted", "database": "app"}, version=version))
        data = b""
        try:
            while True:
                data += client.receive_bytes(1)
        except Closed:
            pass
        assert b"unsupported frontend protocol" in data or data == b""
        assert data[:1] == b"E"


LAYOUT = ("FATAL", "08P01", "invalid startup packet layout: expected terminator as last byte")


@pytest.mark.parametrize("body", [b"", b"user\0trusted\0", b"user\0trusted\0\0junk\0", b"user\0trusted\0database\0", b"user\0trusted\0database"],
                         ids=["empty", "no-end", "bytes-behind-end", "name-without-value", "unfinished-name"])
def test_bad_layout_of_a_startup_packet(target, body):
    with target.open() as client:
        client.send(m.startup_body(body))
        assert refused(client) == LAYOUT


@pytest.mark.parametrize("parameters", [{}, {"user": ""}, {"database": "app"}], ids=["nothing", "empty", "only-database"])
def test_startup_without_a_user(target, parameters):
    with target.open() as client:
        client.send(m.startup(parameters))
        assert refused(client) == ("FATAL", "28000", "no PostgreSQL user name specified in startup packet")


@pytest.mark.parametrize("data", [b"", b"\0\0", b"\0\0\0\0", b"\0\0\0\3", b"\0\0\0\7", b"\x80\0\0\0", b"\xff\xff\xff\xff", b"\0\1\0\0",
                                  b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03"])
def test_packets_that_are_no_startup_are_closed_without_a_word(target, data):
    with target.open() as client:
        client.send(data)
        client.socket.shutdown(1)
        assert client.rest() == []


def test_password_message_as_first_packet_is_closed(target):
    with target.open() as client:
        client.send(m.password("secret"))
        client.socket.shutdown(1)
        assert client.rest() == []


def test_last_of_two_users_counts(target):
    with target.open() as client:
        client.send(m.startup_body(b"user\0app\0user\0trusted\0database\0app\0\0"))
        client.authenticate("trusted")
        assert client.value("select session_user") == "trusted"


def test_long_names_are_cut_to_63_bytes(target):
    with target.open() as client:
        client.start("u" * 200, "app", "wrong")
    name = "n" * 70
    target.postgres.execute(f'drop database if exists "{name}"')
    target.postgres.execute(f'create database "{name}"')
    with target.login(user="trusted", database=name) as client:
        assert client.value("select current_database()") == "n" * 63


@pytest.mark.parametrize("parameters, expected", [
    ({"nosuch_parameter": "1"}, ("42704", 'unrecognized configuration parameter "nosuch_parameter"')),
    ({"work_mem": "abc"}, ("22023", 'invalid value for parameter "work_mem": "abc"')),
    ({"max_connections": "5"}, ("55P02", 'parameter "max_connections" cannot be changed without restarting the server')),
    ({"log_statement": "all"}, ("42501", 'permission denied to set parameter "log_statement"')),
    ({"client_encoding": "nonsense"}, ("22023", 'invalid value for parameter "client_encoding": "nonsense"')),
    ({"options": "-c a"}, ("42601", "-c a requires a value")),
    ({"options": "-c=1"}, ("42704", 'unrecognized configuration parameter ""')),
    ({"options": "--nosuch=1"}, ("42704", 'unrecognized configuration parameter "nosuch"')),
    ({"options": "-Z"}, ("42601", "invalid command-line argument for server process: -Z")),
    ({"replication": "bogus"}, ("22023", 'invalid value for parameter "replication": "bogus"')),
], ids=lambda value: next(iter(value.items()), None) and "=".join(next(iter(value.items()))) if isinstance(value, dict) else "")
def test_bad_parameters_get_postgresqls_own_error(target, parameters, expected):
    with start(target, parameters) as client:
        assert refused(client) == ("FATAL", *expected)


@pytest.mark.parametrize("options", ["-c work_mem=7MB", "-cwork_mem=7MB", "--work_mem=7MB", "--work-mem=7MB", "  -c   work_mem=7MB  ",
                                     "-c statement_timeout=1min -c work_mem=7MB", "-c search_path=a,\\ b -c work_mem=7MB"])
def test_options_are_parsed_like_postgresql_does(fresh_target, options):
    with fresh_target.login(options=options) as client:
        assert client.value("show work_mem") == "7MB"


def test_options_may_set_what_is_named_like_a_protocol_option(fresh_target):
    with fresh_target.login(options=r"-c _pq_.x=one\ \\two -c work_mem=7MB") as client:
        assert client.value("show _pq_.x") == r"one \two"
        assert client.value("show work_mem") == "7MB"


def test_options_of_a_session_of_its_own_may_set_it_too(sluice):
    with login(sluice(pool={"mode": "session"}), options=r"-c _pq_.x=one\ \\two", work_mem="7MB") as client:
        assert client.value("show _pq_.x") == r"one \two"
        assert client.value("show work_mem") == "7MB"


def test_escapes_in_options(fresh_target):
    with fresh_target.login(options=r"-c application_name=one\ \\two\3") as client:
        assert client.value("show application_name") == r"one \two3"


def test_parameters_in_the_packet_win_over_options(fresh_target):
    with fresh_target.login(options="-c application_name=options", application_name="packet") as client:
        assert client.value("show application_name") == "packet"


@pytest.mark.parametrize("name, value, shown", [
    ("application_name", "", ""), ("application_name", "checkout", "checkout"), ("extra_float_digits", "2", "2"),
    ("client_encoding", "latin1", "LATIN1"), ("datestyle", "German", "German, DMY"), ("TimeZone", "europe/prague", "Europe/Prague"),
    ("IntervalStyle", "iso_8601", "iso_8601"), ("statement_timeout", "90s", "90s"), ("search_path", "pg_catalog", "pg_catalog"),
    ("default_transaction_isolation", "serializable", "serializable"), ("my.custom", "x", "x")])
def test_startup_parameters_reach_the_server(fresh_target, name, value, shown):
    with fresh_target.login(**{name: value}) as client:
        assert client.value(f"show {name}") == shown
        reported = {key.lower(): spelled for key, spelled in client.parameters.items()}
        assert reported.get(name.lower(), shown) in (shown, {"client_encoding": "LATIN1"}.get(name))


def test_large_startup_packet(fresh_target):
    with fresh_target.login(**{"my.filler": "x" * 9000}) as client:
        assert len(client.value("show my.filler")) == 9000


def test_startup_packet_over_the_limit_is_closed(target):
    with target.open() as client:
        client.send(m.startup({"user": "trusted", "my.filler": "x" * 10001}))
        assert client.rest() == []


@pytest.mark.parametrize("user, database, expected", [
    ("trusted", "nosuch", ("3D000", 'database "nosuch" does not exist')),
    ("trusted", "closed", ("55000", 'database "closed" is not currently accepting connections')),
])
def test_database_errors_come_after_authentication(target, user, database, expected):
    with target.open() as client:
        seen = client.start(user, database)
        assert (seen[-1].sqlstate, seen[-1].text) == expected
        assert [x.summary() for x in seen[:-1]] in (["R0"], [])


def test_unknown_database_is_not_told_to_strangers(target):
    with target.open() as client:
        seen = client.start("app", "nosuch", "wrong")
        assert seen[-1].sqlstate == "28P01"


def test_cancel_request_with_a_wrong_key_closes_without_a_word(target):
    for packet in (m.cancel_request(123456, b"\1\2\3\4"), m.cancel_request(0, b"\0\0\0\0"), m.cancel_request(-1, b"\xff" * 4)):
        with target.open() as client:
            client.send(packet)
            assert client.rest() == []


def test_cancel_request_of_wrong_length_closes_without_a_word(target):
    for secret in (b"", b"\0" * 8):
        with target.open() as client:
            client.send(m.cancel_request(1, secret))
            assert client.rest() == []


def test_names_with_odd_characters_work(target):
    target.postgres.execute('drop database if exists "o\'dd ""db"')
    target.postgres.execute('create database "o\'dd ""db"')
    with target.connect(dbname='o\'dd "db', user="trusted") as connection:
        assert connection.execute("select current_database()").fetchone() == ('o\'dd "db',)


def test_replication_by_an_ordinary_role_is_refused(target):
    with pytest.raises(psycopg.OperationalError, match="must be superuser or replication role to start walsender"):
        target.connect(replication="database")


def test_changes_of_reported_parameters_are_reported(target):
    with target.login() as client:
        reply = client.query("set timezone to 'UTC'; set client_encoding to latin1")
        assert {x.pair for x in reply if x.tag == "S"} == {("TimeZone", "UTC"), ("client_encoding", "LATIN1")}
        assert summaries(reply, ignore="S") == ["C:SET", "C:SET", "Z:I"]
