//! What packets make of a flow: who opened it, how that is known, how far it came and where one
//! use of a five-tuple ends. Expected values from the table of connection states, the rules for
//! the initiator and the idle times of the protocol notes (RFC 9293 section 3.5 and 3.8.4,
//! RFC 7413, RFC 792).

use portolan::base::{LinkType, Timestamp};
use portolan::capture::{FrameBatch, FrameMeta, FrameRef};
use portolan::decode::Direction;
use portolan::engine::{Evaluated, Fold};
use portolan::flow::{Class, ConnectionState, DirectionBasis, FlowRecord};

use ConnectionState::{
    Established, HalfSeen, HandshakeOnly, MidStream, OneWay, Refused, Unanswered,
};
use DirectionBasis::{FirstPacket, Syn, SynAck};

use crate::frames;

const SECOND: i64 = 1_000_000_000;
const MILLI: i64 = 1_000_000;
const HOSTS: frames::Hosts = ([10, 0, 0, 1], [10, 0, 1, 1]);
const PORTS: frames::Ports = (40_000, 88);
const SWAPPED_HOSTS: frames::Hosts = (HOSTS.1, HOSTS.0);

/// The client is the lower end.
const CLIENT: Direction = Direction::AToB;
const SERVER: Direction = Direction::BToA;

const FIN: u8 = 0x01;
const SYN: u8 = 0x02;
const RST: u8 = 0x04;
const PSH: u8 = 0x08;
const ACK: u8 = 0x10;
const URG: u8 = 0x20;

/// A frame and its time in nanoseconds.
type Packet = (i64, Vec<u8>);

/// A TCP segment of the client: time in milliseconds, flags, sequence and acknowledgement
/// number, bytes of payload.
fn c(at: i64, flags: u8, sequence: u32, ack: u32, length: usize) -> Packet {
    (at * MILLI, frames::tcp(HOSTS, PORTS, sequence, ack, flags, &vec![0xab; length]))
}

/// A TCP segment of the server.
fn s(at: i64, flags: u8, sequence: u32, ack: u32, length: usize) -> Packet {
    let ports = (PORTS.1, PORTS.0);
    (at * MILLI, frames::tcp(SWAPPED_HOSTS, ports, sequence, ack, flags, &vec![0xab; length]))
}

fn udp_of(direction: Direction, seconds: i64) -> Packet {
    let frame = match direction {
        Direction::AToB => frames::udp(HOSTS, PORTS, &[1; 20]),
        Direction::BToA => frames::udp(SWAPPED_HOSTS, (PORTS.1, PORTS.0), &[1; 20]),
    };
    (seconds * SECOND, frame)
}

fn fold(packets: &[Packet], snaplen: usize) -> Evaluated {
    let mut batch = FrameBatch::default();
    for ((time, frame), index) in packets.iter().zip(0_u64..) {
        let captured = frame.len().min(snaplen);
        batch.frames.push(FrameMeta {
            offset: batch.bytes.len(),
            captured: captured as u32,
            original: frame.len() as u32,
            time: Timestamp::from_nanos(*time),
            source: FrameRef { ordinal: index, input: 0, number: index + 1 },
            stored_at: 0,
            interface: 0,
            link: LinkType::ETHERNET,
            fcs_bytes: 0,
        });
        batch.bytes.extend_from_slice(&frame[..captured]);
    }
    let mut fold = Fold::new(foldhash::fast::RandomState::default(), u64::MAX);
    fold.push(&[batch]);
    fold.finish().evaluate()
}

/// The flows in order of time.
fn flows(packets: &[Packet]) -> Vec<FlowRecord> {
    let mut records = fold(packets, usize::MAX).records;
    records.reverse();
    records
}

type Seen = (Direction, DirectionBasis, ConnectionState);

/// Checks what every use of the one five-tuple looks like.
fn check(name: &str, packets: &[Packet], expected: &[Seen]) {
    let records = flows(packets);
    let seen: Vec<Seen> = records
        .iter()
        .map(|record| (record.initiator, record.basis, record.state(record.initiator)))
        .collect();
    assert_eq!(seen, expected, "{name}");
    let instances: Vec<u32> = records.iter().map(|record| record.instance).collect();
    assert_eq!(instances, (1..=expected.len() as u32).collect::<Vec<_>>(), "{name}");
    assert!(records.iter().all(|record| !record.is_probe()), "{name}");
}

fn handshake() -> Vec<Packet> {
    vec![c(0, SYN, 100, 0, 0), s(1, SYN | ACK, 500, 101, 0), c(2, ACK, 101, 501, 0)]
}

fn after_handshake(more: &[Packet]) -> Vec<Packet> {
    [&handshake()[..], more].concat()
}

#[test]
fn a_syn_names_the_initiator_and_the_answer_the_state() {
    let opened = |state| [(CLIENT, Syn, state)];
    check("handshake", &handshake(), &opened(Established));
    let data = [c(3, ACK | PSH, 101, 501, 30), s(4, ACK | PSH, 501, 131, 40)];
    check("communication", &after_handshake(&data), &opened(Established));
    let close = [c(3, FIN | ACK, 101, 501, 0), s(4, FIN | ACK, 501, 102, 0)];
    check("closed without data", &after_handshake(&close), &opened(HandshakeOnly));
    let syns = [c(0, SYN, 7, 0, 0), c(1_000, SYN, 7, 0, 0), c(3_000, SYN, 7, 0, 0)];
    check("one attempt, retransmitted", &syns, &opened(Unanswered));
    let refused = [c(0, SYN, 7, 0, 0), s(1, RST | ACK, 0, 8, 0)];
    check("refused", &refused, &opened(Refused));
    let half_open = [c(0, SYN, 7, 0, 0), s(1, SYN | ACK, 500, 8, 0), c(2, RST, 8, 0, 0)];
    check("half-open", &half_open, &opened(HandshakeOnly));
    let unacknowledged =
        [c(0, SYN, 7, 0, 0), s(1, SYN | ACK, 500, 8, 0), s(9, SYN | ACK, 500, 8, 0)];
    check("SYN+ACK retransmitted", &unacknowledged, &opened(HandshakeOnly));
}

#[test]
fn a_syn_with_data_is_refused_by_reset() {
    let packets = [c(0, SYN, 7, 0, 20), s(1, RST | ACK, 0, 28, 0)];
    check("TFO", &packets, &[(CLIENT, Syn, Refused)]);
}

#[test]
fn data_of_the_server_proves_the_acknowledgement_that_was_lost() {
    let mut packets = vec![c(0, SYN, 100, 0, 0), s(1, SYN | ACK, 500, 101, 0)];
    packets.extend((0..20).map(|index| s(2 + index, ACK, 501 + 1_460 * index as u32, 101, 1_460)));
    check("open", &packets, &[(CLIENT, Syn, Established)]);
    packets.push(s(40, FIN | ACK, 29_701, 101, 0));
    check("closed", &packets, &[(CLIENT, Syn, Established)]);
}

#[test]
fn keep_alive_bytes_are_no_data_however_many() {
    let mut packets = handshake();
    for index in 1..=5 {
        packets.push(c(index * 1_000, ACK, 100, 501, 1));
        packets.push(s(index * 1_000 + 1, ACK, 501, 101, 0));
    }
    packets.push(c(9_000, FIN | ACK, 101, 501, 0));
    packets.push(s(9_001, FIN | ACK, 501, 102, 0));
    check("keep-alives", &packets, &[(CLIENT, Syn, HandshakeOnly)]);
    packets.insert(3, c(3, ACK | PSH, 101, 501, 2));
    check("two bytes at once", &packets, &[(CLIENT, Syn, Established)]);
}

#[test]
fn without_a_syn_the_first_packet_or_the_acknowledgements_tell() {
    let both = [s(0, ACK, 500, 100, 60), c(1, ACK, 100, 560, 0)];
    check("mid-stream", &both, &[(SERVER, FirstPacket, MidStream)]);
    let growing = [c(0, ACK, 100, 500, 0), c(1, ACK, 100, 900, 0)];
    check("half-seen", &growing, &[(CLIENT, FirstPacket, HalfSeen)]);
    let still = [c(0, ACK, 100, 500, 30), c(1, ACK, 130, 500, 30)];
    check("one-way", &still, &[(CLIENT, FirstPacket, OneWay)]);
    let lone = [s(0, SYN | ACK, 500, 101, 0)];
    check("lone SYN+ACK", &lone, &[(CLIENT, SynAck, HalfSeen)]);
    let one_sided = [s(0, SYN | ACK, 500, 101, 0), s(5, ACK, 501, 131, 50), s(9, RST, 551, 0, 0)];
    check("server side only", &one_sided, &[(CLIENT, SynAck, HalfSeen)]);
    let late = [s(0, SYN | ACK, 500, 101, 0), c(1, ACK, 101, 501, 0)];
    check("SYN lost", &late, &[(CLIENT, SynAck, Established)]);
    let aborted = [s(0, SYN | ACK, 500, 101, 0), c(1, ACK, 101, 501, 9), c(2, RST, 110, 0, 0)];
    check("SYN lost, reset later", &aborted, &[(CLIENT, SynAck, Established)]);
    let served = [s(0, SYN | ACK, 500, 101, 0), s(2, ACK, 501, 101, 9), c(3, RST, 101, 0, 0)];
    check("SYN and ACK lost", &served, &[(CLIENT, SynAck, Established)]);
}

#[test]
fn a_probe_is_its_senders_and_no_connection() {
    for flags in [SYN | ACK, FIN, 0, FIN | PSH | URG, SYN | RST] {
        let probe = s(0, flags, 500, 101, 0);
        let answered = [probe.clone(), c(1, RST, 101, 0, 0)];
        let reordered = [c(0, RST, 101, 0, 0), s(1, flags, 500, 101, 0)];
        let repeated: Vec<Packet> = (0..6)
            .map(|at| s(at, flags, 500, 101, 0))
            .chain([c(9, RST | ACK, 101, 501, 0)])
            .collect();
        for packets in [&answered[..], &reordered, &repeated] {
            let [record] = &flows(packets)[..] else { panic!("one flow") };
            assert!(record.is_probe(), "{flags:#04x}");
            assert_eq!((record.initiator, record.basis), (SERVER, FirstPacket), "{flags:#04x}");
            assert_eq!(record.state(SERVER), Refused, "{flags:#04x}");
            assert_eq!(record.state(CLIENT), Refused, "{flags:#04x}");
        }
        if flags != SYN | ACK {
            let [record] = &flows(&[probe])[..] else { panic!("one flow") };
            assert!(record.is_probe(), "{flags:#04x}");
            assert_eq!((record.initiator, record.state(SERVER)), (SERVER, OneWay), "{flags:#04x}");
        }
    }
}

#[test]
fn a_connection_that_ends_is_no_probe() {
    let ends = [s(0, FIN | ACK, 500, 101, 0), c(1, RST, 101, 0, 0)];
    check("FIN and ACK", &ends, &[(SERVER, FirstPacket, MidStream)]);
    let reset = [s(0, RST, 500, 0, 0)];
    check("a lone RST", &reset, &[(SERVER, FirstPacket, OneWay)]);
}

#[test]
fn a_new_syn_is_a_new_use_of_the_five_tuple() {
    let reuse = after_handshake(&[
        c(3, FIN | ACK | PSH, 101, 501, 20),
        s(4, FIN | ACK, 501, 122, 0),
        c(60_000, SYN, 9_000, 0, 0),
    ]);
    let both = [(CLIENT, Syn, Established), (CLIENT, Syn, Unanswered)];
    check("port reuse", &reuse, &both);
    let other = [c(0, SYN, 100, 0, 0), c(1_000, SYN, 200, 0, 0), s(1_001, RST | ACK, 0, 201, 0)];
    check("another ISN", &other, &[(CLIENT, Syn, Unanswered), (CLIENT, Syn, Refused)]);
}

#[test]
fn a_syn_is_retransmitted_within_two_minutes() {
    let attempt = (CLIENT, Syn, Unanswered);
    check("120 s", &[c(0, SYN, 7, 0, 0), c(120_000, SYN, 7, 0, 0)], &[attempt]);
    check("121 s", &[c(0, SYN, 7, 0, 0), c(121_000, SYN, 7, 0, 0)], &[attempt, attempt]);
}

#[test]
fn packets_in_the_wrong_order_make_one_flow() {
    let early = [s(0, SYN | ACK, 500, 101, 0), c(1, SYN, 100, 0, 0), c(2, ACK, 101, 501, 0)];
    check("SYN+ACK before SYN", &early, &[(CLIENT, Syn, Established)]);
    let very = [c(0, ACK, 101, 501, 0), s(1, SYN | ACK, 500, 101, 0), c(2, SYN, 100, 0, 0)];
    check("backwards", &very, &[(CLIENT, Syn, Established)]);
}

#[test]
fn of_two_syns_the_answered_one_counts() {
    let (ours, theirs) = (c(0, SYN, 100, 0, 0), s(1, SYN, 500, 0, 0));
    let answered =
        [ours.clone(), theirs.clone(), s(2, SYN | ACK, 500, 101, 0), c(3, ACK, 101, 501, 0)];
    check("the first", &answered, &[(CLIENT, Syn, Established)]);
    let turned = [ours, theirs, c(2, SYN | ACK, 100, 501, 0), s(3, ACK, 501, 101, 0)];
    check("the second", &turned, &[(SERVER, Syn, Established)]);
}

#[test]
fn udp_exchanges_end_after_three_minutes_of_silence() {
    let both = [udp_of(CLIENT, 0), udp_of(SERVER, 1)];
    check("answered", &both, &[(CLIENT, FirstPacket, Established)]);
    let one = (CLIENT, FirstPacket, OneWay);
    check("180 s", &[udp_of(CLIENT, 0), udp_of(CLIENT, 180)], &[one]);
    check("181 s", &[udp_of(CLIENT, 0), udp_of(CLIENT, 181)], &[one, one]);
}

#[test]
fn an_icmp_error_refuses_what_it_quotes() {
    for cause in [c(0, SYN, 7, 0, 0), udp_of(CLIENT, 0)] {
        let error = frames::icmp_unreachable(SWAPPED_HOSTS, &cause.1);
        let quoted = |records: &[FlowRecord]| {
            let noted: Vec<FlowRecord> =
                records.iter().filter(|record| record.icmp.is_some()).cloned().collect();
            let [record] = &noted[..] else { panic!("one flow is quoted") };
            assert_eq!((record.initiator, record.state(CLIENT)), (CLIENT, Refused));
            (record.packets(), record.icmp.as_ref().unwrap().quote.source.unwrap().number)
        };
        let (time, _) = cause;
        let with_cause = [cause, (time + MILLI, error.clone()), (time + 9 * MILLI, error.clone())];
        assert_eq!(quoted(&flows(&with_cause)), (1, 2));
        // Seen only in the error: an attempt without packets.
        assert_eq!(quoted(&flows(&[(5, error.clone()), (7, error)])), (0, 1));
    }
}

#[test]
fn an_icmp_error_to_a_stranger_says_nothing() {
    let cause = udp_of(CLIENT, 0);
    for hosts in [HOSTS, ([192, 0, 2, 66], [192, 0, 2, 77])] {
        let error = (MILLI, frames::icmp_unreachable(hosts, &cause.1));
        let evaluated = fold(&[cause.clone(), error.clone()], usize::MAX);
        assert_eq!((evaluated.quotes_misdirected, evaluated.records.len()), (1, 2));
        assert!(evaluated.records.iter().all(|record| record.icmp.is_none()));
        let alone = fold(&[error], usize::MAX);
        assert_eq!((alone.quotes_misdirected, alone.records.len()), (1, 1));
    }
}

#[test]
fn packets_cut_before_their_ports_say_so() {
    // Ethernet 14, IPv4 20, ports 4 bytes.
    for packet in [c(0, SYN, 7, 0, 0), udp_of(CLIENT, 0)] {
        for (snaplen, missing, port) in [(34, true, 0), (37, true, 0), (38, false, 88)] {
            let evaluated = fold(std::slice::from_ref(&packet), snaplen);
            let [record] = &evaluated.records[..] else { panic!("one flow") };
            assert_eq!(record.ports_missing(), missing, "{snaplen}");
            assert_eq!(record.key.receiver(CLIENT).port(), port, "{snaplen}");
            assert!(record.cut(), "{snaplen}");
        }
        let whole = flows(&[packet]);
        assert!(whole.iter().all(|record| !record.ports_missing() && !record.cut()));
    }
}

#[test]
fn times_at_both_ends_of_the_range_are_far_apart() {
    let syns = [(i64::MAX, c(0, SYN, 100, 0, 0).1), (i64::MIN, s(0, SYN, 500, 0, 0).1)];
    let records = flows(&syns);
    assert_eq!(records.iter().map(|record| record.instance).collect::<Vec<_>>(), [2, 1]);
    let parts = frames::fragmented_udp(HOSTS, PORTS, 1, 2);
    for (first, later) in [(i64::MIN, i64::MAX), (i64::MAX, i64::MIN)] {
        for order in [[0, 1], [1, 0]] {
            let times = [first, later];
            let packets = order.map(|index| (times[index], parts[index].clone()));
            let evaluated = fold(&packets, usize::MAX);
            assert_eq!(evaluated.accounting.of(Class::UnclaimedFragment).packets, 1);
        }
    }
}
