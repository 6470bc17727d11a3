"""Mail: sending and fetching."""

from .lab import SERVER
from .table import program

TABLE = []


@program(
    TABLE,
    "postfix",
    "postfix swaks",
    "SMTP: plain, pipelined, refused, STARTTLS, TLS",
    ("postconf", "-d", "mail_version"),
)
def postfix(scene):
    certificate, key = scene.certificate()
    home = scene.folder / "postfix"
    scene.host("cp", "-r", "/etc/postfix", home)
    for name in ("queue", "data"):
        scene.file(f"{name}/empty")
    scene.file(
        "postfix/main.cf",
        f"""
compatibility_level = 3.6
queue_directory = {scene.folder}/queue
data_directory = {scene.folder}/data
maillog_file = {scene.folder}/mail.log
maillog_file_prefixes = /
myhostname = server.test
mydestination = server.test
local_recipient_maps =
inet_interfaces = all
mynetworks = 10.77.0.0/24
default_transport = discard
local_transport = discard
alias_maps =
smtpd_tls_cert_file = {certificate}
smtpd_tls_key_file = {key}
smtpd_tls_security_level = may
""",
    )
    scene.file(
        "postfix/master.cf",
        """
smtp inet n - n - - smtpd
smtps inet n - n - - smtpd -o smtpd_tls_wrappermode=yes
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
anvil unix - - n - 1 anvil
discard unix - - n - - discard
tlsmgr unix - - n 1000? 1 tlsmgr
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
proxymap unix - - n - - proxymap
error unix - - n - - error
""",
    )
    scene.folder.chmod(0o755)
    scene.host("chown", "-R", "postfix", scene.folder / "data")
    scene.serve("postfix", "-c", home, "start-fg", port=25)
    at = ["--server", SERVER, "--from", "a@client.test", "--to", "b@server.test", "--silent"]
    for more in (
        [],
        ["--pipeline"],
        ["--protocol", "SMTP"],
        ["--tls"],
        ["--tls-on-connect"],
        ["--quit-after", "RCPT"],
        ["--quit-after", "BANNER"],
        ["--body", "long line " * 900],
        ["--pipeline", "--tls"],
    ):
        scene.client("swaks", *at, *more, fails="--quit-after" in more)
    scene.client("swaks", *at, "--from", "not an address <", fails=True)
    scene.client(
        "smtp-source",
        "-s",
        "3",
        "-m",
        "9",
        "-l",
        "20000",
        "-f",
        "a@client.test",
        "-t",
        "b@server.test",
        f"{SERVER}:25",
        fails=True,
    )
    scene.client(
        "curl",
        "-s",
        f"smtp://{SERVER}/client.test",
        "--mail-from",
        "a@client.test",
        "--mail-rcpt",
        "b@server.test",
        "-T",
        scene.file("mail", "Subject: x\r\n\r\nx\r\n"),
    )
    scene.expect("tcp", 25, "smtp")
    scene.expect("tcp", 465, "tls")


@program(
    TABLE,
    "dovecot",
    "dovecot curl openssl",
    "IMAP and POP3: plain, STARTTLS, TLS, refused",
    ("dovecot", "--version"),
)
def dovecot(scene):
    certificate, key = scene.certificate()
    scene.folder.chmod(0o755)
    mail = "From a@test Thu Jan  1 00:00:00 2026\nSubject: hello\n\nHello\n\n"
    scene.file("home/inbox", mail * 20, 0o666)
    scene.host("chmod", "-R", "a+rwX", scene.folder / "home")
    scene.serve(
        "dovecot",
        "-F",
        "-c",
        scene.file(
            "dovecot.conf",
            f"""
base_dir = {scene.folder}/run
log_path = {scene.folder}/log
protocols = imap pop3
ssl = yes
ssl_cert = <{certificate}
ssl_key = <{key}
disable_plaintext_auth = no
mail_location = mbox:{scene.folder}/home:INBOX={scene.folder}/home/inbox
mail_uid = nobody
mail_gid = nogroup
first_valid_uid = 1
default_internal_user = nobody
default_login_user = nobody
default_internal_group = nogroup
service anvil {{
 chroot =
}}
service imap-login {{
 chroot =
}}
service pop3-login {{
 chroot =
}}
passdb {{
 driver = static
 args = password=secret
}}
userdb {{
 driver = static
 args = uid=65534 gid=65534 home={scene.folder}/home
}}
""",
        ),
        port=143,
    )
    for scheme, more in (
        ("imap", []),
        ("imap", ["--ssl-reqd"]),
        ("imaps", []),
        ("pop3", []),
        ("pop3", ["--ssl-reqd"]),
        ("pop3s", []),
    ):
        for what in ("", "INBOX;MAILINDEX=1") if "imap" in scheme else ("", "1"):
            scene.client("curl", "-sk", "-u", "alice:secret", *more, f"{scheme}://{SERVER}/{what}")
        scene.client("curl", "-sk", "-u", "alice:wrong", *more, f"{scheme}://{SERVER}/", fails=True)
    for request in ("EXAMINE INBOX", "FETCH 1:20 (FLAGS BODY[])", 'SEARCH SUBJECT "hello"', "NOOP"):
        scene.client("curl", "-s", "-u", "alice:secret", f"imap://{SERVER}/INBOX", "-X", request)
    scene.client("curl", "-s", "-u", "alice:secret", f"pop3://{SERVER}/", "-X", "UIDL")
    scene.client(
        "curl",
        "-s",
        "-u",
        "alice:secret",
        "--login-options",
        "AUTH=PLAIN",
        f"pop3://{SERVER}/",
        "-X",
        "STAT",
        fails=True,
    )
    for port, name in ((143, "imap"), (110, "pop3"), (993, "tls"), (995, "tls")):
        scene.expect("tcp", port, name)
