//! Words for the names that the report uses. A name that has none here is shown as it is.

/// The verdicts, those that need attention first.
pub(super) const VERDICTS: [&str; 7] = [
    "violation",
    "unknown-peer",
    "not-assessable",
    "waived",
    "documented",
    "infrastructure",
    "out-of-scope",
];

/// The result of a run in a sentence.
pub(super) fn result(name: &str) -> &'static str {
    match name {
        "pass" => {
            "Nothing outside the documented set was found, and enough was seen to call that a pass."
        }
        "fail" => "There is traffic outside the documented set.",
        _ => {
            "Nothing outside the documented set was found, but too little was seen to call that a \
             pass."
        }
    }
}

/// A grade of the evidence in a few words.
pub(super) fn grade(name: &str) -> &'static str {
    match name {
        "A" => "hardly anything is missing",
        "B" => "little is missing",
        "C" => "enough is missing to hide a conversation",
        _ => "the capture cannot answer the question",
    }
}

/// A verdict in a few words.
pub(super) fn verdict(name: &str) -> &'static str {
    match name {
        "violation" => "both hosts are known, and no active row covers it",
        "unknown-peer" => "a governed host and an address outside the site file",
        "not-assessable" => "a fact is missing without which it cannot be judged",
        "waived" => "outside the documented set, and accepted by a waiver",
        "documented" => "an active row of the document covers it",
        "infrastructure" => "traffic that every network carries",
        "out-of-scope" => "the document does not govern these hosts",
        _ => "",
    }
}

/// How firmly a documented flow stands.
pub(super) fn strength(name: &str) -> &'static str {
    match name {
        "confirmed" => "what was spoken is what the row grants",
        "port-only" => {
            "hosts, direction and port are those of the row; what was spoken is not proved"
        }
        "assumed" => "rests on something that the site file does not state, or on a reading",
        "weak" => "only an over-broad row covers it",
        _ => "",
    }
}

/// Heading and explanation of a group of findings.
pub(super) fn code(name: &str) -> (&str, &'static str) {
    match name {
        "protocol-mismatch" => (
            "Another protocol on a documented port",
            "The port is documented, and something else was spoken there.",
        ),
        "port-outside-range" => (
            "A documented service outside its ports",
            "The roles have a row for the service; it ran on other ports.",
        ),
        "condition-off" => (
            "Switched off by the site's answers",
            "A row would cover it, but the site file answers its question otherwise.",
        ),
        "qualifier-mismatch" => (
            "Documented for other hosts of the role",
            "A row would cover it, but means another host: the monitored domain controller, the \
             partner server, the own mailbox server.",
        ),
        "wrong-direction" => (
            "Documented the other way round only",
            "A row covers the same with initiator and responder exchanged.",
        ),
        "wrong-transport" => (
            "Documented over the other transport only",
            "A row covers the same over the other of TCP and UDP.",
        ),
        "undocumented-service" => (
            "No row for the port",
            "The two roles have rows in this direction, but none for this port.",
        ),
        "undocumented-pair" => {
            ("No row for the roles", "No row names the two roles in this direction.")
        }
        "unknown-peer" => (
            "Peers that the site file does not list",
            "A governed host talked to an address without a role.",
        ),
        "not-assessable" => {
            ("Cannot be judged", "A fact is missing. Each finding names it, and the line to add.")
        }
        "scan" => (
            "Scans",
            "One source tried fifteen or more different doors within a minute, and none opened.",
        ),
        "documented-but-blocked" => (
            "Documented, and never answered",
            "The document grants the connection; it was tried in vain.",
        ),
        "waiver-exceeded" => {
            ("Waivers that accepted too much", "More flows came than the waiver allows.")
        }
        "waiver-expired" => {
            ("Waivers that are over", "Flows came that the waiver would have accepted.")
        }
        "waiver-unused" => ("Waivers without use", "Nothing came that the waiver accepts."),
        name => (name, ""),
    }
}

/// Sign, tone and meaning of the status of a row.
pub(super) fn status(name: &str) -> (&'static str, &'static str, &'static str) {
    match name {
        "exercised" => ("\u{2713}", "good", "answered traffic rests on it"),
        "weak-only" => ("~", "fair", "answered traffic rests on it, and the row is over-broad"),
        "blocked?" => ("!", "fair", "tried, never answered"),
        "unknown-answer" => ("?", "fair", "tried; the capture would not show every answer"),
        "contradicted" => {
            ("\u{2715}", "poor", "switched off by the site's answers, and seen all the same")
        }
        "off" => ("\u{2013}", "idle", "switched off by the site's answers"),
        "unbound" => ("\u{2013}", "idle", "its parameter has no value"),
        "no-host" => ("\u{2013}", "idle", "no host of the site holds a role that it names"),
        "unexercised" => ("\u{25cb}", "idle", "not used"),
        "not-seen" => ("\u{25cb}", "idle", "not seen, which proves nothing: packets are missing"),
        _ => ("", "idle", ""),
    }
}

/// A class of addresses outside the site file.
pub(super) fn class(name: &str) -> &str {
    match name {
        "internal-unlisted" => "private address, not in the site file",
        "external" => "address of the public Internet",
        "group" => "multicast group or broadcast",
        "any" => "any host",
        name => name,
    }
}

/// A class of the ledger of packets.
pub(super) fn ledger(name: &str) -> &str {
    match name {
        "flow" => "in flows, which are judged",
        "copy" => "copies of packets that a mirror or router made",
        "non-ip" => "no IP inside",
        "undecoded" => "not decoded",
        "unclaimed-fragment" => "fragments without the first of their datagram",
        "table-full" => "of flows for which there was no room",
        "remainder" => "of classes beyond those told apart",
        name => name,
    }
}
