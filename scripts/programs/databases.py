"""Databases, and protocols that portolan has no name for."""

import time

from .lab import SERVER
from .table import program

TABLE = []


@program(
    TABLE,
    "mariadb",
    "mariadbd mariadb mariadb-install-db",
    "MySQL: passwords, TLS, compressed, refused",
    ("mariadbd", "--version"),
)
def mariadb(scene):
    certificate, key = scene.certificate()
    home = scene.folder / "db"
    scene.host(
        "mariadb-install-db",
        "--no-defaults",
        f"--datadir={home}",
        "--user=root",
        "--auth-root-authentication-method=normal",
    )
    start = scene.file(
        "start.sql",
        "CREATE USER 'alice'@'%' IDENTIFIED BY 'secret';\n" "GRANT ALL ON *.* TO 'alice'@'%';\n",
    )
    scene.serve(
        "mariadbd",
        "--no-defaults",
        f"--datadir={home}",
        "--user=root",
        f"--ssl-cert={certificate}",
        f"--ssl-key={key}",
        f"--socket={scene.folder}/socket",
        "--bind-address=0.0.0.0",
        "--skip-name-resolve",
        f"--init-file={start}",
        f"--pid-file={scene.folder}/pid",
        port=3306,
    )
    time.sleep(1)
    as_alice = ["mariadb", "--no-defaults", "-h", SERVER, "-u", "alice"]
    for more in (
        ["--skip-ssl"],
        ["--ssl", "--ssl-verify-server-cert=0"],
        ["--skip-ssl", "--compress"],
    ):
        scene.client(
            *as_alice,
            "-psecret",
            *more,
            "-e",
            "SELECT 1; SELECT seq FROM mysql.user, " "(SELECT 1 seq) s; SHOW VARIABLES",
        )
    scene.client(*as_alice, "-pwrong", "--skip-ssl", "-e", "SELECT 1", fails=True)
    scene.client(
        "mariadb-admin",
        "--no-defaults",
        "-h",
        SERVER,
        "-u",
        "alice",
        "-psecret",
        "--skip-ssl",
        "ping",
    )
    scene.expect("tcp", 3306, "mysql")


@program(
    TABLE,
    "postgresql",
    "postgres initdb psql",
    "PostgreSQL: TLS refused and accepted, passwords, " "cancelled, refused",
    ("postgres", "--version"),
)
def postgresql(scene):
    certificate, key = scene.certificate()
    home = scene.folder / "db"
    scene.host("chmod", "777", scene.folder)
    word = scene.file("word", "secret\n")
    as_user = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]
    scene.host(
        *as_user, "initdb", "-D", home, "-U", "alice", "-A", "scram-sha-256", f"--pwfile={word}"
    )
    scene.host("install", "-o", "nobody", "-m", "600", key, scene.folder / "own.pem")
    (home / "pg_hba.conf").write_text("host all all 10.77.0.0/24 scram-sha-256\n")
    server = [*as_user, "postgres", "-D", home, "-k", scene.folder, "-h", "*"]
    for more in (
        [],
        [
            "-c",
            "ssl=on",
            "-c",
            f"ssl_cert_file={certificate}",
            "-c",
            f"ssl_key_file={scene.folder}/own.pem",
        ],
    ):
        running = scene.serve(*server, *more, port=5432)
        at = f"host={SERVER} user=alice dbname=postgres"
        for word, mode in (("secret", "prefer"), ("secret", "disable"), ("wrong", "prefer")):
            scene.client(
                "psql",
                f"{at} sslmode={mode}",
                "-c",
                "SELECT * FROM pg_class",
                fails=word == "wrong",
                env={"PGPASSWORD": word},
            )
        scene.client(
            "timeout",
            "-s",
            "INT",
            "1",
            "psql",
            f"{at} sslmode=disable",
            "-c",
            "SELECT pg_sleep(9)",
            env={"PGPASSWORD": "secret"},
            fails=True,
        )
        scene.end(running)
    scene.expect("tcp", 5432, "postgres")


@program(
    TABLE,
    "freetds",
    "tsql nc",
    "TDS: pre-login and login of two versions, to a server that does " "not answer",
    ("tsql", "-C"),
)
def freetds(scene):
    scene.serve("nc", "-lk", "1433", port=1433)
    for version in ("7.0", "7.1", "7.2", "7.4", "5.0"):
        scene.client(
            "timeout",
            "2",
            "tsql",
            "-H",
            SERVER,
            "-p",
            "1433",
            "-U",
            "sa",
            "-P",
            "secret",
            env={"TDSVER": version},
            fails=True,
        )
    scene.expect("tcp", 1433, "tds")


@program(
    TABLE,
    "redis",
    "redis-server redis-cli",
    "Redis, which must stay without a name",
    ("redis-server", "--version"),
)
def redis(scene):
    scene.serve(
        "redis-server",
        "--port",
        "6379",
        "--protected-mode",
        "no",
        "--save",
        "",
        "--dir",
        scene.folder,
        port=6379,
    )
    for command in (
        ["ping"],
        ["set", "a", "b"],
        ["get", "a"],
        ["info"],
        ["client", "list"],
        ["bad"],
        ["lrange", "none", "0", "-1"],
        ["command"],
        ["-3", "hgetall", "x"],
    ):
        scene.client("redis-cli", "-h", SERVER, *command, fails=True)
    scene.client(
        "redis-benchmark", "-h", SERVER, "-q", "-n", "200", "-c", "5", "-P", "4", fails=True
    )
    scene.expect("tcp", 6379, "")


@program(
    TABLE,
    "mosquitto",
    "mosquitto mosquitto_pub mosquitto_sub",
    "MQTT 3.1, 3.1.1 and 5, which must " "stay without a name",
    ("mosquitto", "-h"),
)
def mosquitto(scene):
    scene.serve(
        "mosquitto",
        "-c",
        scene.file("m.conf", "listener 1883\nallow_anonymous true\nuser root\n"),
        port=1883,
    )
    for version in ("mqttv31", "mqttv311", "mqttv5"):
        scene.behind("mosquitto_sub", "-h", SERVER, "-V", version, "-t", "#", "-q", "2")
    time.sleep(1)
    for version in ("mqttv31", "mqttv311", "mqttv5"):
        for number in range(5):
            scene.client(
                "mosquitto_pub",
                "-h",
                SERVER,
                "-V",
                version,
                "-t",
                "a/b",
                "-q",
                str(number % 3),
                "-m",
                f"message {number}",
            )
    scene.expect("tcp", 1883, "")


@program(
    TABLE,
    "memcached",
    "memcached nc",
    "memcached in text, which must stay without a name",
    ("memcached", "-V"),
)
def memcached(scene):
    scene.serve("memcached", "-u", "root", "-p", "11211", "-U", "11211", port=11211)
    for text in (
        "stats\r\nquit\r\n",
        "set a 0 0 3\r\nabc\r\nget a\r\nquit\r\n",
        "version\r\nflush_all\r\nquit\r\n",
        "bad\r\nquit\r\n",
    ):
        scene.client("nc", "-q", "1", SERVER, "11211", text=text)
    scene.expect("tcp", 11211, "")


@program(
    TABLE,
    "iperf",
    "iperf3",
    "bulk data of one pattern over TCP and UDP, which must stay without a name",
    ("iperf3", "--version"),
)
def iperf(scene):
    scene.serve("iperf3", "-s", port=5201)
    for more in (
        [],
        ["-R"],
        ["-u", "-b", "1M"],
        ["-u", "-b", "1M", "-l", "172"],
        ["-u", "-R", "-b", "1M"],
    ):
        scene.client("iperf3", "-c", SERVER, "-n", "300K", *more, fails=True)
    scene.expect("tcp", 5201, "")
    scene.expect("udp", 5201, "")
