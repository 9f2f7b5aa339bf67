"""Closes that arrive in another order than they were made: a box on either side of the proxy holds
them back, lets them overtake data, or swallows them."""

import socket
import threading

from tests.lab import harness, servers
from tests.lab.clients import curl
from tests.lab.scenario import Scenario
from tests.lab.servers import FIN, HOST, RST, good, pour, quietly, records

# In TLS 1.3 the client's records are its hello, a ChangeCipherSpec, Finished and its request.
REQUEST = 4
ALERT_LENGTH = 2 + 1 + 16  # of an encrypted alert: with its type, and the tag

LAST = curl("-H", "Connection: close")  # the server is the first to close


class Order:
    """What has come through a box, for whoever waits for it."""

    def __init__(self):
        self.changed = threading.Condition()
        self.sent = 0  # records of the client's
        self.ended = set()  # "client", "server"

    def tell(self, ended=None):
        with self.changed:
            if ended is None:
                self.sent += 1
            else:
                self.ended.add(ended)
            self.changed.notify_all()

    def wait(self, what):
        with self.changed:
            self.changed.wait_for(lambda: what(self), harness.TIMEOUT)


def ended(*who):
    return lambda order: order.ended.issuperset(who)


def has_sent(count):
    return lambda order: order.sent >= count


def between(client, server, upwards, downwards):
    """Joins two sockets; `upwards(order, records, sink)` passes on what the client says, and
    `downwards` what the server says, each with the closes."""
    order = Order()

    def tells(source):
        try:
            for head, body in records(source):
                order.tell()
                yield head + body
        finally:
            order.tell("client")

    def answers():
        try:
            for head, body in records(server):
                yield head + body
        finally:
            order.tell("server")

    down = threading.Thread(
        target=quietly, args=(lambda s: downwards(order, answers(), s), client), daemon=True
    )
    down.start()
    quietly(lambda s: upwards(order, tells(client), s), server)
    down.join(harness.TIMEOUT)


def as_it_comes(order, data, sink):
    """Every byte, then the close."""
    del order
    for piece in data:
        sink.sendall(piece)
    sink.shutdown(socket.SHUT_WR)


def without_close_notify(order, data, sink):
    as_it_comes(order, (x for x in data if len(x) != 5 + ALERT_LENGTH), sink)


def held_back(order, data, sink):
    """The close only once the other side has closed."""
    for piece in data:
        sink.sendall(piece)
    order.wait(ended("client", "server"))
    sink.shutdown(socket.SHUT_WR)


def before_the_answer(how):
    """The close overtakes what was said after the request."""
    def downwards(order, data, sink):
        for piece in data:
            if order.sent >= REQUEST:
                break
            sink.sendall(piece)
        order.wait(has_sent(REQUEST))
        ends(order, sink, how)
    return downwards


def overtakes(count, how=FIN):
    """The close of who speaks comes before his record number `count`."""
    def passes(order, data, sink):
        for number, piece in enumerate(data, 1):
            if number == count:
                break
            sink.sendall(piece)
        ends(order, sink, how)
    return passes


def half_closed(order, data, sink):
    """The close follows upon the request, while the answer is awaited."""
    del order
    for _, piece in zip(range(REQUEST), data):
        sink.sendall(piece)
    sink.shutdown(socket.SHUT_WR)


def ends(order, client, how):
    """Closes towards the client; whoever still reads from it would keep a reset waiting."""
    if how is RST:
        client.shutdown(socket.SHUT_RD)
        order.wait(ended("client"))
        servers.reset(client)
    else:
        client.shutdown(socket.SHUT_WR)


def behind(server, upwards=as_it_comes, downwards=as_it_comes):
    """The box stands before a server."""
    def start(lab):
        _, port = server(lab)

        def handle(s):
            with socket.create_connection(("127.0.0.1", port), harness.TIMEOUT) as up:
                between(s, up, upwards, downwards)
        return HOST, lab.service(lambda s: quietly(handle, s)).port
    return start


def in_front(*args, upwards=as_it_comes, downwards=as_it_comes):
    """curl, and the box before the proxy."""
    def run(lab, proxy, target):
        del lab

        def handle(s):
            harness.read_head(s)
            with proxy.connect("%s:%d" % target) as up:
                s.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                between(s, up, upwards, downwards)

        door = harness.Service(lambda s: quietly(handle, s))
        try:
            harness.run("curl", "-q", "-sS", "--max-time", "8", "--noproxy", "", "-x",
                        f"http://127.0.0.1:{door.port}", "--cacert", proxy.ca, *args,
                        "https://%s:%d/" % target, check=False)
        finally:
            door.stop()
    return run


SERVER = servers.nginx(good())

CLOSES = [
    Scenario("server-closes-first", SERVER, LAST, "none", "healthy"),
    Scenario("close-notify-lost", behind(SERVER, downwards=without_close_notify), LAST,
             "none", "healthy"),
    Scenario("server-close-held-back", behind(SERVER, downwards=held_back), LAST,
             "none", "healthy"),
    Scenario("client-close-held-back", behind(SERVER, upwards=held_back), LAST,
             "none", "healthy"),
    Scenario("close-before-answer", behind(SERVER, downwards=before_the_answer(FIN)), curl(),
             "undetermined", "truncated-close"),
    Scenario("reset-before-answer", behind(SERVER, downwards=before_the_answer(RST)), curl(),
             "undetermined", "truncated-close"),
    Scenario("request-overtaken", SERVER, in_front(upwards=overtakes(REQUEST)),
             "undetermined", "client-abort-speculative"),
    Scenario("close-upon-request", SERVER, in_front(upwards=half_closed), "none", "healthy"),
    Scenario("answers-close-held-back", SERVER,
             in_front("-H", "Connection: close", downwards=held_back), "none", "healthy"),
    Scenario("alert-overtaken-by-reset", behind(servers.alert(70), downwards=overtakes(1, RST)),
             curl(), "server", "server-reset-at-hello"),
    Scenario("alert-overtaken-by-close", behind(servers.alert(70), downwards=overtakes(1)),
             curl(), "server", "server-close-at-hello"),
]
