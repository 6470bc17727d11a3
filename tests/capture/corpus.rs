//! Every real capture gives the packets, bytes and times that tshark and capinfos saw, and
//! ends where tshark says it does.

use super::*;

/// Files in which we differ from the table on purpose: the reason, and the changes that make
/// its row ours.
const EXCEPTIONS: [(&str, &str, Change); 5] = [
    (
        "malformed/libpcap__slip-sliplink_print-oobr.pcap",
        "the record has 255 bytes of a frame of 225; we count the wire length as 255",
        |row| row.original_bytes += 255 - 225,
    ),
    (
        "malformed/tcpdump__icmp-icmp_print-oobr-2.pcap",
        "two records have 64 bytes of frames of 34 and 0; we count the wire lengths as 64",
        |row| row.original_bytes += (64 - 34) + 64,
    ),
    (
        "malformed/suricata__bug-6875-01-fuzz.pcap",
        "the second record claims 1409179648 bytes. tcpdump stops there as we do; tshark takes \
         the file for another variant of pcap, whose longer header gives it a second packet of \
         one byte before it stops too",
        |row| {
            (row.packets, row.links) = (1, vec![(1, 1)]);
            (row.original_bytes, row.captured_bytes, row.cut) = (188, 188, 0);
            row.first = row.last;
        },
    ),
    (
        "malformed/tcpdump__kday6.pcap",
        "tshark knows no link type 182 and refuses the file; capinfos of a copy with link type \
         1 and tcpdump of the file itself see its one packet",
        |row| {
            (row.packets, row.links, row.ending) = (1, vec![(182, 1)], "complete");
            (row.original_bytes, row.captured_bytes, row.cut) = (262_144, 3510, 1);
            row.first = Some(Timestamp::from_nanos(26_756_663_614_000));
            row.last = row.first;
        },
    ),
    (
        "malformed/tcpdump__timestamp_invalid_micro.pcap",
        "the third packet has a fraction of 2147483648 us, as tcpdump prints it; in tshark it \
         overflows to 0, we add it to the seconds",
        |row| {
            row.last = Some(Timestamp::from_parts(1_418_145_370, 2_147_483_648_000));
        },
    ),
];

type Change = fn(&mut Row);

/// A row of `counts.tsv` as far as the capture layer can know it.
#[derive(Clone, Debug, PartialEq)]
struct Row {
    container: String,
    packets: u64,
    original_bytes: u64,
    captured_bytes: u64,
    links: Vec<(u16, u64)>,
    first: Option<Timestamp>,
    last: Option<Timestamp>,
    cut: u64,
    ending: &'static str,
    sha256: String,
}

impl Row {
    fn of_table(row: &BTreeMap<&str, &str>, sha256: &str) -> Self {
        let number = |column: &str| row[column].parse().expect("a count");
        let message = row["tshark_msg"];
        Row {
            container: row["container"].to_owned(),
            packets: number("packets"),
            original_bytes: number("frame_bytes"),
            captured_bytes: number("cap_bytes"),
            links: links(row["linktypes"]),
            first: time(row["first_ts"]),
            last: time(row["last_ts"]),
            cut: number("snaplen_cut"),
            ending: match message {
                _ if row["tshark_rc"] == "0" => "complete",
                _ if message.contains("cut short") => "incomplete",
                _ if message.contains("damaged or corrupt") => "corrupt",
                _ if message.contains("doesn't support") => "unreadable",
                other => panic!("unknown message {other}"),
            },
            sha256: sha256.to_owned(),
        }
    }

    fn of_summary(summary: &InputSummary) -> Self {
        let links = summary.link_types().into_iter().filter(|(_, packets)| *packets > 0);
        Row {
            container: container(summary),
            packets: summary.packets,
            original_bytes: summary.original_bytes,
            captured_bytes: summary.captured_bytes,
            links: links.map(|(link, packets)| (link.0, packets)).collect(),
            first: summary.first,
            last: summary.last,
            cut: summary.cut_packets,
            ending: match summary.ending {
                Ending::Complete => "complete",
                Ending::IncompleteTail { .. } => "incomplete",
                Ending::Corrupt { .. } => "corrupt",
                Ending::Unreadable { .. } => "unreadable",
                Ending::Interrupted => "interrupted",
                Ending::NotRead { .. } => "not read",
            },
            sha256: summary.sha256.clone().unwrap_or_default(),
        }
    }
}

/// The container in the words of capinfos, with the compression.
fn container(summary: &InputSummary) -> String {
    let container = match (summary.container, summary.resolution) {
        (Some(Container::Pcap), Some(Resolution::NANOSECONDS)) => "nsecpcap",
        (Some(Container::Pcap), _) => "pcap",
        (Some(Container::ModifiedPcap), _) => "modpcap",
        (Some(Container::Pcapng), _) => "pcapng",
        (None, _) => "?",
    };
    let compression = match summary.compression {
        Compression::None => "",
        Compression::Gzip => "+gz",
        Compression::Zstd => "+zst",
        Compression::Lz4 => "+lz4",
    };
    format!("{container}{compression}")
}

/// `1:59+113:100`; names instead of numbers where there are no packets.
fn links(text: &str) -> Vec<(u16, u64)> {
    text.split('+')
        .filter_map(|part| part.split_once(':'))
        .map(|(link, packets)| (link.parse().expect("link type"), packets.parse().expect("count")))
        .collect()
}

/// Seconds with a fraction; `-` for none. tshark prints fractions of a second and more as they
/// are, so the two parts are added.
fn time(text: &str) -> Option<Timestamp> {
    let (seconds, fraction) = match text {
        "-" => return None,
        "0E-9" => ("0", "0"),
        other => other.split_once('.').expect("a fraction"),
    };
    Some(Timestamp::from_parts(seconds.parse().ok()?, fraction.parse().ok()?))
}

/// The rows of a table with a header line, by column.
fn rows(table: &str) -> Vec<BTreeMap<&str, &str>> {
    let mut lines = table.lines();
    let columns: Vec<_> = lines.next().expect("a header").split('\t').collect();
    lines.map(|line| columns.iter().copied().zip(line.split('\t')).collect()).collect()
}

/// Packets and bytes on the wire of every file, as the table has them but for the exceptions.
pub fn totals(folder: &Path) -> Vec<(String, u64, u64)> {
    let counts = fs::read_to_string(folder.join("counts.tsv")).expect("counts.tsv");
    let total = |row: &BTreeMap<&str, &str>| {
        let file = row["file"];
        let mut wanted = Row::of_table(row, "");
        if let Some((.., change)) = EXCEPTIONS.iter().find(|(name, ..)| *name == file) {
            change(&mut wanted);
        }
        (file.to_owned(), wanted.packets, wanted.original_bytes)
    };
    rows(&counts).iter().map(total).collect()
}

#[test]
fn files_give_what_tshark_and_capinfos_saw() {
    let Some(folder) = corpus_folder() else { return };
    let counts = fs::read_to_string(folder.join("counts.tsv")).expect("counts.tsv");
    let sources = fs::read_to_string(folder.join("sources.tsv")).expect("sources.tsv");
    let hashes: BTreeMap<_, _> =
        rows(&sources).into_iter().map(|row| (row["file"], row["sha256"])).collect();
    let mut problems = Vec::new();
    let mut files = 0;
    for row in rows(&counts) {
        let file = row["file"];
        files += 1;
        let (_, summaries) = read_paths(&[folder.join(file)]);
        let found = Row::of_summary(&summaries[0]);
        let table = Row::of_table(&row, hashes[file]);
        let mut wanted = table.clone();
        if let Some((_, reason, change)) = EXCEPTIONS.iter().find(|(name, ..)| *name == file) {
            change(&mut wanted);
            assert_ne!(wanted, table, "{file} is no exception any more: {reason}");
        }
        if wanted.container == "?" {
            // capinfos names no container of a file that it could not read to its end.
            wanted.container.clone_from(&found.container);
        }
        if found != wanted {
            let ending = &summaries[0].ending;
            problems.push(format!("{file}: {ending}\n  found  {found:?}\n  wanted {wanted:?}"));
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    assert_eq!(files, 430, "rows of counts.tsv");
}

#[test]
fn a_folder_is_read_whole_and_in_one_stream() {
    let Some(folder) = corpus_folder() else { return };
    let counts = fs::read_to_string(folder.join("counts.tsv")).expect("counts.tsv");
    // `read` checks that ordinals and packet numbers leave nothing out.
    let (frames, summaries) = read_paths(&[folder.join("encaps")]);
    let rows = rows(&counts);
    let rows: Vec<_> = rows.iter().filter(|row| row["file"].starts_with("encaps/")).collect();
    let packets: usize = rows.iter().map(|row| row["packets"].parse::<usize>().unwrap()).sum();
    assert_eq!(summaries.len(), rows.len());
    assert_eq!(frames.len(), packets);
    let firsts: Vec<_> = summaries.iter().filter_map(|summary| summary.first).collect();
    assert!(firsts.is_sorted(), "inputs are read in the order of their first packets");
}
