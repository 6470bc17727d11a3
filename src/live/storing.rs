//! Stores flows for the next run on a thread of its own, so that what is new is told meanwhile.
//!
//! In: a copy of what has been folded, which shares the flows. Whoever starts this waits for it
//! before it starts another, so that two never write at once and no more than one such copy is
//! held.

use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use super::event::Event;
use super::flows::FlowsFile;
use super::judging::send;
use super::priority::give_way;
use super::writer::EventWriter;
use crate::capture::{InputSummary, TimeHealth};
use crate::engine::Partial;

/// Flows that are being stored.
pub(super) type Storing = JoinHandle<()>;

/// Begins to store what has been seen, of which the inputs were these. What goes wrong is an event.
pub(super) fn start(
    flows: &Arc<FlowsFile>,
    partial: Partial,
    (inputs, times): (Vec<InputSummary>, TimeHealth),
    events: &Arc<Mutex<EventWriter>>,
) -> Option<Storing> {
    let (flows, ways_out) = (Arc::clone(flows), Arc::clone(events));
    let path = flows.path().display().to_string();
    let fail = move |events: &Mutex<EventWriter>, error| {
        let reason = format!("cannot write `{path}`: {error}");
        send(events, Event::StateFailed { reason });
    };
    let failed = fail.clone();
    let store = move || {
        give_way();
        if let Err(error) = flows.write(&partial, &inputs, times) {
            failed(&ways_out, error);
        }
    };
    let started = thread::Builder::new().name("storing".to_owned()).spawn(store);
    started.map_err(|error| fail(events, error)).ok()
}

/// Waits until flows are stored.
pub(super) fn wait(storing: Option<Storing>) {
    if let Some(Err(panic)) = storing.map(Storing::join) {
        std::panic::resume_unwind(panic);
    }
}
