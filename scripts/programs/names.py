"""Names, addresses, time and management."""

import os
import time

from .lab import CLIENT, SERVER
from .table import program

TABLE = []

ZONE = """$TTL 60
@ SOA server.test. root.test. 1 60 60 60 60
@ NS server.test.
@ MX 10 server.test.
server A 10.77.0.1
server AAAA fd77::1
_sip._udp SRV 1 2 5060 server.test.
big TXT ( {} )
"""


def zone(scene):
    """A zone with one answer that does not fit a datagram."""
    text = " ".join(f'"{number:03} {"x" * 90}"' for number in range(40))
    return scene.file(
        "test.zone",
        ZONE.format(text)
        + "".join(f"host{number} A 10.1.{number // 250}.{number % 250}\n" for number in range(900)),
    )


@program(
    TABLE,
    "bind",
    "named dig kdig",
    "DNS: plain, EDNS, cookies, TCP, many queries on one "
    "connection, zone transfer, over TLS, over HTTPS",
    ("named", "-v"),
)
def bind(scene):
    certificate, key = scene.certificate()
    os.chmod(scene.folder, 0o777)
    configuration = scene.file(
        "named.conf",
        f"""
tls own {{ cert-file "{certificate}"; key-file "{key}"; }};
options {{ directory "{scene.folder}"; pid-file none; session-keyfile none; listen-on {{ any; }};
  listen-on port 853 tls own {{ any; }}; listen-on port 443 tls own http default {{ any; }};
  allow-transfer {{ any; }}; recursion no; dnssec-validation no; }};
controls {{ }};
zone "test" {{ type primary; file "{zone(scene)}"; }};
""",
    )
    scene.serve("named", "-g", "-c", configuration, port=853)
    at = f"@{SERVER}"
    for question in (
        "server.test A",
        "server.test AAAA +noedns",
        "test MX +bufsize=4096",
        "_sip._udp.test SRV +tcp",
        "none.test A +cookie",
        "big.test TXT",
        "server.test A +ignore +noall",
        "test SOA +nsid +dnssec",
        "1.0.77.10.in-addr.arpa PTR",
        "version.bind TXT CH",
    ):
        scene.client("dig", at, *question.split())
    scene.client("dig", at, "test", "AXFR")
    scene.client("dig", "@fd77::1", "server.test", "AAAA")
    scene.client("dig", at, "+tcp", "+keepopen", *(f"host{n}.test" for n in range(20)))
    scene.client("kdig", at, "+tls", "server.test", "AAAA")
    scene.client("kdig", at, "+https", "server.test", "AAAA")
    scene.expect("udp", 53, "dns")
    scene.expect("tcp", 53, "dns")
    scene.expect("tcp", 853, "tls")
    scene.expect("tcp", 443, "tls")


@program(
    TABLE,
    "dnsmasq",
    "dnsmasq dhclient dig",
    "DHCP and DHCPv6: leased, released; DNS",
    ("dnsmasq", "-v"),
)
def dnsmasq(scene):
    scene.serve(
        "dnsmasq",
        "-k",
        "--conf-file=/dev/null",
        "--no-resolv",
        "--no-hosts",
        "--user=root",
        "--address=/server.test/10.77.0.1",
        "--dhcp-range=10.77.0.50,10.77.0.60,2m",
        "--dhcp-range=fd77::50,fd77::60,64,10m",
        "--interface=wire",
        "--dhcp-leasefile=" + scene.file("leases"),
        "--dhcp-authoritative",
        "--bind-dynamic",
        "--pid-file=",
        port=53,
    )
    leases, nothing = scene.file("client.leases"), scene.file(
        "script", "#!/bin/sh\nexit 0\n", 0o755
    )
    for more in (["-4"], ["-4", "-r"], ["-6"], ["-6", "-S"]):
        scene.client(
            "dhclient",
            "-1",
            *more,
            "-lf",
            leases,
            "-pf",
            scene.folder / "pid",
            "-sf",
            nothing,
            "-cf",
            "/dev/null",
            "wire",
            patience=12,
            fails=True,
        )
    scene.client("dig", f"@{SERVER}", "server.test")
    scene.expect("udp", 67, "dhcp")
    scene.expect("udp", 68, "dhcp", either=True)
    scene.expect("udp", 547, "dhcpv6")
    scene.expect("udp", 546, "dhcpv6", either=True)
    scene.expect("udp", 53, "dns")


@program(
    TABLE,
    "chrony",
    "chronyd",
    "NTP: client and server, symmetric, network time security",
    ("chronyd", "--version"),
)
def chrony(scene):
    def command(name, text, *options):
        common = f"{text}cmdport 0\npidfile {scene.folder}/{name}.pid\n"
        configuration = scene.file(f"{name}.conf", common)
        return "chronyd", "-d", "-x", "-u", "root", *options, "-f", configuration

    certificate, key = scene.certificate()
    server = f"""
local stratum 3
allow all
bindcmdaddress /
ntsservercert {certificate}
ntsserverkey {key}
peer {CLIENT} minpoll -2 maxpoll -2
"""
    scene.serve(*command("server", server), port=123)
    client = f"""
peer {SERVER} minpoll -2 maxpoll -2
server fd77::1 iburst minpoll -2 maxpoll -2
local stratum 5
allow all
bindcmdaddress /
"""
    scene.behind(*command("client", client))
    time.sleep(6)
    for number, name in enumerate(("server.test", SERVER)):
        secured = f"server {name} iburst nts\nntstrustedcerts {certificate}\nnosystemcert\nport 0\n"
        scene.client(*command(f"nts{number}", secured, "-Q", "-t", "6"), fails=True)
    scene.expect("udp", 123, "ntp", either=True)
    scene.expect("tcp", 4460, "tls")


@program(
    TABLE,
    "snmp",
    "snmpd snmptrapd snmpwalk snmptrap",
    "SNMP: versions 1, 2c and 3, bulk, set, traps, informs, over TCP",
    ("snmpd", "-v"),
)
def snmp(scene):
    persistent = {"SNMP_PERSISTENT_DIR": str(scene.folder), "MIBS": "", "MIBDIRS": "/nowhere"}
    users = """createUser alice SHA "password1" AES "password2"\nrwuser alice priv
createUser bob SHA "password1"\nrwuser bob auth
"""
    scene.serve(
        "snmpd",
        "-f",
        "-Lo",
        "-C",
        "-c",
        scene.file(
            "snmpd.conf",
            f"""
rocommunity public
rwcommunity private
agentAddress udp:161,tcp:161
{users}""",
        ),
        "-p",
        scene.folder / "pid",
        port=161,
        env=persistent,
    )
    traps = {**persistent, "SNMP_PERSISTENT_DIR": str(scene.folder / "traps")}
    scene.file("traps/empty")
    scene.serve(
        "snmptrapd",
        "-f",
        "-Lo",
        "-C",
        "-c",
        scene.file(
            "snmptrapd.conf",
            "authCommunity log public\ndisableAuthorization yes\n" + users.split("rwuser")[0],
        ),
        "-p",
        scene.folder / "pid2",
        port=162,
        env=traps,
    )
    third = [
        "-v3",
        "-u",
        "alice",
        "-l",
        "authPriv",
        "-a",
        "SHA",
        "-A",
        "password1",
        "-x",
        "AES",
        "-X",
        "password2",
    ]
    second = ["-v3", "-u", "bob", "-l", "authNoPriv", "-a", "SHA", "-A", "password1"]
    system = "1.3.6.1.2.1.1"
    for who in (["-v1", "-c", "public"], ["-v2c", "-c", "public"], third, second):
        scene.client("snmpwalk", *who, SERVER, system, env=persistent)
        scene.client("snmpget", *who, SERVER, system + ".3.0", env=persistent)
        scene.client("snmpget", *who, f"tcp:{SERVER}", system + ".3.0", env=persistent)
    scene.client("snmpbulkwalk", "-v2c", "-c", "public", SERVER, "1.3.6.1.2.1", env=persistent)
    scene.client(
        "snmpset",
        "-v2c",
        "-c",
        "private",
        SERVER,
        system + ".6.0",
        "s",
        "here",
        env=persistent,
        fails=True,
    )
    scene.client(
        "snmpget",
        "-v2c",
        "-c",
        "wrong",
        "-r",
        "1",
        "-t",
        "1",
        SERVER,
        system + ".3.0",
        env=persistent,
        fails=True,
    )
    trap = ["", "1.3.6.1.6.3.1.1.5.1"]
    scene.client("snmptrap", "-v2c", "-c", "public", SERVER, *trap, env=persistent)
    scene.client(
        "snmptrap",
        "-v1",
        "-c",
        "public",
        SERVER,
        "1.3.6.1.4.1.9",
        CLIENT,
        "6",
        "17",
        "55",
        env=persistent,
    )
    scene.client(
        "snmptrap", "-v3", "-e", "0x8000000001020304", *third[1:], SERVER, *trap, env=persistent
    )
    scene.client("snmpinform", "-v2c", "-c", "public", SERVER, *trap, env=persistent)
    scene.expect("udp", 161, "snmp")
    scene.expect("tcp", 161, "snmp")
    scene.expect("udp", 162, "snmp")


@program(
    TABLE,
    "rsyslog",
    "rsyslogd logger",
    "syslog: RFC 3164 and 5424, over UDP, over TCP with " "either framing, over TLS",
    ("rsyslogd", "-v"),
)
def rsyslog(scene):
    certificate, key = scene.certificate()
    scene.serve(
        "rsyslogd",
        "-n",
        "-i",
        scene.folder / "pid",
        "-f",
        scene.file(
            "server.conf",
            f"""
module(load="imudp")
module(load="imtcp" StreamDriver.Name="gtls" StreamDriver.Mode="1" StreamDriver.AuthMode="anon")
module(load="imptcp")
global(DefaultNetstreamDriverCAFile="{certificate}" DefaultNetstreamDriverCertFile="{certificate}"
 DefaultNetstreamDriverKeyFile="{key}")
input(type="imudp" port="514")
input(type="imptcp" port="514")
input(type="imtcp" port="6514")
*.* {scene.folder}/all.log
""",
        ),
        port=6514,
    )
    scene.until(lambda: scene.listens(514), "rsyslogd does not listen on 514")
    at = ["-n", SERVER, "-P", "514"]
    for more in (
        ["-d", "--rfc3164"],
        ["-d", "--rfc5424"],
        ["-T", "--rfc3164"],
        ["-T", "--rfc5424"],
        ["-T", "--octet-count"],
        ["-d", "-p", "local7.debug", "-t", "router"],
    ):
        for number in range(3):
            scene.client("logger", *at, *more, f"message {number} of the test")
    scene.behind(
        "rsyslogd",
        "-n",
        "-i",
        scene.folder / "pid2",
        "-f",
        scene.file(
            "client.conf",
            f"""
module(load="imfile")
input(type="imfile" file="{scene.file("input.log")}" tag="file" facility="local0")
global(DefaultNetstreamDriverCAFile="{certificate}")
action(type="omfwd" target="{SERVER}" port="514" protocol="udp")
action(type="omfwd" target="{SERVER}" port="514" protocol="tcp" TCP_Framing="octet-counted")
action(type="omfwd" target="{SERVER}" port="514" protocol="tcp" Template="RSYSLOG_SyslogProtocol23Format")
action(type="omfwd" target="{SERVER}" port="6514" protocol="tcp" StreamDriver="gtls"
 StreamDriverMode="1" StreamDriverAuthMode="anon")
""",
        ),
    )
    time.sleep(1)
    for number in range(5):
        with open(scene.folder / "input.log", "a") as log:
            log.write(f"line {number} of a file\n" * 3)
        time.sleep(0.3)
    time.sleep(1)
    scene.expect("udp", 514, "syslog")
    scene.expect("tcp", 514, "syslog")
    scene.expect("tcp", 6514, "tls")


@program(
    TABLE,
    "freeradius",
    "freeradius radtest radclient",
    "RADIUS: PAP, CHAP, MSCHAP, a reject, " "accounting, status",
    ("freeradius", "-v"),
)
def freeradius(scene):
    scene.host("cp", "-r", "/etc/freeradius/3.0", scene.folder / "raddb")
    with open(scene.folder / "raddb/clients.conf", "a") as clients:
        clients.write("\nclient wire { ipaddr = 10.77.0.0/24\n secret = testing123\n }\n")
    users = scene.folder / "raddb/mods-config/files/authorize"
    users.write_text('alice Cleartext-Password := "secret"\n' + users.read_text())
    scene.host("chmod", "-R", "a+rX,go-w", scene.folder)
    scene.serve("freeradius", "-f", "-d", scene.folder / "raddb", "-l", "stdout", port=1813)
    for way in ("pap", "chap", "mschap"):
        scene.client("radtest", "-t", way, "alice", "secret", SERVER, "0", "testing123", fails=True)
    scene.client("radtest", "alice", "wrong", SERVER, "0", "testing123", fails=True)
    for kind in ("Start", "Stop"):
        scene.client(
            "radclient",
            "-x",
            f"{SERVER}:1813",
            "acct",
            "testing123",
            fails=True,
            text=(
                f'User-Name = "alice", Acct-Status-Type = {kind}, Acct-Session-Id = "7", '
                "NAS-IP-Address = 10.77.0.2\n"
            ),
        )
    scene.client(
        "radclient",
        "-x",
        f"{SERVER}:1812",
        "status",
        "testing123",
        fails=True,
        text=("Message-Authenticator = 0x00\n"),
    )
    scene.expect("udp", 1812, "radius")
    scene.expect("udp", 1813, "radius")
