"""Protocols that belong to none of the other groups."""

import sys
import time

from .lab import SERVER
from .table import program

TABLE = []


@program(
    TABLE,
    "rpcbind",
    "rpcbind rpcinfo showmount",
    "ONC RPC: port mapper over UDP and TCP",
    ("dpkg-query", "-W", "rpcbind"),
)
def rpcbind(scene):
    scene.serve("rpcbind", "-f", "-i", "-h", SERVER, port=111)
    for arguments in (["-p"], ["-s"], ["-m"], ["-T", "udp"], ["-T", "tcp"]):
        name = [SERVER, "100000"] if "-T" in arguments else [SERVER]
        scene.client("rpcinfo", *arguments, *name, fails=True)
    scene.client("showmount", "-e", SERVER, fails=True, patience=5)
    scene.expect("udp", 111, "sunrpc")
    scene.expect("tcp", 111, "sunrpc")


QUIC = """
import asyncio, sys
from aioquic.asyncio import connect, serve, QuicConnectionProtocol
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.events import StreamDataReceived
class Echo(QuicConnectionProtocol):
    def quic_event_received(self, event):
        if isinstance(event, StreamDataReceived):
            self._quic.send_stream_data(event.stream_id, event.data * 50, event.end_stream)
            self.transmit()
async def server(certificate, key):
    settings = QuicConfiguration(is_client=False, alpn_protocols=["h3"])
    settings.load_cert_chain(certificate, key)
    await serve("0.0.0.0", 443, configuration=settings, create_protocol=Echo)
    await asyncio.Future()
async def client(address):
    settings = QuicConfiguration(alpn_protocols=["h3"], verify_mode=0)
    async with connect(address, 443, configuration=settings) as connection:
        reader, writer = await connection.create_stream()
        writer.write(b"x" * 3000)
        writer.write_eof()
        await reader.read()
asyncio.run(server(*sys.argv[2:]) if sys.argv[1] == "server" else client(*sys.argv[2:]))
"""


@program(
    TABLE,
    "aioquic",
    "python:aioquic",
    "QUIC version 1",
    (sys.executable, "-c", "import aioquic; print(aioquic.__version__)"),
)
def aioquic(scene):
    script = scene.file("quic.py", QUIC)
    certificate, key = scene.certificate()
    scene.serve(sys.executable, script, "server", certificate, key, port=443)
    for _ in range(3):
        scene.client(sys.executable, script, "client", SERVER)
    scene.expect("udp", 443, "quic")


@program(TABLE, "xl2tpd", "xl2tpd", "L2TP: control connection", ("xl2tpd", "-v"))
def xl2tpd(scene):
    server = scene.file(
        "server.conf",
        "[global]\nport = 1701\nipsec saref = no\n[lns default]\n"
        "ip range = 10.91.0.2-10.91.0.9\nlocal ip = 10.91.0.1\nrequire authentication = no\n",
    )
    client = scene.file(
        "client.conf", f"[global]\nport = 1701\n[lac test]\nlns = {SERVER}\nautodial = yes\n"
    )
    scene.serve(
        "xl2tpd",
        "-D",
        "-c",
        server,
        "-p",
        scene.folder / "pid",
        "-C",
        scene.folder / "control",
        port=1701,
    )
    scene.behind(
        "xl2tpd", "-D", "-c", client, "-p", scene.folder / "pid2", "-C", scene.folder / "control2"
    )
    time.sleep(4)
    scene.expect("udp", 1701, "l2tp", either=True)


@program(
    TABLE,
    "prosody",
    "prosody openssl",
    "XMPP: streams and STARTTLS",
    ("dpkg-query", "-W", "prosody"),
)
def prosody(scene):
    certificate, key = scene.certificate()
    scene.host("chmod", "-R", "a+rwX", scene.folder)
    scene.serve(
        "prosody",
        "-F",
        "--root",
        "--config",
        scene.file(
            "prosody.cfg.lua",
            f"""
run_as_root = true
data_path = "{scene.folder}"
pidfile = "{scene.folder}/pid"
modules_enabled = {{ "saslauth", "tls", "disco" }}
log = {{ debug = "{scene.folder}/log" }}
interfaces = {{ "{SERVER}" }}
VirtualHost "server.test"
 ssl = {{ certificate = "{certificate}", key = "{key}" }}
""",
        ),
        port=5222,
    )
    scene.client(
        "timeout",
        "3",
        "openssl",
        "s_client",
        "-starttls",
        "xmpp",
        "-xmpphost",
        "server.test",
        "-connect",
        f"{SERVER}:5222",
        fails=True,
    )
    scene.expect("tcp", 5222, "xmpp")
