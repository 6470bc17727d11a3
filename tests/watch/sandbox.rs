//! What a watch gives up before it reads packets, tried by this program itself: run again, it
//! gives up the same and then tries what an intruder would.

use std::env;
use std::io;
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::sync::mpsc::channel;
use std::thread;

use portolan::live;

use super::*;

/// Names the folder in which `tries_when_asked` tries.
const FOLDER: &str = "PORTOLAN_SANDBOX_FOLDER";

/// The error number of what must not succeed.
fn refused<T>(what: &str, tried: io::Result<T>) -> i32 {
    let error = tried.err().unwrap_or_else(|| panic!("{what} is possible"));
    error.raw_os_error().unwrap_or_else(|| panic!("{what}: {error}"))
}

/// Tries files that are needed and, where the kernel keeps them apart, others.
fn try_files(folder: &Path, has_landlock: bool) {
    const EACCES: i32 = 13;
    assert_eq!(fs::read_to_string(folder.join("read/rules")).unwrap(), "rules");
    fs::write(folder.join("write/report.unfinished"), "report").unwrap();
    fs::rename(folder.join("write/report.unfinished"), folder.join("write/report")).unwrap();
    if has_landlock {
        assert_eq!(refused("reading", fs::read(folder.join("other/secret"))), EACCES);
        assert_eq!(refused("writing", fs::write(folder.join("other/new"), "")), EACCES);
        assert_eq!(refused("changing rules", fs::write(folder.join("read/rules"), "")), EACCES);
        assert_eq!(refused("reading accounts", fs::read("/etc/passwd")), EACCES);
    }
}

fn try_calls(listening: std::net::SocketAddr) {
    const ENOSYS: i32 = 38;
    let tries = [
        ("a datagram socket", refused("a datagram socket", UdpSocket::bind("127.0.0.1:0"))),
        ("a listener", refused("a listener", TcpListener::bind("127.0.0.1:0"))),
        ("a connection", refused("a connection", TcpStream::connect(listening))),
        ("a local socket", refused("a local socket", UnixDatagram::unbound())),
        ("a pair of sockets", refused("a pair of sockets", UnixStream::pair())),
        ("a program", refused("a program", Command::new("/bin/true").spawn())),
    ];
    for (what, number) in tries {
        assert_eq!(number, ENOSYS, "{what}");
    }
    use nix::sched::{CloneFlags, unshare};
    use nix::sys::{ptrace, signal};
    use nix::unistd::{Pid, chroot, setuid};
    let tries = [
        ("tracing", ptrace::traceme().err()),
        ("a namespace", unshare(CloneFlags::CLONE_NEWUSER).err()),
        ("another root", chroot("/").err()),
        ("another user", setuid(nix::unistd::Uid::current()).err()),
        ("a signal", signal::kill(Pid::parent(), None).err()),
    ];
    for (what, error) in tries {
        assert_eq!(error, Some(nix::errno::Errno::ENOSYS), "{what}");
    }
}

/// The trying program: does nothing unless it is asked through the environment.
#[test]
fn tries_when_asked() {
    let Some(folder) = env::var_os(FOLDER).map(PathBuf::from) else { return };
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    // A thread that is there before.
    let (go, wait_to_go) = channel();
    let before = thread::spawn(move || {
        wait_to_go.recv().unwrap();
        try_calls(address);
    });
    let paths = live::Paths { read: vec![folder.join("read")], write: vec![folder.join("write")] };
    let has_landlock = live::confine(&paths).unwrap() != live::Confinement::Missing;
    live::restrict_calls(false).unwrap();
    try_files(&folder, has_landlock);
    try_calls(address);
    go.send(()).unwrap();
    before.join().unwrap();
    // What a watch goes on to do.
    thread::spawn(move || try_calls(address)).join().unwrap();
    say(if has_landlock { "kept apart from files" } else { "the kernel has no Landlock" });
}

/// Names the socket of a system log that `reaches_the_system_log_when_asked` writes to.
const LOG: &str = "PORTOLAN_SANDBOX_LOG";

/// The same program where events go to the system log: does nothing unless it is asked.
#[test]
fn reaches_the_system_log_when_asked() {
    let Some(log) = env::var_os(LOG).map(PathBuf::from) else { return };
    live::restrict_calls(true).unwrap();
    let socket = UnixDatagram::unbound().unwrap();
    socket.connect(&log).unwrap();
    socket.send(b"found").unwrap();
    refused("a datagram socket", UdpSocket::bind("127.0.0.1:0"));
    refused("a program", Command::new("/bin/true").spawn());
}

#[test]
fn the_system_log_is_found_again_and_nothing_else() {
    let post = Post::new();
    let daemon = UnixDatagram::bind(post.path("log")).unwrap();
    daemon.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", "watch::sandbox::reaches_the_system_log_when_asked"]);
    let output = command.env(LOG, post.path("log")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    let mut buffer = [0; 8];
    let length = daemon.recv(&mut buffer).unwrap();
    assert_eq!(buffer[..length], *b"found");
}

#[expect(clippy::print_stdout, reason = "a test says what it could not try")]
fn say(text: &str) {
    println!("{text}");
}

#[test]
fn other_files_sockets_processes_and_programs_are_out_of_reach() {
    let post = Post::new();
    for folder in ["read", "write", "other"] {
        fs::create_dir(post.path(folder)).unwrap();
    }
    post.write("read/rules", "rules");
    post.write("other/secret", "secret");
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", "watch::sandbox::tries_when_asked", "--nocapture"]);
    let output = command.env(FOLDER, post.folder.path()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let failed = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("1 passed"), "{said}{failed}");
    if said.contains("no Landlock") {
        say("files were not tried: the kernel has no Landlock");
    }
}

/// Whatever thread it starts, a watch that runs can make no other system calls.
#[test]
fn every_thread_of_a_watch_is_restricted() {
    let post = Post::new();
    post.write("in.pcap", an_hour());
    let arguments = ["--replay", "in.pcap", "--speed", "original", "--report", "r.json"];
    let watching = post.watch(&[&arguments[..], &["--metrics", "0"]].concat());
    post.wait_for(|event| matches!(event, Event::Started { .. }));
    let threads = fs::read_dir(format!("/proc/{}/task", watching.child.id())).unwrap();
    let mut count = 0;
    for thread in threads {
        let status = fs::read_to_string(thread.unwrap().path().join("status")).unwrap();
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            line.map(str::trim).map(str::to_owned)
        };
        // proc_pid_status(5): 2 is a filter.
        assert_eq!(field("Seccomp:").as_deref(), Some("2"), "{:?}", field("Name:"));
        assert_eq!(field("NoNewPrivs:").as_deref(), Some("1"), "{:?}", field("Name:"));
        count += 1;
    }
    assert!(count >= 4, "{count} threads: source, judging, events, metrics and others");
    watching.signal("-TERM");
    watching.end();
}

/// Threads whose names begin with one of these, and how nice they are at least.
const PRIORITIES: [(&str, i32); 3] = [("fold-", 0), ("glance-", 0), ("judge-", 10)];

/// How nice a thread is, by what the system says of it. proc_pid_stat(5): the second field is the
/// name in parentheses, the nineteenth how nice.
fn niceness(stat: &str) -> i32 {
    let (_, fields) = stat.rsplit_once(") ").unwrap();
    fields.split(' ').nth(16).unwrap().parse().unwrap()
}

#[test]
fn the_threads_that_look_at_the_whole_give_way_to_the_others() {
    let post = Post::new();
    post.write("in.pcap", an_hour());
    let watching = post.watch(&["--replay", "in.pcap", "--speed", "original", "--threads", "2"]);
    post.wait_for(|event| matches!(event, Event::Started { .. }));
    let folder = format!("/proc/{}/task", watching.child.id());
    let own = niceness(&fs::read_to_string(format!("/proc/{}/stat", watching.child.id())).unwrap());
    for (name, nice) in PRIORITIES {
        let nice = nice.max(own);
        let told = || {
            let entries = fs::read_dir(&folder).unwrap().map(Result::unwrap);
            let stats =
                entries.filter_map(|entry| fs::read_to_string(entry.path().join("stat")).ok());
            let of_name = stats.filter(|stat| stat.contains(&format!("({name}")));
            of_name.map(|stat| niceness(&stat)).collect::<Vec<_>>()
        };
        // A thread takes a moment to begin.
        wait(|| (told() == [nice, nice]).then_some(()));
    }
    watching.signal("-TERM");
    watching.end();
}
