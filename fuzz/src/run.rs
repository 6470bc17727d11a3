//! A capture in memory, from its bytes to its report.

use std::io::Cursor;
use std::sync::LazyLock;

use foldhash::fast::RandomState;
use portolan::capture::{FrameBatch, Hashing, InputSummary, Inputs, TimeHealth};
use portolan::engine::{COPY_REACH, Evaluated, Fold};
use portolan::flow::Class;
use portolan::judge::model::{Policy, Site, Waivers};
use portolan::judge::{Assessment, EMBEDDED, Grade, ReadingMode, Severity, Terms, assess};
use portolan::judge::{load_policy, load_site, load_waivers};
use portolan::report::model::Report;
use portolan::report::{Source, build};

/// Runs of flows that there is room for: so few that the table fills.
const MOST_RUNS: u64 = 4096;

/// Bytes of memory that the payload of those flows may take, beyond one batch.
const MOST_KEPT: u64 = MOST_RUNS * 768 + (16 << 20);

/// The built-in packs.
pub static POLICY: LazyLock<Policy> =
    LazyLock::new(|| load_policy(EMBEDDED).expect("the packs of the program load"));

/// A site with every role.
static SITE: LazyLock<Site> = LazyLock::new(|| {
    let text = include_str!("../../fixtures/voicemail/site.toml");
    load_site(text, "site.toml", &POLICY).expect("the site of a fixture loads")
});

/// Some accepted exceptions.
static WAIVERS: LazyLock<Waivers> = LazyLock::new(|| {
    let text = include_str!("waivers.toml");
    load_waivers(text, "waivers.toml", &POLICY, &SITE).expect("the waivers load")
});

/// What is judged against.
pub fn terms() -> Terms<'static> {
    Terms {
        policy: &POLICY,
        site: &SITE,
        waivers: &WAIVERS,
        reading: ReadingMode::Inferred,
        fail_on: Severity::Low,
        min_grade: Grade::B,
    }
}

/// A capture that was read to its end.
pub struct Read {
    /// Its packets, as they came.
    pub batches: Vec<FrameBatch>,
    /// What is known of the file.
    pub inputs: Vec<InputSummary>,
    /// How orderly its times are.
    pub times: TimeHealth,
}

/// Reads a capture of any container.
pub fn read(bytes: &[u8]) -> Option<Read> {
    let stream: Box<dyn std::io::Read + Send> = Box::new(Cursor::new(bytes.to_vec()));
    let mut inputs =
        Inputs::from_streams(vec![("capture".to_owned(), stream)], Hashing::Off).ok()?;
    let (mut batches, mut batch) = (Vec::new(), FrameBatch::default());
    while inputs.fill(&mut batch) {
        batches.push(std::mem::take(&mut batch));
    }
    let times = inputs.health();
    Some(Read { batches, inputs: inputs.finish(), times })
}

/// A fold of batches with room for few flows, `at_once` batches at a time.
pub fn fold(batches: &[FrameBatch], at_once: usize) -> Fold {
    let mut fold = Fold::with_reach(RandomState::default(), MOST_RUNS, COPY_REACH).from_begin();
    for batches in batches.chunks(at_once) {
        fold.push(batches);
        assert!(fold.kept() <= MOST_KEPT, "{} bytes are kept of payload", fold.kept());
    }
    fold
}

/// Asserts that each packet is in one class, and each packet of a flow in one flow.
pub fn counted(evaluated: &Evaluated, packets: u64, frame_bytes: u64) {
    let total = evaluated.accounting.total();
    assert_eq!((total.packets, total.frame_bytes), (packets, frame_bytes), "packets, bytes");
    let in_flows: u64 = evaluated.records.iter().map(|record| record.packets()).sum();
    assert_eq!(in_flows, evaluated.accounting.of(Class::Flow).packets, "packets of flows");
}

/// Packets of batches, and their bytes on the wire.
pub fn sums(batches: &[FrameBatch]) -> (u64, u64) {
    let frames = || batches.iter().flat_map(|batch| &batch.frames);
    (frames().count() as u64, frames().map(|frame| u64::from(frame.original)).sum())
}

/// Judges what was folded and fills the report.
pub fn judge(mut stream: Evaluated, read: &Read) -> (Assessment, Report) {
    let terms = terms();
    let records = std::mem::take(&mut stream.records);
    let evidence = stream.evidence(&read.inputs, read.times);
    let assessment = assess(records, &stream.accounting, &stream.carriers, terms, evidence);
    let source = Source {
        inputs: &read.inputs,
        times: read.times,
        skipped: &[],
        stream: &stream,
        terms,
        max_memory: 0,
        options: &[],
    };
    let report = build(source, &assessment);
    (assessment, report)
}
