//! A network interface through libpcap.
//!
//! On Linux that is a ring in memory that the kernel fills (`TPACKET_V3`); libpcap puts the outer
//! VLAN tag back that the kernel takes off. The ring hands packets over when a block of it is
//! full or [`RETIRE`] has passed. Waiting is done here and never inside libpcap, so that a link
//! without traffic does not keep the watch from stopping.

use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use nix::ifaddrs::getifaddrs;
use nix::net::if_::InterfaceFlags;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use pcap::{Active, Capture, Precision, Stat};

use super::clock;
use super::source::{Delivery, PATIENCE, Source};
use crate::base::{LinkType, Timestamp};
use crate::capture::{
    FrameBatch, InputSummary, Interface, InterfaceStatistics, Resolution, TimeHealth,
};

/// Most bytes captured of a packet: more than any card joins to one frame.
const SNAPLEN: i32 = 256 << 10;

/// Milliseconds after which the kernel hands over a block that is not full.
const RETIRE: i32 = 100;

/// How long after a stop packets are taken that arrived before it.
const DRAIN: Duration = Duration::from_millis(250);

/// How often the counters and the state of the interface are asked for.
const LOOK: Duration = Duration::from_millis(250);

/// Packets taken in one call, and bytes after which a batch is full.
const PACKETS: usize = 4096;
const BATCH_BYTES: usize = 256 << 10;

/// What to open.
#[derive(Clone, Debug)]
pub struct InterfaceOptions {
    /// Name of the interface.
    pub name: String,
    /// Filter expression, as tcpdump takes it.
    pub filter: Option<String>,
    /// Bytes of the ring that the kernel fills.
    pub ring: u32,
}

/// The interface could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum InterfaceError {
    /// It could not be opened at all.
    #[error("cannot capture on `{name}`: {source}{}", hint(source))]
    Open {
        /// Its name.
        name: String,
        /// What libpcap said.
        source: pcap::Error,
    },
    /// The filter is wrong.
    #[error("the filter `{filter}` cannot be used: {source}")]
    Filter {
        /// The expression.
        filter: String,
        /// What libpcap said.
        source: pcap::Error,
    },
}

/// What to do about an error.
fn hint(error: &pcap::Error) -> &'static str {
    let text = error.to_string();
    if text.contains("ermission") || text.contains("not permitted") {
        "; start it as root with --user, or give it CAP_NET_RAW"
    } else {
        ""
    }
}

/// An interface that is open.
pub struct InterfaceSource {
    options: InterfaceOptions,
    capture: Capture<Active>,
    link: LinkType,
    /// Counters as libpcap told them last; they wrap.
    told: Stat,
    statistics: InterfaceStatistics,
    up: bool,
    /// What libpcap complained of last.
    complaint: Option<String>,
    looked: Instant,
    stopped: Option<Instant>,
    /// The counters have been told after the stop.
    closed: bool,
}

impl InterfaceSource {
    /// Opens an interface: promiscuous, whole packets, times in nanoseconds.
    ///
    /// # Errors
    /// When libpcap refuses: no such interface, no permission, or a filter that is wrong.
    pub fn open(options: InterfaceOptions) -> Result<Self, InterfaceError> {
        let capture = open(&options)?;
        let link = link_type(capture.get_datalink().0);
        Ok(InterfaceSource {
            // One without a carrier is told at the first look.
            up: true,
            options,
            capture,
            link,
            told: Stat { received: 0, dropped: 0, if_dropped: 0 },
            statistics: InterfaceStatistics {
                received: Some(0),
                dropped_by_interface: Some(0),
                dropped_by_system: Some(0),
                ..InterfaceStatistics::default()
            },
            complaint: None,
            looked: clock::now(),
            stopped: None,
            closed: false,
        })
    }

    /// Asks for the counters, which count since the start and wrap.
    fn count(&mut self) {
        let Ok(now) = self.capture.stats() else { return };
        let add = |sum: &mut Option<u64>, now: u32, before: u32| {
            *sum = Some(sum.unwrap_or(0) + u64::from(now.wrapping_sub(before)));
        };
        let statistics = &mut self.statistics;
        add(&mut statistics.received, now.received, self.told.received);
        add(&mut statistics.dropped_by_system, now.dropped, self.told.dropped);
        add(&mut statistics.dropped_by_interface, now.if_dropped, self.told.if_dropped);
        self.told = now;
    }

    /// Looks after the counters and the state of the link from time to time.
    fn look(&mut self) -> Option<Delivery> {
        let now = clock::now();
        if now.duration_since(self.looked) < LOOK {
            return None;
        }
        self.looked = now;
        let state = state(&self.options.name);
        if state == LinkState::Gone {
            self.stop();
            return Some(Delivery::Gone { reason: "the interface was taken away".to_owned() });
        }
        let up = state == LinkState::Up;
        if up != self.up {
            self.up = up;
            return Some(Delivery::Link { up, reason: self.complaint.take() });
        }
        let before = self.statistics;
        self.count();
        (self.statistics != before).then_some(Delivery::Statistics(self.statistics))
    }

    /// Takes what has arrived; `None` when nothing has.
    fn take(&mut self, batch: &mut FrameBatch) -> Option<Delivery> {
        let link = self.link;
        while batch.bytes.len() < BATCH_BYTES {
            let taken = self.capture.dispatch(Some(PACKETS), |packet| {
                let time = packet.header.ts;
                // With this precision the second part counts nanoseconds.
                #[allow(clippy::useless_conversion, reason = "the width depends on the system")]
                let time = Timestamp::from_parts(time.tv_sec.into(), time.tv_usec.into());
                batch.append(packet.data, packet.header.len, time, link);
            });
            match taken {
                Ok(0) => break,
                Ok(_) => self.complaint = None,
                Err(error) => {
                    self.complaint = Some(error.to_string());
                    clock::pause(PATIENCE);
                    break;
                }
            }
        }
        (!batch.frames.is_empty()).then_some(Delivery::Frames)
    }

    /// Waits until packets have arrived, for a while.
    fn wait(&self) {
        let mut sockets = [PollFd::new(self.capture.as_fd(), PollFlags::POLLIN)];
        let patience = PollTimeout::try_from(PATIENCE).unwrap_or(PollTimeout::ZERO);
        // A signal may cut the wait short, and an error shows itself when packets are taken.
        let _ = poll(&mut sockets, patience);
    }
}

impl Source for InterfaceSource {
    fn name(&self) -> String {
        self.options.name.clone()
    }

    fn interface(&self) -> Interface {
        Interface {
            name: Some(self.options.name.clone()),
            link: self.link,
            snaplen: SNAPLEN.unsigned_abs(),
            resolution: Resolution::NANOSECONDS,
            filter: self.options.filter.clone(),
            statistics: self.statistics,
            ..Interface::default()
        }
    }

    fn read(&mut self, batch: &mut FrameBatch) -> Delivery {
        if self.stopped.is_some_and(|at| clock::now().duration_since(at) > DRAIN) {
            if std::mem::replace(&mut self.closed, true) {
                return Delivery::End;
            }
            self.count();
            return Delivery::Statistics(self.statistics);
        }
        if let Some(delivery) = self.look() {
            return delivery;
        }
        if let Some(delivery) = self.take(batch) {
            return delivery;
        }
        self.wait();
        self.take(batch).unwrap_or(Delivery::Idle)
    }

    fn stop(&mut self) {
        self.stopped.get_or_insert_with(clock::now);
    }

    fn finish(self: Box<Self>) -> Option<(Vec<InputSummary>, TimeHealth)> {
        None
    }
}

fn open(options: &InterfaceOptions) -> Result<Capture<Active>, InterfaceError> {
    let refused = |source| InterfaceError::Open { name: options.name.clone(), source };
    let mut capture = Capture::from_device(options.name.as_str())
        .map_err(refused)?
        .promisc(true)
        .snaplen(SNAPLEN)
        .timeout(RETIRE)
        .buffer_size(i32::try_from(options.ring).unwrap_or(i32::MAX))
        .precision(Precision::Nano)
        .open()
        .map_err(refused)?;
    if let Some(filter) = &options.filter {
        capture
            .filter(filter, true)
            .map_err(|source| InterfaceError::Filter { filter: filter.clone(), source })?;
    }
    capture.setnonblock().map_err(refused)
}

/// The number that files use for a link type. Those of the running system differ from it for
/// packets that begin with the IP header: 12 on most systems, 14 on OpenBSD.
fn link_type(number: i32) -> LinkType {
    match number {
        12 | 14 => LinkType::RAW,
        other => LinkType(u16::try_from(other).unwrap_or(u16::MAX)),
    }
}

/// How an interface is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LinkState {
    /// Up, with a carrier.
    Up,
    /// There, but down or without a carrier.
    Down,
    /// Not there any more.
    Gone,
}

/// How an interface is; up where the system does not tell.
fn state(name: &str) -> LinkState {
    let Ok(all) = getifaddrs() else { return LinkState::Up };
    let running = InterfaceFlags::IFF_UP | InterfaceFlags::IFF_RUNNING;
    let of_name = all.filter(|address| address.interface_name == name);
    let states = of_name.map(|address| match address.flags.contains(running) {
        true => LinkState::Up,
        false => LinkState::Down,
    });
    // One entry for each address, all with the same flags; Linux has one without an address too.
    let pseudo = (name == "any").then_some(LinkState::Up);
    states.chain(pseudo).next().unwrap_or(LinkState::Gone)
}
