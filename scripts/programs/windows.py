"""A domain as Windows has it: directory, logon, files, remote procedure calls."""

import time

from .lab import SERVER
from .table import program

TABLE = []
WORD = "Passw0rd!x"
WHO = f"Administrator%{WORD}"


def domain(scene):
    """Starts a domain controller; answers the environment of a member."""
    home = scene.folder / "ad"
    scene.host(
        "samba-tool",
        "domain",
        "provision",
        f"--targetdir={home}",
        "--realm=AD.TEST",
        "--domain=AD",
        f"--adminpass={WORD}",
        "--server-role=dc",
        "--host-name=server",
        "--dns-backend=SAMBA_INTERNAL",
        f"--host-ip={SERVER}",
        "--option=interfaces=lo wire",
        "--option=bind interfaces only=yes",
    )
    certificate, key = scene.certificate()
    scene.host("mkdir", "-p", "-m", "755", home / "ncalrpc", home / "winbindd", home / "run")
    scene.folder.chmod(0o755)
    configuration = home / "etc/smb.conf"
    configuration.write_text(
        configuration.read_text().replace(
            "[global]",
            f"""[global]
 tls certfile = {certificate}
 tls keyfile = {key}
 tls cafile =
 server min protocol = NT1
 ntlm auth = ntlmv1-permitted
 ldap server require strong auth = no
 log file = {home}/log
 pid directory = {home}/run
 ncalrpc dir = {home}/ncalrpc
 winbindd socket directory = {home}/winbindd
""",
        )
    )
    # Samba refuses a key that others may read.
    scene.host("chmod", "600", key)
    scene.serve("samba", "-F", "--no-process-group", "-s", configuration, port=135)
    scene.until(
        lambda: all(map(scene.listens, (445, 3268, 88, 464))),
        "the domain controller does not listen",
    )
    time.sleep(3)
    kerberos = scene.file(
        "krb5.conf",
        f"""
[libdefaults]
 default_realm = AD.TEST
 dns_lookup_kdc = false
 dns_lookup_realm = false
 rdns = false
 dns_canonicalize_hostname = false
[realms]
 AD.TEST = {{
  kdc = {SERVER}
  admin_server = {SERVER}
  kpasswd_server = {SERVER}
 }}
[domain_realm]
 .ad.test = AD.TEST
""",
    )
    scene.file(
        "smb.conf",
        f"""[global]
 workgroup = AD
 realm = AD.TEST
 private dir = {scene.folder}
 lock directory = {scene.folder}
 state directory = {scene.folder}
 cache directory = {scene.folder}
 client min protocol = NT1
 client ldap sasl wrapping = plain
""",
    )
    return {
        "KRB5_CONFIG": kerberos,
        "KRB5CCNAME": f"FILE:{scene.folder}/ticket",
        "SMB_CONF_PATH": str(scene.folder / "smb.conf"),
        "KRB5_TRACE": str(scene.folder / "trace"),
    }


@program(
    TABLE,
    "samba-files",
    "smbd nmbd smbclient nmblookup rpcclient smbpasswd",
    "SMB 1, 2 and 3 with and without encryption, over NetBIOS, calls through pipes, signed; names "
    "and datagrams of NetBIOS",
    ("smbd", "--version"),
)
def samba_files(scene):
    home = scene.folder
    scene.file("share/one", "contents " * 4000)
    for name in ("private", "lock", "state", "cache", "run", "ncalrpc"):
        scene.host("mkdir", "-m", "755", home / name)
    configuration = scene.file(
        "smb.conf",
        f"""[global]
 workgroup = GROUP
 netbios name = SERVER
 interfaces = wire
 bind interfaces only = yes
 server min protocol = NT1
 client min protocol = NT1
 private dir = {home}/private
 lock directory = {home}/lock
 state directory = {home}/state
 cache directory = {home}/cache
 pid directory = {home}/run
 ncalrpc dir = {home}/ncalrpc
 log file = {home}/log
 domain master = yes
 local master = yes
 os level = 200
[share]
 path = {home}/share
 read only = no
""",
    )
    env = {"SMB_CONF_PATH": configuration}
    scene.host("smbpasswd", "-c", configuration, "-s", "-a", "root", text=f"{WORD}\n{WORD}\n")
    scene.serve("nmbd", "-F", "--no-process-group", "-s", configuration, port=137)
    scene.serve("smbd", "-F", "--no-process-group", "-s", configuration, port=445)
    file, who = scene.file("file", "contents " * 4000), ["-U", f"root%{WORD}"]
    for dialect in ("NT1", "SMB2_02", "SMB2_10", "SMB3_00", "SMB3_11"):
        for more in ([], ["-p", "139"]):
            scene.client(
                "smbclient",
                f"//{SERVER}/share",
                *who,
                "-m",
                dialect,
                *more,
                "-c",
                f"ls; put {file} file; get file back; rm file",
                env=env,
            )
    for protection in ("sign", "encrypt"):
        scene.client(
            "smbclient",
            f"//{SERVER}/share",
            *who,
            "-m",
            "SMB3",
            "-c",
            "ls",
            f"--client-protection={protection}",
            env=env,
        )
    scene.client("smbclient", "-L", SERVER, "-N", env=env, fails=True)
    scene.client("smbclient", "-L", SERVER, *who, "-m", "NT1", env=env)
    scene.client(
        "smbclient", f"//{SERVER}/none", "-U", "nobody%wrong", "-c", "ls", env=env, fails=True
    )
    for command in ("srvinfo", "enumdomusers", "lsaquery", "netshareenumall", "enumprinters"):
        scene.client("rpcclient", *who, SERVER, "-c", command, env=env, fails=True)
    scene.client("nmblookup", "-U", SERVER, "SERVER", env=env)
    scene.client("nmblookup", "-A", SERVER, env=env)
    scene.client("nmblookup", "-B", "10.77.0.255", "GROUP", env=env, fails=True)
    time.sleep(8)
    scene.expect("tcp", 445, "smb")
    scene.expect("tcp", 139, "smb")
    scene.expect("udp", 137, "nbns", either=True)
    scene.expect("udp", 138, "nbdgm", either=True)


@program(
    TABLE,
    "samba-calls",
    "samba samba-tool rpcclient net",
    "DCE/RPC: endpoint mapper and dynamic ports, signed and sealed by NTLM; replication",
    ("samba", "--version"),
)
def samba_calls(scene):
    env = domain(scene)
    for command in ("lsaquery", "enumdomusers", "srvinfo", "getusername", "epmmap samr"):
        scene.client("rpcclient", "-U", WHO, SERVER, "-c", command, env=env, fails=True)
    for binding, command in (
        ("[]", "lsaquery"),
        ("[sign]", "enumdomusers"),
        ("[seal]", "enumdomusers"),
        ("[seal,krb5]", "enumdomusers"),
        ("[seal]", "dsgetdcinfo"),
        ("[seal]", "getusername"),
    ):
        scene.client(
            "rpcclient",
            "-U",
            WHO,
            (
                f"ncacn_ip_tcp:server.ad.test{binding}"
                if "krb5" in binding
                else f"ncacn_ip_tcp:{SERVER}{binding}"
            ),
            "-c",
            command,
            env=env,
            fails=True,
        )
    scene.client(
        "samba-tool",
        "drs",
        "showrepl",
        SERVER,
        "-U",
        WHO,
        "-s",
        scene.folder / "smb.conf",
        env=env,
        fails=True,
    )
    scene.client(
        "samba-tool",
        "dns",
        "zonelist",
        SERVER,
        "-U",
        WHO,
        "-s",
        scene.folder / "smb.conf",
        env=env,
        fails=True,
    )
    scene.client("net", "rpc", "info", "-S", SERVER, "-U", WHO, env=env, fails=True)
    scene.expect("tcp", 135, "dcerpc")
    scene.expect("tcp", 445, "smb")
    for port in range(49152, 49180):
        scene.expect("tcp", port, "dcerpc")
    scene.expect("tcp", 389, "ldap")
    scene.expect("udp", 137, "nbns", either=True)


@program(
    TABLE,
    "samba-directory",
    "samba samba-tool ldapsearch kinit kpasswd net dig",
    "LDAP: simple, signed and sealed, StartTLS, TLS, global catalog, over UDP; Kerberos and "
    "password change; DNS",
    ("samba", "--version"),
)
def samba_directory(scene):
    env = {**domain(scene), "LDAPTLS_REQCERT": "never"}
    base = ["-b", "DC=ad,DC=test", "(objectClass=*)", "cn"]
    simple = ["-x", "-D", "Administrator@ad.test", "-w", WORD]
    scene.client("ldapsearch", "-x", "-H", f"ldap://{SERVER}", "-s", "base", "-b", "", env=env)
    scene.client("ldapsearch", *simple, "-H", f"ldap://{SERVER}", *base, env=env)
    scene.client(
        "ldapsearch", *simple, "-H", f"ldap://{SERVER}", "-E", "pr=50/noprompt", *base, env=env
    )
    scene.client("ldapsearch", *simple, "-ZZ", "-H", f"ldap://{SERVER}", *base, env=env)
    scene.client("ldapsearch", *simple, "-H", f"ldaps://{SERVER}", *base, env=env)
    scene.client("ldapsearch", *simple, "-H", f"ldap://{SERVER}:3268", *base, env=env)
    scene.client("ldapsearch", *simple, "-H", f"ldaps://{SERVER}:3269", *base, env=env)
    for wrapping in ("plain", "sign", "seal"):
        scene.client(
            "samba-tool",
            "user",
            "list",
            "-H",
            f"ldap://{SERVER}",
            "-U",
            WHO,
            f"--option=client ldap sasl wrapping={wrapping}",
            env=env,
            fails=True,
        )
    scene.client("kinit", "Administrator@AD.TEST", text=WORD + "\n", env=env)
    scene.client("kvno", "ldap/server.ad.test@AD.TEST", env=env, fails=True)
    scene.client("kinit", "none@AD.TEST", text="x\n", env=env, fails=True)
    by_tcp = scene.file(
        "tcp.conf",
        open(env["KRB5_CONFIG"]).read().replace("rdns", "udp_preference_limit = 1\n rdns"),
    )
    by_udp = scene.file(
        "udp.conf",
        open(env["KRB5_CONFIG"]).read().replace("rdns", "udp_preference_limit = 9000\n rdns"),
    )
    word = WORD
    for number, configuration in enumerate((by_tcp, by_udp)):
        new = f"N3wPass!{number}xyz"
        scene.client(
            "kinit",
            "Administrator@AD.TEST",
            text=word + "\n",
            env={**env, "KRB5_CONFIG": configuration},
        )
        scene.client(
            "kpasswd",
            "Administrator@AD.TEST",
            text=f"{word}\n{new}\n{new}\n",
            env={**env, "KRB5_CONFIG": configuration},
            fails=True,
        )
        scene.client(
            "kinit",
            "Administrator@AD.TEST",
            text=word + "\n",
            env={**env, "KRB5_CONFIG": configuration},
            fails=True,
        )
    scene.client("net", "ads", "info", "-S", SERVER, env=env, fails=True)
    scene.client("net", "ads", "lookup", "-S", SERVER, env=env, fails=True)
    scene.client("dig", f"@{SERVER}", "_ldap._tcp.dc._msdcs.ad.test", "SRV")
    scene.client("dig", "+tcp", f"@{SERVER}", "_ldap._tcp.dc._msdcs.ad.test", "SRV")
    for transport in ("tcp", "udp"):
        scene.expect(transport, 389, "ldap")
        scene.expect(transport, 88, "kerberos")
        scene.expect(transport, 53, "dns")
    scene.expect("tcp", 464, "kpasswd")
    scene.expect("tcp", 636, "tls")
    scene.expect("tcp", 3268, "ldap")
    scene.expect("tcp", 3269, "tls")
    scene.expect("udp", 137, "nbns", either=True)


@program(
    TABLE,
    "openldap",
    "slapd ldapsearch ldapadd ldapmodify ldappasswd",
    "LDAP: anonymous, simple, SASL, StartTLS, TLS, add, modify, compare, delete, paged",
    ("slapd", "-VV"),
)
def openldap(scene):
    certificate, key = scene.certificate()
    scene.file("db/empty")
    configuration = scene.file(
        "slapd.conf",
        f"""
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
pidfile {scene.folder}/pid
modulepath /usr/lib/ldap
moduleload back_mdb
TLSCertificateFile {certificate}
TLSCertificateKeyFile {key}
password-hash {{CLEARTEXT}}
authz-regexp "uid=([^,]*),cn=[^,]*,cn=auth" "cn=$1,dc=test"
database mdb
suffix "dc=test"
rootdn "cn=admin,dc=test"
rootpw secret
directory {scene.folder}/db
""",
    )
    scene.serve("slapd", "-d", "0", "-f", configuration, "-h", "ldap:/// ldaps:///", port=389)
    env = {"LDAPTLS_REQCERT": "never"}
    admin = ["-x", "-D", "cn=admin,dc=test", "-w", "secret", "-H", f"ldap://{SERVER}"]
    people = "".join(
        f"\ndn: cn=user{n},dc=test\nobjectClass: inetOrgPerson\ncn: user{n}\nsn: {n}\n"
        f"userPassword: secret\n"
        for n in range(60)
    )
    scene.client(
        "ldapadd",
        *admin,
        env=env,
        text="dn: dc=test\nobjectClass: dcObject\n"
        "objectClass: organization\no: test\ndc: test\n" + people,
    )
    for more in ([], ["-ZZ"], ["-E", "pr=7/noprompt"], ["-s", "base"]):
        scene.client("ldapsearch", *admin, *more, "-b", "dc=test", env=env)
    scene.client("ldapsearch", "-x", "-H", f"ldap://{SERVER}", "-b", "dc=test", env=env)
    scene.client("ldapsearch", "-x", "-H", f"ldaps://{SERVER}", "-b", "dc=test", env=env)
    scene.client(
        "ldapsearch",
        "-Y",
        "DIGEST-MD5",
        "-U",
        "user1",
        "-w",
        "secret",
        "-H",
        f"ldap://{SERVER}",
        "-b",
        "dc=test",
        env=env,
        fails=True,
    )
    scene.client(
        "ldapsearch",
        "-x",
        "-D",
        "cn=user1,dc=test",
        "-w",
        "wrong",
        "-H",
        f"ldap://{SERVER}",
        env=env,
        fails=True,
    )
    scene.client(
        "ldapmodify",
        *admin,
        env=env,
        text="dn: cn=user1,dc=test\nchangetype: modify\n" "replace: sn\nsn: other\n",
    )
    scene.client("ldapcompare", *admin, "cn=user1,dc=test", "sn:other", env=env, fails=True)
    scene.client("ldapwhoami", *admin, env=env)
    scene.client("ldappasswd", *admin, "-s", "new", "cn=user1,dc=test", env=env)
    scene.client("ldapdelete", *admin, "cn=user2,dc=test", env=env)
    scene.expect("tcp", 389, "ldap")
    scene.expect("tcp", 636, "tls")


@program(
    TABLE,
    "mit-kerberos",
    "krb5kdc kadmind kdb5_util kadmin.local kinit kpasswd kvno",
    "Kerberos and password change",
    ("dpkg-query", "-W", "krb5-kdc"),
)
def mit_kerberos(scene):
    base = f"""
[libdefaults]
 default_realm = MIT.TEST
 dns_lookup_kdc = false
 rdns = false
 dns_canonicalize_hostname = false
 udp_preference_limit = {{}}
[realms]
 MIT.TEST = {{{{
  kdc = {SERVER}
  admin_server = {SERVER}
  database_name = {scene.folder}/db
  acl_file = {scene.file("acl", "*/admin *")}
  key_stash_file = {scene.folder}/stash
 }}}}
"""
    udp, tcp = scene.file("udp.conf", base.format(9000)), scene.file("tcp.conf", base.format(1))
    env = {"KRB5_CONFIG": udp, "KRB5_KDC_PROFILE": udp, "KRB5CCNAME": f"FILE:{scene.folder}/ticket"}
    scene.host("kdb5_util", "create", "-s", "-P", "master", env=env)
    for name in ("alice", "bob"):
        scene.host("kadmin.local", "addprinc", "-pw", "secret1", "+requires_preauth", name, env=env)
    scene.host("kadmin.local", "addprinc", "-randkey", "host/server.test", env=env)
    scene.serve("krb5kdc", "-n", "-P", scene.folder / "pid", port=88, env=env)
    scene.serve("kadmind", "-nofork", port=464, env=env)
    for name, way in (("alice", udp), ("bob", tcp)):
        more = {**env, "KRB5_CONFIG": way}
        scene.client("kinit", name, text="secret1\n", env=more)
        scene.client("kvno", "host/server.test", env=more)
        scene.client("kinit", name, text="wrong\n", env=more, fails=True)
        scene.client("kpasswd", name, text="secret1\nother22\nother22\n", env=more)
    scene.client("kadmin", "-p", "alice", "-w", "other22", "-q", "listprincs", env=env, fails=True)
    for transport in ("tcp", "udp"):
        scene.expect(transport, 88, "kerberos")
    scene.expect("tcp", 464, "kpasswd")
    scene.expect("tcp", 749, "sunrpc")
