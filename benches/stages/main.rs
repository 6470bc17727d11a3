//! What each stage costs, for each packet: `cargo bench`, or `cargo bench -- fold` for one stage.
//!
//! In: the captures of `traffic`, in memory. Out: times, and items a second, where an item is a
//! packet: ten million a second are a hundred nanoseconds for each. All runs on one thread. How
//! long the whole program takes beside others is for `scripts/bench.py`.

mod traffic;

use std::collections::BTreeMap;
use std::io::Cursor;
use std::sync::LazyLock;

use divan::Bencher;
use divan::counter::ItemsCount;
use foldhash::fast::RandomState;
use portolan::base::IpProto;
use portolan::capture::{FrameBatch, Hashing, InputSummary, Inputs, TimeHealth};
use portolan::decode::{Decoded, Direction, dissect};
use portolan::engine::{Evaluated, Fold, Partial};
use portolan::identify::{Carriage, End, Payload, Recognition};
use portolan::judge::model::{Policy, Site, Waivers};
use portolan::judge::{Assessment, EMBEDDED, Grade, ReadingMode, Severity, Terms, assess};
use portolan::judge::{load_policy, load_site};
use portolan::report::{self, Source};

use traffic::{Input, inputs};

/// Batches that are folded at once, as the engine does.
const AT_ONCE: usize = 4;

fn main() {
    // The stages take whatever pool there is: one thread makes times for each packet.
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build_global();
    pool.expect("nothing has used the pool before");
    divan::main();
}

/// A capture that was read.
struct Read {
    batches: Vec<FrameBatch>,
    inputs: Vec<InputSummary>,
    times: TimeHealth,
    packets: usize,
}

fn read(bytes: &'static [u8]) -> Read {
    let stream: Box<dyn std::io::Read + Send> = Box::new(Cursor::new(bytes));
    let inputs = Inputs::from_streams(vec![("capture".to_owned(), stream)], Hashing::Off);
    let mut inputs = inputs.expect("memory can be read");
    let (mut batches, mut batch) = (Vec::new(), FrameBatch::default());
    while inputs.fill(&mut batch) {
        batches.push(std::mem::take(&mut batch));
    }
    let packets = batches.iter().map(|batch| batch.frames.len()).sum();
    let times = inputs.health();
    Read { batches, inputs: inputs.finish(), times, packets }
}

fn folded(batches: &[FrameBatch], of_begin: bool) -> Partial {
    static HASHER: LazyLock<RandomState> = LazyLock::new(RandomState::default);
    let fold = Fold::new(HASHER.clone(), u64::MAX);
    let mut fold = if of_begin { fold.from_begin() } else { fold };
    for batches in batches.chunks(AT_ONCE) {
        fold.push(batches);
    }
    fold.finish()
}

static POLICY: LazyLock<Policy> =
    LazyLock::new(|| load_policy(EMBEDDED).expect("the packs of the program load"));

static SITE: LazyLock<Site> = LazyLock::new(|| {
    let text = include_str!("../../fixtures/quickstart/site.toml");
    load_site(text, "site.toml", &POLICY).expect("the site of a fixture loads")
});

static WAIVERS: LazyLock<Waivers> = LazyLock::new(Waivers::default);

fn terms() -> Terms<'static> {
    Terms {
        policy: &POLICY,
        site: &SITE,
        waivers: &WAIVERS,
        reading: ReadingMode::Inferred,
        fail_on: Severity::Low,
        min_grade: Grade::B,
    }
}

fn judged(stream: &mut Evaluated, read: &Read) -> Assessment {
    let records = std::mem::take(&mut stream.records);
    let evidence = stream.evidence(&read.inputs, read.times);
    assess(records, &stream.accounting, &stream.carriers, terms(), evidence)
}

/// Records out of a file: bytes to frames, in the order of their times.
#[divan::bench(args = inputs(), sample_count = 20)]
fn capture(bencher: Bencher<'_, '_>, input: Input) {
    let packets = read(input.capture()).packets;
    bencher.counter(ItemsCount::new(packets)).bench(|| read(input.capture()).packets);
}

/// Headers alone.
#[divan::bench(args = inputs(), sample_count = 20)]
fn decode(bencher: Bencher<'_, '_>, input: Input) {
    let read = read(input.capture());
    let units = || {
        let frames = read.batches.iter().flat_map(|batch| {
            batch.frames.iter().map(|frame| dissect(frame, batch.data(frame), &mut ()))
        });
        frames.filter(|decoded| matches!(decoded, Decoded::Unit(_))).count()
    };
    bencher.counter(ItemsCount::new(read.packets)).bench(units);
}

/// Headers, flows, and what they speak.
#[divan::bench(args = inputs(), sample_count = 20)]
fn fold(bencher: Bencher<'_, '_>, input: Input) {
    let read = read(input.capture());
    let fold = || folded(&read.batches, true);
    bencher.counter(ItemsCount::new(read.packets)).bench(fold);
}

/// Two halves of the stream joined.
#[divan::bench(args = inputs(), sample_count = 20)]
fn merge(bencher: Bencher<'_, '_>, input: Input) {
    let read = read(input.capture());
    let halves = || {
        let (first, second) = read.batches.split_at(read.batches.len() / 2);
        (folded(first, true), folded(second, false))
    };
    bencher.counter(ItemsCount::new(read.packets)).with_inputs(halves).bench_values(
        |(mut first, second)| {
            first.merge(second);
            first
        },
    );
}

/// What each flow speaks, alone.
#[divan::bench(args = inputs(), sample_count = 20)]
fn recognise(bencher: Bencher<'_, '_>, input: Input) {
    let read = read(input.capture());
    let flows = payloads(&read.batches);
    let count: usize = flows.iter().map(Vec::len).sum();
    bencher.counter(ItemsCount::new(count)).bench(|| {
        let known = flows.iter().filter(|payloads| {
            let mut recognition = Recognition::default();
            for payload in *payloads {
                recognition.take(payload, false, true);
            }
            recognition.content().is_some()
        });
        known.count()
    });
}

/// The payload of each flow over TCP or UDP.
fn payloads(batches: &[FrameBatch]) -> Vec<Vec<Payload<'_>>> {
    let mut flows: BTreeMap<_, Vec<Payload<'_>>> = BTreeMap::new();
    for batch in batches {
        for frame in &batch.frames {
            let data = batch.data(frame);
            let Decoded::Unit(unit) = dissect(frame, data, &mut ()) else { continue };
            let carriage = match unit.key.protocol() {
                IpProto::TCP => Carriage::Tcp,
                IpProto::UDP => Carriage::Udp,
                _ => continue,
            };
            let begin = unit.payload_offset as usize;
            let bytes = data.get(begin..begin + unit.payload_captured as usize);
            let Some(bytes) = bytes.filter(|bytes| !bytes.is_empty()) else { continue };
            let sequence = match unit.transport {
                portolan::decode::Transport::Tcp { sequence, .. } => sequence,
                _ => 0,
            };
            flows.entry(unit.key).or_default().push(Payload {
                end: if unit.direction == Direction::AToB { End::A } else { End::B },
                carriage,
                sequence,
                bytes,
                wire: unit.payload_bytes,
                time: frame.time,
                place: frame.source.ordinal,
                joined: false,
                ports: [unit.key.a().port(), unit.key.b().port()],
            });
        }
    }
    flows.into_values().collect()
}

/// Flow records of what was folded.
#[divan::bench(args = inputs(), sample_count = 10)]
fn evaluate(bencher: Bencher<'_, '_>, input: Input) {
    let read = read(input.capture());
    let partial = folded(&read.batches, true);
    bencher
        .counter(ItemsCount::new(read.packets))
        .with_inputs(|| partial.clone())
        .bench_values(Partial::evaluate);
}

/// Verdicts and findings.
#[divan::bench(args = inputs(), sample_count = 10)]
fn judge(bencher: Bencher<'_, '_>, input: Input) {
    let read = read(input.capture());
    let evaluated = folded(&read.batches, true).evaluate();
    bencher
        .counter(ItemsCount::new(read.packets))
        .with_inputs(|| evaluated.clone())
        .bench_values(|mut stream| judged(&mut stream, &read));
}

/// The report, and its JSON.
#[divan::bench(args = inputs(), sample_count = 10)]
fn report(bencher: Bencher<'_, '_>, input: Input) {
    let read = read(input.capture());
    let mut stream = folded(&read.batches, true).evaluate();
    let assessment = judged(&mut stream, &read);
    let source = Source {
        inputs: &read.inputs,
        times: read.times,
        skipped: &[],
        stream: &stream,
        terms: terms(),
        max_memory: 0,
        options: &[],
    };
    bencher.counter(ItemsCount::new(read.packets)).bench(|| {
        let mut json = Vec::new();
        report::write(&mut json, &report::build(source, &assessment)).map(|()| json)
    });
}

/// The flow list.
#[divan::bench(args = inputs(), sample_count = 10)]
fn flow_list(bencher: Bencher<'_, '_>, input: Input) {
    let read = read(input.capture());
    let mut stream = folded(&read.batches, true).evaluate();
    let assessment = judged(&mut stream, &read);
    bencher.counter(ItemsCount::new(read.packets)).bench(|| {
        let flows = assessment.flows.iter();
        let lines = flows.filter_map(|flow| report::flow_line(flow, &read.inputs, terms()));
        report::write_flows(&mut std::io::sink(), report::FlowFormat::Native, lines)
    });
}
