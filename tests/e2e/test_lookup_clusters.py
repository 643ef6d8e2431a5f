"""Several clusters with an auth.query of their own: what happens to one tells strangers nothing of another's users."""
import itertools

import pytest

from support.postgres import AUTH_QUERY
from support.proxy import login
from support.system import free_port
from support.wire import WireClient

fresh_names = (f"fresh{number}" for number in itertools.count())


def cluster(port: int, **changes) -> dict:
    query = {"database": "postgres", "user": "pgsluice_auth", "password": "pgsluice_auth-secret", "sql": AUTH_QUERY, "negative_cache": "0s"}
    return {"servers": [{"host": "127.0.0.1", "port": port}], "tls": {"mode": "disable"}, "query": query, **changes}


@pytest.fixture
def two_clusters(sluice, postgres):
    """`app` is of a cluster that answers, `lost` of one that does not; `listed` is known without a look-up in both."""
    listed = [{"name": "listed", "password": "listed-secret"}]
    routes = [{"name": name, "match": {"databases": [name]}, "cluster": where, "pool": {"mode": "transaction"}}
              for name, where in (("app", "main"), ("lost", "dead"))]
    return sluice(workers=1, auth={"users": None, "rules": [{"method": "scram-sha-256"}]}, routes=routes,
                  cluster=cluster(postgres.port, users=listed), clusters={"dead": cluster(free_port(), users=listed)})


def refusal(proxy, user: str, database: str) -> str:
    with WireClient(proxy.address) as client:
        return client.start(user, database, "wrong")[-1].sqlstate


def test_an_outage_hides_its_listed_users_whatever_answers_beside_it(two_clusters):
    assert [refusal(two_clusters, user, "lost") for user in ("nobody", "listed")] == ["57P03"] * 2
    for user in ("listed", "nobody", "listed"):
        assert refusal(two_clusters, next(fresh_names), "app") == "28P01"
        assert refusal(two_clusters, user, "lost") == "57P03", user


def test_an_outage_is_told_to_nobody_of_another_cluster(two_clusters):
    assert refusal(two_clusters, next(fresh_names), "app") == "28P01"
    assert refusal(two_clusters, "nobody", "lost") == "57P03"
    assert refusal(two_clusters, "listed", "app") == "28P01"
    with login(two_clusters, "app", "app") as client:
        assert client.value("select 1") == "1"
    assert refusal(two_clusters, "app", "app") == "28P01", "from the cache"


def test_an_outage_goes_on_over_a_reload(two_clusters):
    assert refusal(two_clusters, "nobody", "lost") == "57P03"
    two_clusters.reload(changes={"timeouts": {"connect": "2s"}})
    assert refusal(two_clusters, "listed", "lost") == "57P03"
