//! `portolan watch`: an interface in, events and reports out, until it is told to stop.
//!
//! Everything that needs rights is opened first; then the rights are given up, and the work
//! begins.

use std::io::IsTerminal;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGUSR1};
use signal_hook::flag;

use super::args::{Judging, RuleFiles, Speed, Watch};
use super::check::{colour, exit};
use super::output::{Outputs, to_stdout, write_flow_list, write_report};
use super::rules::Rules;
use super::status::Status;
use super::{Exit, complain, evidence, shown};
use crate::capture::{Hashing, Inputs};
use crate::live::{
    self, Ended, EventOutput, EventWriter, EvidencePlan, Metrics, Parts, Plan, Signals, Source,
};
use crate::report::{self, Palette, printable};

/// Status of a run that a second signal ended.
const ENDED_AT_ONCE: i32 = 2;

/// What is said where files stay open to the watch.
const NO_LANDLOCK: &str = "this kernel has no Landlock: the watch goes on with access to all files \
                           that its user may open";

const HOUR: i64 = 3_600_000_000_000;

/// Runs the command.
pub(super) fn run(watch: &Watch) -> Result<Exit, String> {
    let signals = signals()?;
    let rules = load(&Sources::of(watch))?;
    let source = open(watch)?;
    let listener = watch.metrics.map(listen).transpose()?;
    give_up_root(watch)?;
    // Bad paths fail now, not after days.
    drop(Outputs::of_watch(watch)?.create()?);
    watch.evidence.as_deref().map(evidence::prepare_folder).transpose()?;
    let state = watch.state.as_deref().map(live::StateFile::open).transpose();
    let state = state.map_err(|error| printable(&error.to_string()))?;
    let output = events(&watch.events)?;
    let service = live::Service::connect();
    let confined = live::confine(&paths(watch)).and_then(|confinement| match confinement {
        live::Confinement::Missing => Err(NO_LANDLOCK.to_owned()),
        live::Confinement::Whole | live::Confinement::Partial => Ok(()),
    });
    let to_syslog = watch.events.as_os_str() == "syslog";
    for result in [confined, live::restrict_calls(to_syslog)] {
        result.unwrap_or_else(|message| complain(&printable(&message)));
    }
    let metrics = Metrics::default();
    if let Some(listener) = listener {
        live::serve(listener, metrics.clone())
            .map_err(|error| format!("cannot serve metrics: {error}"))?;
    }
    let sources = Sources::of(watch);
    let apart = watch.events.as_os_str() != "-" || !std::io::stdout().is_terminal();
    let status = Status::show(metrics.clone(), source.name(), apart && !watch.quiet);
    let ended = live::watch(
        plan(watch),
        Parts {
            source,
            rules,
            options: watch.options(),
            load: Box::new(move || load(&sources)),
            publish: publisher(watch),
            evidence: evidence_plan(watch),
            events: EventWriter::start(output),
            state,
            metrics,
            signals,
            service,
        },
    );
    drop(status);
    finish(watch, &ended.map_err(|error| error.to_string())?)
}

/// Where the rules are read from, again and again.
#[derive(Clone)]
struct Sources {
    files: RuleFiles,
    judging: Judging,
}

impl Sources {
    fn of(watch: &Watch) -> Self {
        Sources { files: watch.rules.clone(), judging: watch.judging }
    }
}

fn load(sources: &Sources) -> Result<live::Rules, String> {
    let Sources { files, judging } = sources;
    let Rules { policy, site, waivers, .. } = Rules::load(files, None)?;
    Ok(live::Rules {
        policy,
        site,
        waivers,
        reading: judging.reading.into(),
        fail_on: judging.fail_on.into(),
        min_grade: judging.min_grade.into(),
    })
}

fn plan(watch: &Watch) -> Plan {
    Plan {
        limits: watch.folding.limits(watch.max_memory),
        keep: i64::from(watch.keep) * HOUR,
        checkpoint_every: Duration::from_secs(60 * u64::from(watch.report_every)),
        mode: if watch.replay.is_some() { "replay" } else { "live" },
    }
}

/// Flags that signals set. The second signal to end ends at once, whatever hangs.
fn signals() -> Result<Signals, String> {
    let signals = Signals::default();
    let registered = (|| {
        for signal in [SIGTERM, SIGINT] {
            flag::register_conditional_shutdown(signal, ENDED_AT_ONCE, Arc::clone(&signals.stop))?;
            flag::register(signal, Arc::clone(&signals.stop))?;
        }
        flag::register(SIGHUP, Arc::clone(&signals.reload))?;
        flag::register(SIGUSR1, Arc::clone(&signals.checkpoint))
    })();
    match registered {
        Ok(_) => Ok(signals),
        Err(error) => Err(format!("cannot take signals: {error}")),
    }
}

/// Opens what is watched.
fn open(watch: &Watch) -> Result<Box<dyn Source>, String> {
    let Some(file) = &watch.replay else {
        return open_interface(watch);
    };
    let inputs = Inputs::open(std::slice::from_ref(file), Hashing::Sha256).map_err(|errors| {
        let lines: Vec<_> = errors.iter().map(|error| printable(&error.to_string())).collect();
        lines.join("\nportolan: ")
    })?;
    if inputs.count() != 1 {
        return Err(format!("{} is not one capture; name a file", shown(file)));
    }
    let pace = match watch.speed {
        Speed::Top => live::Pace::Top,
        Speed::Original => live::Pace::Original,
    };
    Ok(Box::new(live::Replay::new(inputs, pace)))
}

#[cfg(feature = "live")]
fn open_interface(watch: &Watch) -> Result<Box<dyn Source>, String> {
    let options = live::InterfaceOptions {
        name: watch.interface.clone().unwrap_or_default(),
        filter: watch.filter.clone(),
        ring: watch.ring,
    };
    let source = live::InterfaceSource::open(options);
    Ok(Box::new(source.map_err(|error| printable(&error.to_string()))?))
}

#[cfg(not(feature = "live"))]
fn open_interface(_watch: &Watch) -> Result<Box<dyn Source>, String> {
    Err("this build reads files only; to capture on an interface, install libpcap's development \
         files (Debian and Ubuntu: `apt-get install libpcap-dev`) and build it with `cargo build \
         --release --features live`"
        .to_owned())
}

fn listen(address: std::net::SocketAddr) -> Result<TcpListener, String> {
    TcpListener::bind(address).map_err(|error| format!("cannot listen on {address}: {error}"))
}

/// Nobody parses packets of strangers as root.
fn give_up_root(watch: &Watch) -> Result<(), String> {
    if watch.interface.is_none() {
        return Ok(());
    }
    match &watch.user {
        Some(user) if live::is_root() => {
            live::become_user(user).map_err(|error| error.to_string())?;
        }
        None if live::is_root() => {
            return Err(
                "watch does not read packets as root: name a user with --user, to whom it changes \
                 once the interface is open, or start it as a user with CAP_NET_RAW"
                    .to_owned(),
            );
        }
        _ => {}
    }
    live::drop_capabilities()
}

fn events(path: &Path) -> Result<EventOutput, String> {
    if path.as_os_str() == "-" {
        return Ok(EventOutput::Stdout);
    }
    if path.as_os_str() == "syslog" {
        return EventOutput::syslog().map_err(|error| format!("cannot reach /dev/log: {error}"));
    }
    EventOutput::append_to(path).map_err(|error| format!("cannot write `{}`: {error}", shown(path)))
}

/// What is read and written after the start. Folders, because files are replaced: that of a link,
/// and that of what it points to.
fn paths(watch: &Watch) -> live::Paths {
    let folder = |path: &Path| match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    };
    let folders =
        |path: &Path| [Some(folder(path)), path.canonicalize().ok().map(|path| folder(&path))];
    let packs = watch.rules.policy.iter().map(Path::new).filter(|path| path.exists());
    let read = [&watch.rules.site, &watch.rules.waivers, &watch.replay].into_iter().flatten();
    let write = [&watch.report, &watch.html, &watch.flows, &watch.state].into_iter().flatten();
    let write = write.flat_map(|path| folders(path)).flatten();
    live::Paths {
        read: read.map(PathBuf::as_path).chain(packs).flat_map(folders).flatten().collect(),
        write: write.chain(watch.evidence.clone()).collect(),
    }
}

fn evidence_plan(watch: &Watch) -> Option<EvidencePlan> {
    let folder = watch.evidence.clone()?;
    Some(EvidencePlan {
        memory: watch.evidence_ring,
        packets_per_flow: watch.evidence_packets,
        store: Box::new(move |slices| evidence::replace(&folder, slices)),
    })
}

/// Writes each report, page and flow list under the same name as the one before.
fn publisher(watch: &Watch) -> Option<live::Publish> {
    let watch = watch.clone();
    let wanted = watch.report.is_some() || watch.html.is_some() || watch.flows.is_some();
    let publish = move |checkpoint: live::Checkpoint<'_>| {
        let live::Checkpoint { report, assessment, inputs, terms } = checkpoint;
        let mut files = Outputs::of_watch(&watch)?.create()?;
        let flows = assessment.flows.iter();
        let lines = flows.filter_map(|flow| report::flow_line(flow, inputs, terms));
        report.flow_list = write_flow_list(&mut files, watch.flows_format.into(), lines)?;
        report::seal(report).map_err(|error| error.to_string())?;
        write_report(files, report)
    };
    wanted.then_some(Box::new(publish) as live::Publish)
}

/// Says what the run amounts to.
fn finish(watch: &Watch, ended: &Ended) -> Result<Exit, String> {
    let to_terminal = watch.events.as_os_str() != "-";
    if to_terminal && !watch.quiet {
        let palette = Palette::new(colour(&std::io::stdout()));
        to_stdout(|out| out.write_all(report::summary(&ended.report, palette).as_bytes()))?;
    }
    if ended.unwritten > 0 {
        complain(&format!("{} events were not taken by their reader", ended.unwritten));
    }
    for input in ended.inputs.iter().filter(|input| input.ending.is_failure()) {
        complain(&printable(&format!("{}: {}", input.name, input.ending)));
    }
    if let Some(message) = &ended.failed {
        return Err(message.clone());
    }
    exit(&ended.report, ended.assessment.outcome, &ended.inputs)
}
