"""Named statements of the protocol, by raw clients."""
from support import messages as m
from support.wire import summaries


def prepare(client, name, sql):
    client.send(m.parse(sql, name), m.SYNC)
    return summaries(client.until_ready())


def run(client, name, *values):
    client.send(m.bind(name, values=values), m.execute(), m.SYNC)
    return summaries(client.until_ready())
