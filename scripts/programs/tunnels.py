"""Tunnels, relays and what opens them."""

import sys
import time

from .lab import CLIENT, SERVER
from .table import program

TABLE = []


@program(
    TABLE,
    "openvpn",
    "openvpn",
    "OpenVPN over UDP and TCP: plain, tls-auth, tls-crypt",
    ("openvpn", "--version"),
)
def openvpn(scene):
    certificate, key = scene.certificate()
    secret = scene.folder / "secret"
    scene.host("openvpn", "--genkey", "secret", secret)
    common = [
        "--dev",
        "tun",
        "--ca",
        certificate,
        "--cert",
        certificate,
        "--key",
        key,
        "--verb",
        "3",
        "--data-ciphers",
        "AES-256-GCM",
        "--ping",
        "1",
        "--route-noexec",
    ]
    port = 1194
    for way in ("udp", "tcp"):
        for number, more in enumerate(([], ["--tls-auth", secret], ["--tls-crypt", secret])):
            direction = ["1", "0"] if "--tls-auth" in more else [None, None]
            there = [*more, *filter(None, [direction[1]])]
            here = [*more, *filter(None, [direction[0]])]
            net = f"10.{80 + number + (10 if way == 'tcp' else 0)}.0"
            server = scene.serve(
                "openvpn",
                *common,
                *there,
                "--tls-server",
                "--dh",
                "none",
                "--port",
                port,
                "--proto",
                f"{way}4{'-server' if way == 'tcp' else ''}",
                "--ifconfig",
                f"{net}.1",
                f"{net}.2",
                port=port,
            )
            client = scene.behind(
                "openvpn",
                *common,
                *here,
                "--tls-client",
                "--remote",
                SERVER,
                port,
                "--proto",
                f"{way}4{'-client' if way == 'tcp' else ''}",
                "--nobind",
                "--ifconfig",
                f"{net}.2",
                f"{net}.1",
            )
            time.sleep(5)
            scene.client("ping", "-c", "3", "-i", "0.2", f"{net}.1", fails=True)
            scene.end(client)
            scene.end(server)
    scene.expect("udp", port, "openvpn")
    scene.expect("tcp", port, "openvpn")


@program(TABLE, "wireguard", "wireguard-go wg", "WireGuard", ("wg", "--version"))
def wireguard(scene):
    names, keys = ("wgserver", "wgclient"), {}
    for name in names:
        private = scene.host("wg", "genkey").strip()
        public = scene.host("wg", "pubkey", text=private).strip()
        keys[name] = scene.file(f"{name}.key", private, 0o600), public
    for number, (name, peer) in enumerate((names, names[::-1])):
        (scene.behind if number else scene.serve)("wireguard-go", "-f", name)
        time.sleep(1)
        space = scene.lab.client if number else scene.lab.server
        port = [] if number else ["listen-port", "51820"]
        end = ["endpoint", f"{SERVER}:51820"] if number else []
        scene.host(
            "ip",
            "netns",
            "exec",
            space,
            "wg",
            "set",
            name,
            *port,
            "private-key",
            keys[name][0],
            "peer",
            keys[peer][1],
            "allowed-ips",
            "0.0.0.0/0",
            "persistent-keepalive",
            "1",
            *end,
        )
        scene.host("ip", "-n", space, "address", "add", f"10.90.0.{number + 1}/24", "dev", name)
        scene.host("ip", "-n", space, "link", "set", name, "up")
    scene.client("ping", "-c", "5", "-i", "0.3", "10.90.0.1", fails=True)
    time.sleep(3)
    scene.expect("udp", 51820, "wireguard", either=True)


@program(
    TABLE,
    "coturn",
    "turnserver turnutils_uclient turnutils_stunclient",
    "STUN and TURN over UDP, TCP and TLS",
    ("turnserver", "--version"),
)
def coturn(scene):
    certificate, key = scene.certificate()
    scene.serve(
        "turnserver",
        "-n",
        "-L",
        SERVER,
        "-r",
        "test",
        "-u",
        "alice:secret",
        "--lt-cred-mech",
        "--allow-loopback-peers",
        "--no-cli",
        "--cert",
        certificate,
        "--pkey",
        key,
        "--min-port",
        "50000",
        "--max-port",
        "50100",
        "--log-file",
        "stdout",
        "--pidfile",
        scene.folder / "pid",
        "--userdb",
        scene.folder / "users",
        port=3478,
    )
    scene.client("turnutils_stunclient", SERVER, fails=True)
    for more in ([], ["-t"], ["-t", "-S", "-p", "5349"]):
        scene.client(
            "turnutils_uclient",
            *more,
            "-u",
            "alice",
            "-w",
            "secret",
            "-n",
            "5",
            "-m",
            "1",
            "-y",
            SERVER,
            fails=True,
        )
    scene.expect("udp", 3478, "stun")
    scene.expect("tcp", 3478, "stun")
    scene.expect("tcp", 5349, "tls")
    # What is relayed is what the test sends: bytes of no protocol.
    scene.expect("udp", 0, "")


@program(TABLE, "dante", "danted curl", "SOCKS 4 and 5", ("danted", "-v"))
def dante(scene):
    scene.serve(
        "danted",
        "-f",
        scene.file(
            "danted.conf",
            f"""
logoutput: {scene.folder}/log
internal: wire port = 1080
external: lo
clientmethod: none
socksmethod: none
user.privileged: root
user.unprivileged: nobody
client pass {{ from: 0.0.0.0/0 to: 0.0.0.0/0 }}
socks pass {{ from: 0.0.0.0/0 to: 0.0.0.0/0 }}
""",
        ),
        "-p",
        scene.folder / "pid",
        port=1080,
    )
    scene.serve(sys.executable, "-m", "http.server", "8000", port=8000)
    for scheme in ("socks4", "socks4a", "socks5", "socks5h"):
        scene.client(
            "curl",
            "-s",
            "-o",
            "/dev/null",
            "-x",
            f"{scheme}://{SERVER}:1080",
            "http://127.0.0.1:8000/",
            fails=True,
        )
    scene.expect("tcp", 1080, "socks")


@program(TABLE, "strongswan", "charon-systemd swanctl", "IKEv1 and IKEv2", ("swanctl", "--version"))
def strongswan(scene):
    for name, own, other in (("server", SERVER, CLIENT), ("client", CLIENT, SERVER)):
        socket = f"unix://{scene.folder}/{name}.vici"
        settings = scene.file(
            f"{name}.settings",
            f"""
charon-systemd {{
 load = random nonce openssl aes sha1 sha2 hmac kdf gmp pem pkcs1 x509 kernel-netlink socket-default vici
 plugins {{
  vici {{
   socket = {socket}
  }}
 }}
}}
""",
        )
        (scene.serve if name == "server" else scene.behind)(
            "charon-systemd", env={"STRONGSWAN_CONF": settings}
        )
        time.sleep(1.5)
        file = scene.file(
            f"{name}.conf",
            "connections {\n"
            + "".join(f"""
 v{version} {{
  version = {version}
  proposals = aes128-sha256-modp2048,aes128-sha256-x25519
  local_addrs = {own}
  remote_addrs = {other}
  local {{
   auth = psk
   id = {name}{version}
  }}
  remote {{
   auth = psk
  }}
  children {{
   child {{
    esp_proposals = aes128-sha256
   }}
  }}
 }}
""" for version in (1, 2))
            + "}\n"
            + """
secrets {
 ike-one {
  secret = secret
 }
}
""",
        )
        scene.client(
            "swanctl",
            "--load-all",
            "--uri",
            socket,
            "--file",
            file,
            fails=True,
            env={"STRONGSWAN_CONF": settings},
        )
    for version in (1, 2):
        scene.client(
            "swanctl",
            "--initiate",
            "--ike",
            f"v{version}",
            "--child",
            "child",
            "--timeout",
            "5",
            "--uri",
            socket,
            fails=True,
            env={"STRONGSWAN_CONF": settings},
        )
    scene.expect("udp", 500, "ike", either=True)
    scene.expect("udp", 4500, "ike", either=True)
