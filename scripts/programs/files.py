"""Files, terminals, screens and web pages."""

import sys
import time

from .lab import CLIENT, SERVER
from .table import program

TABLE = []


@program(
    TABLE,
    "proftpd",
    "proftpd curl lftp",
    "FTP: active and passive, EPSV and EPRT, resumed, " "refused, over TLS",
    ("proftpd", "--version"),
)
def proftpd(scene):
    certificate, key = scene.certificate()
    scene.folder.chmod(0o755)
    for name in ("files/one", "files/two"):
        scene.file(name, "contents of a file\n" * 3000)
    scene.host("chmod", "-R", "a+rwX", scene.folder / "files")
    scene.file(
        "passwd",
        f"alice:{scene.host('openssl', 'passwd', '-1', 'secret').strip()}:65534:"
        f"65534::{scene.folder}/files:/bin/sh\n",
        0o600,
    )
    scene.file("group", "nogroup:x:65534:alice\n", 0o600)
    scene.serve(
        "proftpd",
        "-n",
        "-c",
        scene.file(
            "proftpd.conf",
            f"""
ModulePath /usr/lib/proftpd
LoadModule mod_tls.c
ServerType standalone
DefaultServer on
ServerName test
User nobody
Group nogroup
AuthUserFile {scene.folder}/passwd
AuthGroupFile {scene.folder}/group
AuthPAM off
RequireValidShell off
ScoreboardFile {scene.folder}/scoreboard
PidFile {scene.folder}/pid
SystemLog {scene.folder}/log
PassivePorts 50000 50100
AllowOverwrite on
UseReverseDNS off
<IfModule mod_tls.c>
TLSEngine on
TLSRSACertificateFile {certificate}
TLSRSACertificateKeyFile {key}
TLSOptions NoSessionReuseRequired
</IfModule>
""",
        ),
        port=21,
    )
    at = f"ftp://{SERVER}"
    get = ["curl", "-sk", "-o", "/dev/null", "-u", "alice:secret"]
    for more in (
        [],
        ["--disable-epsv"],
        ["-P", CLIENT],
        ["-P", CLIENT, "--disable-eprt"],
        ["-r", "100-2000"],
        ["--ssl-reqd"],
        ["-Q", "PWD", "-Q", "FEAT"],
    ):
        scene.client(*get, *more, f"{at}/one")
        scene.client(*get, *more, f"{at}/", fails=True)
    scene.client(*get, "ftp://[fd77::1]/one")
    scene.client(*get, "-P", "-", "ftp://[fd77::1]/two")
    scene.client(
        "curl", "-s", "-u", "alice:secret", "-T", scene.file("three", "x" * 90000), f"{at}/"
    )
    scene.client("curl", "-s", "-u", "alice:wrong", f"{at}/one", fails=True)
    scene.client(
        "lftp",
        "-c",
        f"set net:timeout 5; set ssl:verify-certificate no; open -u alice,secret {SERVER}; "
        f"ls; get one -o /dev/null; put {scene.folder}/three -o four; mirror . {scene.folder}/copy; rm four",
    )
    scene.expect("tcp", 21, "ftp")
    # Data: announced while the control connection can be read, TLS where it cannot.
    scene.expect("tcp", 0, "ftp-data|tls")


@program(
    TABLE, "tftp", "atftpd atftp", "TFTP: read, write, options, errors", ("atftpd", "--version")
)
def tftp(scene):
    scene.folder.chmod(0o755)
    scene.file("boot/one", "x" * 5000, 0o644)
    scene.file("boot/two", "", 0o666)
    scene.serve(
        "atftpd",
        "--daemon",
        "--no-fork",
        "--user",
        "root.root",
        "--logfile",
        scene.folder / "log",
        scene.folder / "boot",
        port=69,
    )
    for more in (
        [],
        ["--option", "blksize 1400"],
        ["--option", "tsize", "--option", "timeout 3"],
        ["--option", "blksize 300", "--option", "windowsize 4"],
    ):
        scene.client("atftp", *more, "-g", "-r", "one", "-l", "/dev/null", SERVER, fails=True)
    scene.client("atftp", "-p", "-l", scene.file("three", "y" * 3000), "-r", "three", SERVER)
    scene.client("atftp", "-g", "-r", "none", "-l", "/dev/null", SERVER, fails=True)
    scene.expect("udp", 69, "tftp")
    scene.expect("udp", 0, "tftp")


@program(
    TABLE,
    "openssh",
    "sshd ssh sftp ssh-keygen",
    "SSH: commands, SFTP, several key exchanges",
    ("ssh", "-V"),
)
def openssh(scene):
    scene.host("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", scene.folder / "host")
    scene.host("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", scene.folder / "user")
    scene.host("mkdir", "-p", "/run/sshd")
    scene.serve(
        "/usr/sbin/sshd",
        "-D",
        "-e",
        "-f",
        scene.file(
            "sshd_config",
            f"""
HostKey {scene.folder}/host
AuthorizedKeysFile {scene.folder}/user.pub
StrictModes no
PermitRootLogin yes
UsePAM no
PidFile none
Subsystem sftp internal-sftp
""",
        ),
        port=22,
    )
    way = [
        "-i",
        scene.folder / "user",
        "-o",
        "StrictHostKeyChecking=no",
        "-o",
        f"UserKnownHostsFile={scene.folder}/known",
        "-o",
        "BatchMode=yes",
    ]
    scene.client("ssh", *way, f"root@{SERVER}", "true")
    scene.client("ssh", *way, "-C", f"root@{SERVER}", "seq 20000")
    for exchange in ("diffie-hellman-group14-sha256", "ecdh-sha2-nistp256"):
        scene.client("ssh", *way, "-o", f"KexAlgorithms={exchange}", f"root@{SERVER}", "true")
    scene.client("sftp", *way, "-b", "-", f"root@{SERVER}", text="ls\npwd\n")
    scene.client("ssh", *way, "-l", "nobody", SERVER, "true", fails=True)
    scene.client("ssh-keyscan", SERVER, fails=True)
    scene.expect("tcp", 22, "ssh")


@program(
    TABLE,
    "nginx",
    "nginx curl openssl",
    "HTTP: kept alive, pipelined, posts, chunks, HTTP/2 "
    "with and without TLS, WebSocket upgrade, errors; TLS 1.2 and 1.3",
    ("nginx", "-v"),
)
def nginx(scene):
    certificate, key = scene.certificate()
    scene.folder.chmod(0o755)
    scene.file("page.html", "<html>page</html>\n" * 500)
    scene.serve(
        "nginx",
        "-e",
        scene.folder / "error.log",
        "-p",
        scene.folder,
        "-c",
        scene.file(
            "nginx.conf",
            f"""
daemon off;
pid {scene.folder}/pid;
events {{ }}
http {{
 access_log off;
 root {scene.folder};
 client_body_temp_path {scene.folder}/body;
 proxy_temp_path {scene.folder}/proxy;
 fastcgi_temp_path {scene.folder}/fastcgi;
 uwsgi_temp_path {scene.folder}/uwsgi;
 scgi_temp_path {scene.folder}/scgi;
 ssl_certificate {certificate};
 ssl_certificate_key {key};
 server {{ listen 80; gzip on; }}
 server {{ listen 8081 http2; }}
 server {{ listen 443 ssl http2; ssl_protocols TLSv1.2 TLSv1.3; }}
}}
""",
        ),
        port=443,
    )
    plain, old = f"http://{SERVER}", f"http://{SERVER}:8081"
    scene.client("curl", "-s", *[f"{plain}/page.html?{n}" for n in range(8)])
    for more in (
        ["-I"],
        ["-0"],
        ["-d", "a=b"],
        ["-T", scene.file("up", "z" * 5000)],
        ["--compressed"],
        ["-H", "Upgrade: websocket", "-H", "Connection: Upgrade"],
        ["-X", "OPTIONS"],
        ["-H", "Transfer-Encoding: chunked", "-d", "@" + str(scene.folder / "up")],
        ["-X", "PROPFIND"],
        ["--http2"],
        ["-H", "Expect: 100-continue", "-d", "x"],
    ):
        scene.client("curl", "-s", "-o", "/dev/null", *more, f"{plain}/page.html")
    scene.client(
        "curl", "-s", "--http2-prior-knowledge", f"{old}/page.html", f"{old}/none", fails=True
    )
    for more in (["--tlsv1.3"], ["--tls-max", "1.2"], ["--http1.1"]):
        scene.client("curl", "-sk", "-o", "/dev/null", *more, f"https://{SERVER}/page.html")
    scene.client("curl", "-s", f"https://{SERVER}/page.html", fails=True)
    scene.client("curl", "-s", f"http://{SERVER}:443/", fails=True)
    scene.client(
        "bash",
        "-c",
        f"exec 3<>/dev/tcp/{SERVER}/80; printf 'GET /a HTTP/1.1\\r\\nHost: x"
        "\\r\\n\\r\\nGET /b HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n' >&3; cat <&3",
    )
    scene.expect("tcp", 80, "http")
    scene.expect("tcp", 8081, "http")
    # One of them speaks HTTP where TLS is expected.
    scene.expect("tcp", 443, "tls|http")


@program(
    TABLE,
    "squid",
    "squid curl",
    "HTTP through a proxy: requests, CONNECT, refusals",
    ("squid", "-v"),
)
def squid(scene):
    certificate, key = scene.certificate()
    scene.folder.chmod(0o777)
    scene.serve(
        "squid",
        "-N",
        "-f",
        scene.file(
            "squid.conf",
            f"""
http_port 3128
http_access allow all
pid_filename none
access_log none
cache_log {scene.folder}/cache.log
cache deny all
coredump_dir {scene.folder}
pinger_enable off
""",
        ),
        port=3128,
    )
    scene.serve(
        "openssl",
        "s_server",
        "-quiet",
        "-accept",
        "4433",
        "-www",
        "-cert",
        certificate,
        "-key",
        key,
        port=4433,
    )
    scene.serve(sys.executable, "-m", "http.server", "8000", port=8000)
    through = ["-s", "-o", "/dev/null", "-k", "-x", f"http://{SERVER}:3128"]
    for address in (f"http://{SERVER}:8000/", f"https://{SERVER}:4433/", f"http://{SERVER}:9/"):
        scene.client("curl", *through, address, fails=True)
    scene.client("curl", *through, "-p", f"http://{SERVER}:8000/", fails=True)
    scene.expect("tcp", 3128, "http")


@program(TABLE, "vnc", "Xtigervnc vncviewer", "remote framebuffer", ("Xtigervnc", "-version"))
def vnc(scene):
    scene.serve(
        "Xtigervnc",
        ":7",
        "-geometry",
        "640x480",
        "-SecurityTypes",
        "None,VncAuth",
        "-rfbport",
        "5907",
        port=5907,
    )
    scene.behind("Xvfb", ":17", "-screen", "0", "800x600x24", "-nolisten", "tcp")
    time.sleep(2)
    scene.client("timeout", "4", "vncviewer", f"{SERVER}::5907", env={"DISPLAY": ":17"}, fails=True)
    scene.expect("tcp", 5907, "rfb")


@program(
    TABLE,
    "xrdp",
    "xrdp xfreerdp Xvfb",
    "RDP: RDP security, TLS, NLA asked for and refused",
    ("xrdp", "--version"),
)
def xrdp(scene):
    certificate, key = scene.certificate()
    text = open("/etc/xrdp/xrdp.ini").read()
    text = text.replace("certificate=", f"certificate={certificate}", 1)
    text = text.replace("key_file=", f"key_file={key}", 1)
    text = text.replace("LogFile=xrdp.log", f"LogFile={scene.folder}/log")
    scene.serve("xrdp", "-n", "-c", scene.file("xrdp.ini", text), port=3389)
    scene.behind("Xvfb", ":18", "-screen", "0", "800x600x24", "-nolisten", "tcp")
    time.sleep(2)
    for security in ("rdp", "tls", "nla"):
        scene.client(
            "timeout",
            "4",
            "xfreerdp",
            f"/v:{SERVER}",
            "/u:alice",
            "/p:secret",
            "/cert:ignore",
            f"/sec:{security}",
            env={"DISPLAY": ":18", "HOME": str(scene.folder)},
            fails=True,
        )
    scene.expect("tcp", 3389, "rdp")
