//! Watching without an end: packets as they come in, events, checkpoints and metrics out.
//!
//! `session` starts all of it and says what it amounts to. `source` delivers packets, of an
//! interface or of a capture that is played back; `main_loop` folds them into what has been `seen`,
//! with `forgetting` of what is long over and an eye on `losses`. `handover` decides when to look:
//! `judging` looks at everything and `glancing`, more often, at what changed, each on a thread of
//! its own, with the `rules` and more in `common`; `priority` lets the first give way. What the first
//! found, `publishing` writes on one more, and `appending` what findings are remembered. `telling`
//! tells what is new by comparing with what is `known`; `event` gives that its shape and `writer`
//! its way out, to `syslog` too. `ring` holds the packets seen last, and `evidence` makes slices of
//! them. `state` remembers findings over a restart and `flows`, by `storing`, flows; `metrics`
//! counts, `service` talks to the service manager, and `sandbox` and `system_calls` give up what
//! the run does not need. The fold, the judge and the report are those of every other run: nothing
//! is decided here that `check` would decide otherwise.
//!
//! This is the only layer besides the command line that looks at a clock, for when to look and
//! when to write. What is found depends on the times of packets alone.

mod appending;
mod clock;
mod common;
mod event;
mod evidence;
mod flows;
mod forgetting;
mod glancing;
mod handover;
#[cfg(feature = "live")]
mod interface;
mod judging;
mod known;
mod losses;
mod main_loop;
mod metrics;
mod priority;
mod publishing;
mod ring;
mod rules;
mod sandbox;
pub mod schema;
mod seen;
mod service;
mod session;
mod source;
mod state;
mod storing;
mod syslog;
#[cfg(all(target_os = "linux", any(target_arch = "aarch64", target_arch = "x86_64")))]
mod system_calls;
mod telling;
mod writer;

pub use event::{Change, Event, EventLine, FindingNote};
pub use evidence::{EvidencePlan, StoreSlices};
#[cfg(feature = "live")]
pub use interface::{InterfaceError, InterfaceOptions, InterfaceSource};
pub use metrics::{Counters, Metrics, Newest, serve};
pub use publishing::{Checkpoint, Publish};
pub use rules::{Load, Rules};
#[cfg(not(all(target_os = "linux", any(target_arch = "aarch64", target_arch = "x86_64"))))]
pub use sandbox::restrict_calls;
pub use sandbox::{
    Confinement, Paths, PrivilegeError, become_user, confine, drop_capabilities, is_root,
};
pub use service::Service;
pub use session::{Ended, Parts, Plan, SessionError, Signals, watch};
pub use source::{Pace, Replay, Source};
pub use state::{StateError, StateFile};
#[cfg(all(target_os = "linux", any(target_arch = "aarch64", target_arch = "x86_64")))]
pub use system_calls::restrict_calls;
pub use writer::{EventOutput, EventWriter};
