//! The system log of this machine: datagrams in the form that all its daemons read (RFC 3164
//! section 4.1, of which they put in the time and the host themselves).

use std::io;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};

/// Where the daemon listens.
pub(super) const SYSLOG: &str = "/dev/log";

/// Facility `daemon` (RFC 3164 section 4.1.1).
const DAEMON: u8 = 3;

/// A way to the daemon.
#[derive(Debug)]
pub struct Syslog {
    path: PathBuf,
    socket: UnixDatagram,
}

impl Syslog {
    /// Connects to the daemon that listens at `path`.
    pub(super) fn connect(path: &Path) -> io::Result<Self> {
        Ok(Syslog { path: path.to_owned(), socket: connected(path)? })
    }

    /// Sends one line. A daemon that was started again listens at a new socket.
    pub(super) fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let head = format!("<{}>portolan: ", DAEMON * 8 + severity(line));
        let message = [head.as_bytes(), line.trim_ascii_end()].concat();
        if self.socket.send(&message).is_err() {
            self.socket = connected(&self.path)?;
            self.socket.send(&message)?;
        }
        Ok(line.len())
    }
}

fn connected(path: &Path) -> io::Result<UnixDatagram> {
    let socket = UnixDatagram::unbound()?;
    socket.connect(path)?;
    Ok(socket)
}

/// The severity of an event (RFC 3164 section 4.1.1): warning, notice or informational. Findings
/// and losses want somebody's eye.
fn severity(line: &[u8]) -> u8 {
    const WARNING: u8 = 4;
    const NOTICE: u8 = 5;
    const INFORMATIONAL: u8 = 6;
    let has = |text: &str| line.windows(text.len()).any(|part| part == text.as_bytes());
    let bad = [
        r#""severity":"high""#,
        r#""event":"loss""#,
        r#""event":"table-full""#,
        r#"-failed""#,
        r#""accepted":false"#,
        r#""up":false"#,
    ];
    if bad.into_iter().any(has) {
        WARNING
    } else if has(r#""event":"finding""#) || has(r#""event":"grade""#) {
        NOTICE
    } else {
        INFORMATIONAL
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_marked_by_what_it_tells_and_a_new_daemon_is_found() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("log");
        let receive = |daemon: &UnixDatagram| {
            let mut buffer = [0; 256];
            let length = daemon.recv(&mut buffer).unwrap();
            String::from_utf8_lossy(&buffer[..length]).into_owned()
        };
        let daemon = UnixDatagram::bind(&path).unwrap();
        let mut log = Syslog::connect(&path).unwrap();
        log.write(b"{\"event\":\"loss\"}\n").unwrap();
        // 8 times facility 3 plus severity 4, as RFC 3164 section 4.1.1 has it.
        assert_eq!(receive(&daemon), "<28>portolan: {\"event\":\"loss\"}");
        drop(daemon);
        std::fs::remove_file(&path).unwrap();
        assert!(log.write(b"{\"event\":\"started\"}\n").is_err());
        let daemon = UnixDatagram::bind(&path).unwrap();
        log.write(b"{\"event\":\"started\"}\n").unwrap();
        assert_eq!(receive(&daemon), "<30>portolan: {\"event\":\"started\"}");
    }
}
