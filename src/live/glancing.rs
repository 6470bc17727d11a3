//! Glances at the flows that packets have changed, on a thread of its own, so that what is new is
//! told soon however many flows are held.
//!
//! In: copies of these flows, and from looks at the whole what else decides. Out: events. A glance
//! takes nothing back and weighs nothing less than before: that is left to the looks at the whole.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use crossbeam_channel::{Receiver, Sender, bounded};

use super::clock;
use super::common::Common;
use super::metrics::Metrics;
use super::session::SessionError;
use crate::capture::{FrameBatch, TimeHealth};
use crate::engine::Changed;
use crate::judge::{Context, Evidence};
use crate::report::{self, Source};

/// What has changed since the last glance.
pub(super) struct Glance {
    /// The flows that packets changed.
    pub(super) changed: Changed,
    /// The packets that are still held back.
    pub(super) held: Vec<FrameBatch>,
    /// Number of this look among all looks.
    pub(super) look: u64,
}

/// The thread.
pub(super) struct GlancingThread {
    work: Sender<Glance>,
    busy: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl GlancingThread {
    /// Starts the thread.
    pub(super) fn start(
        common: Arc<Common>,
        metrics: Metrics,
        threads: usize,
    ) -> Result<Self, SessionError> {
        let (work, todo) = bounded(1);
        let busy = Arc::new(AtomicBool::new(false));
        let done = Arc::clone(&busy);
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .thread_name(|index| format!("glance-{index}"))
            .build()
            .map_err(SessionError::Threads)?;
        let mut glancing = Glancing { common, metrics, context: Context::default() };
        let run = move || pool.install(|| glancing.run(&todo, &done));
        let thread = thread::Builder::new().name("glancing".to_owned()).spawn(run);
        Ok(GlancingThread { work, busy, thread: thread.map_err(SessionError::Thread)? })
    }

    /// Whether the last glance is still going on.
    pub(super) fn is_busy(&self) -> bool {
        self.busy.load(Ordering::Acquire)
    }

    /// Hands over a glance; the one before is over.
    pub(super) fn give(&self, glance: Glance) {
        self.busy.store(true, Ordering::Release);
        // The thread ends only when nothing more can come.
        let _ = self.work.send(glance);
    }

    /// Waits until the last glance is over.
    pub(super) fn finish(self) {
        drop(self.work);
        if let Err(panic) = self.thread.join() {
            std::panic::resume_unwind(panic);
        }
    }
}

struct Glancing {
    common: Arc<Common>,
    metrics: Metrics,
    /// What the looks at the whole told.
    context: Context,
}

impl Glancing {
    fn run(&mut self, todo: &Receiver<Glance>, done: &AtomicBool) {
        for glance in todo {
            self.glance(glance);
            done.store(false, Ordering::Release);
        }
    }

    fn glance(&mut self, glance: Glance) {
        let begun = clock::now();
        if let Some((whole, look)) = self.common.take_context() {
            self.context.renew(whole, look);
        }
        let Glance { changed, held, look } = glance;
        let mut stream = changed.with(&held).evaluate();
        let changed = std::mem::take(&mut stream.records);
        let rules = self.common.rules();
        let terms = rules.terms();
        let evidence = Evidence { begin: stream.timeline.begin(), ..Evidence::default() };
        let assessment = self.context.assess(changed, &stream.carriers, terms, evidence, look);
        let source = Source {
            inputs: &[],
            times: TimeHealth::default(),
            skipped: &[],
            stream: &stream,
            terms,
            max_memory: 0,
            options: &[],
        };
        let mut telling = self.common.telling();
        let wants = |id: &str, severity| telling.wants(id, severity, look);
        let findings = report::findings(source, &assessment, wants);
        // Rules that were read again meanwhile are for the next look at the whole.
        if self.common.are_in_force(&rules) {
            telling.findings(&findings, look);
        }
        drop(telling);
        self.metrics.update(|counters| {
            counters.glance_seconds = clock::now().duration_since(begun).as_secs_f64();
        });
    }
}
