//! What a report cannot say: for each doubt what is missing, what it affects, and what to change
//! at the capture, the switch, the network card or the site file. Fragments of sentences, which
//! the summary joins.

use super::model::CannotSay;
use super::names::Names;
use super::words::count;
use crate::capture::TimeSteps;
use crate::judge::{Directions, Doubt, Vlan};

const MEMORY: &str = "raise --max-memory";

/// The limitation that a doubt is.
pub(super) fn cannot_say(names: &Names<'_>, doubt: &Doubt) -> CannotSay {
    let [affects, remedy] = consequences(doubt);
    CannotSay {
        code: doubt.code().to_owned(),
        text: text(names, doubt),
        affects: affects.to_owned(),
        remedy: remedy.to_owned(),
    }
}

/// What is missing.
fn text(names: &Names<'_>, doubt: &Doubt) -> String {
    match doubt {
        Doubt::InputsFailed { failed, inputs } => {
            format!("{failed} of {inputs} inputs could not be read to their end")
        }
        Doubt::Filtered(_) => "a capture filter was set, so traffic may be missing".to_owned(),
        Doubt::Dropped(packets) => {
            format!("the capturing system lost {}", count(*packets, "packet"))
        }
        Doubt::LostByMirrors(packets) => format!(
            "mirrors lost {} on the way, by the sequence numbers of their tunnels",
            count(*packets, "packet")
        ),
        Doubt::ClockSetBack(steps) => {
            format!("the clock of the capture went back by more than a minute: {}", jumps(*steps))
        }
        Doubt::Paused(steps) => {
            format!("the capture is silent for more than an hour: {}", jumps(*steps))
        }
        Doubt::Interrupted { times, nanos } => {
            let often = match times {
                1 => "once".to_owned(),
                times => format!("{times} times"),
            };
            let seconds = nanos.div_ceil(1_000_000_000);
            format!("the watch was started again {often}: {seconds} s were not seen")
        }
        Doubt::OutOfOrder(packets) => format!(
            "{} too late to be put back in the order of their times",
            if *packets == 1 {
                "1 packet came".to_owned()
            } else {
                format!("{packets} packets came")
            }
        ),
        Doubt::NoPacket => "no packet was read".to_owned(),
        Doubt::NoHost => "no host has a role: give a site file with --site".to_owned(),
        Doubt::NothingGoverned => {
            "no conversation touches a host that the policy governs".to_owned()
        }
        Doubt::OneSided { vlan, seen } => one_sided(*vlan, *seen),
        Doubt::OneWay { flows, of } => {
            format!("of {flows} of {of} TCP flows in scope one direction alone was captured")
        }
        Doubt::MidStream { flows, of } => {
            format!("{flows} of {of} TCP flows in scope began before the capture")
        }
        Doubt::Unseen { bytes, held } => format!(
            "{} of TCP were acknowledged and not captured, beside {held} that were",
            count(*bytes, "byte")
        ),
        Doubt::Cut(packets) => {
            format!("of {} the capture holds only the begin", count(*packets, "packet"))
        }
        Doubt::Copies { copies, packets, nearly_all: false } => {
            format!("{copies} of {packets} packets are copies of others")
        }
        Doubt::Copies { copies, packets, nearly_all: true } => format!(
            "{copies} of {packets} packets are copies of others: the mirror shows each packet \
             where it is received and where it is sent"
        ),
        Doubt::UnnamedCollectors(tunnels) => format!(
            "{} to addresses that the site file does not name as collectors",
            are(*tunnels, "mirror tunnel")
        ),
        Doubt::UntoldTunnels(packets) => format!(
            "of {} the ends of the tunnel were not kept for want of room",
            count(*packets, "packet")
        ),
        Doubt::SuperFrames(packets) => {
            format!("{} longer than any link carries", are(*packets, "packet"))
        }
        Doubt::AbsentRoles(roles) => {
            let roles: Vec<_> = roles.iter().map(|role| names.role(*role)).collect();
            format!("no host was seen alive in the role {}", roles.join(", "))
        }
        Doubt::IdleTables(tables) => {
            let tables: Vec<_> = tables.iter().map(|table| names.section(*table)).collect();
            format!("hosts of both roles were alive, but nothing was seen of {}", tables.join(", "))
        }
        Doubt::Undecoded { packets, total } => {
            format!("{packets} of {total} packets could not be decoded")
        }
        Doubt::NotAssessable { flows, with_data: 0, governed } => {
            format!("{flows} of {governed} governed flows could not be judged")
        }
        Doubt::NotAssessable { flows, with_data, governed } => format!(
            "{flows} of {governed} governed flows could not be judged, {with_data} of them with \
             data from both ends"
        ),
        Doubt::TableFull(packets) => {
            format!("the flow table was full: {packets} packets are in no flow")
        }
        Doubt::UnclaimedFragments(packets) => {
            format!("{} came without the first of their datagram", count(*packets, "IP fragment"))
        }
        Doubt::LostFragments(packets) => format!(
            "{} could not wait for the first of their datagram for want of room",
            count(*packets, "IP fragment")
        ),
        Doubt::BlurredPackets(packets) => format!(
            "{} joined an older use of their five-tuple for want of room",
            count(*packets, "packet")
        ),
        Doubt::LostQuotes(messages) => format!(
            "{} could not be laid to their flows for want of room",
            count(*messages, "ICMP error")
        ),
    }
}

fn one_sided(vlan: Option<Vlan>, seen: Directions) -> String {
    let place = match vlan {
        None => String::new(),
        Some(None) => "in frames without a VLAN tag ".to_owned(),
        Some(Some(vlan)) => format!("in VLAN {vlan} "),
    };
    let Directions { half_seen, .. } = seen;
    format!(
        "{place}the mirror shows one direction only: in {half_seen} of {} answered TCP flows the \
         other is missing",
        seen.answered()
    )
}

/// How often the clock jumped, how far, and where for the first time.
fn jumps(steps: TimeSteps) -> String {
    let TimeSteps { count: number, first_packet, widest, .. } = steps;
    let widest = count((widest / 1_000_000_000).unsigned_abs(), "second");
    format!("{}, by up to {widest}, first at packet {first_packet}", count(number, "time"))
}

fn are(number: u64, noun: &str) -> String {
    format!("{} {}", count(number, noun), if number == 1 { "is" } else { "are" })
}

/// What the report cannot say for that reason, and what to do.
fn consequences(doubt: &Doubt) -> [&'static str; 2] {
    match doubt {
        Doubt::InputsFailed { .. } => {
            ["what the rest of them held is unknown", "copy the files again, or capture anew"]
        }
        Doubt::Filtered(_) => [
            "what was not seen may have taken place",
            "capture without a filter, or judge only what it lets through",
        ],
        Doubt::Dropped(_) => [
            "what was not seen may have taken place",
            "mirror fewer sources to the port, or give the capture a larger buffer and a faster \
             disk",
        ],
        Doubt::LostByMirrors(_) => [
            "what was not seen may have taken place",
            "mirror fewer sources, and give the tunnels a path with room for whole frames (MTU) and \
             a class of service",
        ],
        Doubt::ClockSetBack(_) => [
            "times and durations beyond it do not agree with those before",
            "keep the clock by NTP while capturing, and name the files of one machine in one order",
        ],
        Doubt::Paused(_) => [
            "what took place meanwhile is unknown, unless the network was silent",
            "check that every file of the set is there, and that nobody set the clock",
        ],
        Doubt::Interrupted { .. } => [
            "what took place meanwhile is unknown, and of flows that went on a part is missing",
            "see why the watch ended; a smaller --report-every makes less be lost by a kill",
        ],
        Doubt::OutOfOrder(_) => [
            "who opened a flow, and how far it came, may be mistaken in flows of that time",
            "capture with one queue or one machine, or merge the captures by time first",
        ],
        Doubt::NoPacket => [
            "nothing can be said of the network",
            "check that the capture ran and that its interface is the mirror port",
        ],
        Doubt::NoHost => {
            ["nobody's traffic can be held against the document", "list the hosts with their roles"]
        }
        Doubt::NothingGoverned => [
            "nothing can be said of those hosts",
            "check the addresses in the site file and the sources of the mirror session",
        ],
        Doubt::OneSided { .. } => [
            "whether an attempt was answered is unknown, and who asked is told by ports alone",
            "set the SPAN source to both",
        ],
        Doubt::OneWay { .. } => [
            "what the other side sent in them is unknown",
            "mirror both directions of every source, and every link over which routing may take \
             the answers",
        ],
        Doubt::MidStream { .. } => [
            "who opened them is told by ports alone",
            "start the capture earlier, or capture for longer",
        ],
        Doubt::Unseen { .. } => [
            "what they said is unknown, and other packets may be missing as well",
            "mirror ports drop under load without a counter: mirror fewer sources, or use a \
             faster port",
        ],
        Doubt::Cut(_) => [
            "what was spoken in them is unknown, so a service may be known by its port alone",
            "raise the snaplen of the capture to 262144",
        ],
        Doubt::Copies { nearly_all: true, .. } => [
            "they are left out of every count, and half of what the mirror port carries is wasted",
            "set the SPAN source to rx alone where it holds all ports of a VLAN or switch, or mirror \
             both directions of the uplink alone",
        ],
        Doubt::Copies { .. } => [
            "they are left out of every count",
            "mirror each packet once: one direction of every port, or both of the uplink alone",
        ],
        Doubt::UnnamedCollectors(_) => [
            "whether they belong to the capture or to the network is unknown",
            "name the collectors under [capture] in the site file",
        ],
        Doubt::UntoldTunnels(_) => [
            "a tunnel of a governed host may be among them",
            "split the capture by time and judge the parts",
        ],
        Doubt::SuperFrames(_) => [
            "packets on the wire were more and shorter, so packet counts are too low",
            "switch GRO and LRO off on the capturing network card",
        ],
        Doubt::AbsentRoles(_) => [
            "nothing can be said of their traffic",
            "add their ports to the mirror session, or correct the site file",
        ],
        Doubt::IdleTables(_) => [
            "whether that traffic keeps to the document is unknown",
            "check that the mirror session covers the path between those hosts, or capture for \
             longer",
        ],
        Doubt::Undecoded { .. } => [
            "what they carried is unknown",
            "see capture_health.undecoded for the headers; mirror without that encapsulation",
        ],
        Doubt::NotAssessable { .. } => [
            "whether they keep to the document is unknown",
            "add what the findings name as missing",
        ],
        Doubt::TableFull(_) => ["new flows of that time are missing", MEMORY],
        Doubt::BlurredPackets(_) => ["several uses of a five-tuple count as one", MEMORY],
        Doubt::UnclaimedFragments(_) => [
            "nothing tells what they carried",
            "start the capture earlier; mirror every link over which fragments may come",
        ],
        Doubt::LostFragments(_) => {
            ["nothing tells what they carried", "split the capture by time and judge the parts"]
        }
        Doubt::LostQuotes(_) => [
            "attempts that were refused may count as unanswered",
            "split the capture by time and judge the parts",
        ],
    }
}
