//! What the service manager wants to know (sd_notify(3)): ready, alive, stopping. Without one
//! nothing is sent.

use std::env;
use std::os::unix::net::UnixDatagram;
use std::time::{Duration, Instant};

use super::clock;

/// The way to the service manager.
#[derive(Debug)]
pub struct Service {
    socket: Option<UnixDatagram>,
    /// Half of the time after which the manager takes a silent service for dead.
    watchdog: Option<Duration>,
    fed: Instant,
}

impl Service {
    /// Connects to the manager that the environment names.
    pub fn connect() -> Self {
        let micros = env::var("WATCHDOG_USEC").ok().and_then(|text| text.parse().ok());
        let watchdog = micros.map(|micros| Duration::from_micros(micros) / 2);
        Service { socket: socket(), watchdog, fed: clock::now() }
    }

    /// Tells the manager a state.
    pub(super) fn tell(&self, state: &str) {
        if let Some(socket) = &self.socket {
            // A manager that does not listen cannot be told so.
            let _ = socket.send(state.as_bytes());
        }
    }

    /// Tells the manager from time to time that the watch is alive.
    pub(super) fn feed(&mut self) {
        let now = clock::now();
        if self.watchdog.is_some_and(|half| now.duration_since(self.fed) >= half) {
            self.fed = now;
            self.tell("WATCHDOG=1");
        }
    }
}

fn socket() -> Option<UnixDatagram> {
    let name = env::var_os("NOTIFY_SOCKET")?;
    let socket = UnixDatagram::unbound().ok()?;
    socket.set_nonblocking(true).ok()?;
    #[cfg(target_os = "linux")]
    if let Some(name) = name.to_str().and_then(|name| name.strip_prefix('@')) {
        use std::os::linux::net::SocketAddrExt;
        let address = std::os::unix::net::SocketAddr::from_abstract_name(name).ok()?;
        return socket.connect_addr(&address).ok().map(|()| socket);
    }
    socket.connect(name).ok().map(|()| socket)
}
