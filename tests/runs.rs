//! The whole way from captures to a report inside the test process, as `portolan check` goes it.

use std::io::Cursor;
use std::path::{Path, PathBuf};

use portolan::capture::{Hashing, InputSummary, Inputs, TimeHealth};
use portolan::engine::{Evaluated, Limits, fold_stream};
use portolan::judge::model::{Policy, Site, Waivers};
use portolan::judge::policy::EMBEDDED;
use portolan::judge::{
    Assessment, Grade, JudgedFlow, ReadingMode, Severity, Terms, assess, load_policy, load_site,
    load_waivers,
};
use portolan::report::{self, FlowLine, Source, model::Report};

const MEMORY: u64 = 1 << 30;

/// What captures are judged against.
pub struct Rules {
    pub policy: Policy,
    pub site: Site,
    pub waivers: Waivers,
    pub reading: ReadingMode,
    pub keep_copies: bool,
}

impl Rules {
    /// The embedded packs at a site; an empty text stands for no site file.
    pub fn at(site: &str) -> Rules {
        let policy = load_policy(EMBEDDED).expect("the embedded packs load");
        let site = match site {
            "" => Site::default(),
            text => load_site(text, "site.toml", &policy)
                .unwrap_or_else(|faults| panic!("{}", faults[0])),
        };
        Rules {
            policy,
            site,
            waivers: Waivers::default(),
            reading: ReadingMode::Inferred,
            keep_copies: false,
        }
    }

    /// The same with every copy of a packet counted.
    pub fn keeping_copies(self) -> Rules {
        Rules { keep_copies: true, ..self }
    }

    /// The same with waivers.
    pub fn waiving(self, text: &str) -> Rules {
        let waivers = load_waivers(text, "waivers.toml", &self.policy, &self.site)
            .unwrap_or_else(|faults| panic!("{}", faults[0]));
        Rules { waivers, ..self }
    }
}

/// What a run gives.
pub struct Run {
    pub stream: Evaluated,
    pub inputs: Vec<InputSummary>,
    pub times: TimeHealth,
    pub assessment: Assessment,
    pub report: Report,
    pub lines: Vec<FlowLine>,
}

impl Run {
    /// The only flow to the responder port.
    pub fn to_port(&self, port: u16) -> &JudgedFlow {
        let mut flows = self.assessment.flows.iter().filter(|f| f.responder().port() == port);
        let flow = flows.next().unwrap_or_else(|| panic!("no flow to port {port}"));
        assert!(flows.next().is_none(), "several flows to port {port}");
        flow
    }

    /// Verdict, reason and strength of the only flow to the responder port.
    pub fn verdict(&self, port: u16) -> [&'static str; 3] {
        said(self.to_port(port))
    }
}

/// Verdict, reason and strength; empty where there is none.
pub fn said(flow: &JudgedFlow) -> [&'static str; 3] {
    let judgement = &flow.judgement;
    [
        judgement.verdict.name(),
        judgement.reason.map(|reason| reason.name()).unwrap_or_default(),
        judgement.strength.map(|strength| strength.name()).unwrap_or_default(),
    ]
}

/// Runs over opened inputs.
pub fn run(mut inputs: Inputs, rules: &Rules, threads: usize) -> Run {
    let limits = Limits { threads, max_memory: MEMORY, keep_copies: rules.keep_copies };
    let partial = fold_stream(|batch| inputs.fill(batch), limits, |_| {}).expect("threads");
    let mut stream = partial.evaluate();
    let times = inputs.health();
    let inputs = inputs.finish();
    let terms = Terms {
        policy: &rules.policy,
        site: &rules.site,
        waivers: &rules.waivers,
        reading: rules.reading,
        fail_on: Severity::Low,
        min_grade: Grade::B,
    };
    let records = std::mem::take(&mut stream.records);
    let evidence = stream.evidence(&inputs, times);
    let assessment = assess(records, &stream.accounting, &stream.carriers, terms, evidence);
    let source = Source {
        inputs: &inputs,
        times,
        skipped: &[],
        stream: &stream,
        terms,
        max_memory: MEMORY,
        options: &[],
    };
    let report = report::build(source, &assessment);
    let lines = assessment.flows.iter().filter_map(|flow| report::flow_line(flow, &inputs, terms));
    let lines = lines.collect();
    Run { stream, inputs, times, assessment, report, lines }
}

/// Runs over files and folders.
pub fn check(paths: &[PathBuf], rules: &Rules, threads: usize) -> Run {
    let inputs =
        Inputs::open(paths, Hashing::Off).unwrap_or_else(|errors| panic!("{paths:?}: {errors:?}"));
    run(inputs, rules, threads)
}

/// Runs over packets in memory: nanoseconds since 1970 and an Ethernet frame each.
pub fn check_frames(packets: &[(i64, Vec<u8>)], rules: &Rules) -> Run {
    check_stream("frames.pcap", pcap(packets), rules)
}

/// Runs over a capture in memory.
pub fn check_stream(name: &str, file: Vec<u8>, rules: &Rules) -> Run {
    let file: Box<dyn std::io::Read + Send> = Box::new(Cursor::new(file));
    let inputs = Inputs::from_streams(vec![(name.to_owned(), file)], Hashing::Off);
    run(inputs.expect("memory can be read"), rules, 1)
}

/// A classic pcap file, little-endian, nanoseconds, Ethernet.
pub fn pcap(packets: &[(i64, Vec<u8>)]) -> Vec<u8> {
    pcap_cut(packets, usize::MAX)
}

/// The same with at most `snaplen` bytes captured of each packet.
pub fn pcap_cut(packets: &[(i64, Vec<u8>)], snaplen: usize) -> Vec<u8> {
    let mut file = Vec::new();
    for word in [0xa1b2_3c4d, 0x0004_0002, 0, 0, 262_144, 1_u32] {
        file.extend(word.to_le_bytes());
    }
    for (time, frame) in packets {
        let captured = &frame[..frame.len().min(snaplen)];
        let seconds = time.div_euclid(1_000_000_000) as u32;
        let nanos = time.rem_euclid(1_000_000_000) as u32;
        for word in [seconds, nanos, captured.len() as u32, frame.len() as u32] {
            file.extend(word.to_le_bytes());
        }
        file.extend_from_slice(captured);
    }
    file
}

/// A path below the root of the repository.
pub fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The text of a file below the root of the repository.
pub fn text(path: &str) -> String {
    std::fs::read_to_string(repository(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}
