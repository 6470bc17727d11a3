//! Network time protocol, versions 1 to 4, SNTP and MS-SNTP (RFC 5905 section 7.3, RFC 4330,
//! MS-SNTP section 2.2; control messages: RFC 9327 section 2; private messages: ntp_request.h of the
//! reference implementation).
//!
//! Layout (big-endian): 0 leap 2 bits, version 3, mode 3 · 1 stratum · 2 poll · 3 precision ·
//! 4 root delay, 16.16 seconds · 8 root dispersion · 12 reference identifier · 16 reference
//! timestamp · 24 originate · 32 receive · 40 transmit, all 32.32 seconds since 1900. Strong: a
//! server's packet whose clocks agree, or a client's packet that is empty but for the time it was
//! sent. Confirmed: an answer that repeats the client's transmit timestamp, which no other
//! protocol would do; that pair is strong by itself.

use super::Recogniser;
use super::details::Details;
use super::evidence::Carriage;
use super::protocol::Protocol;
use super::reading::{Course, Message, Reading, Role};
use crate::base::Cursor;

/// The recogniser of NTP.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol::Ntp,
    carriage: &[Carriage::Udp],
    recognise: |evidence| COURSE.recognise(evidence),
};

const COURSE: Course = Course::new(Protocol::Ntp, read).detailed(details);

/// Bytes without extensions.
const PACKET: usize = 48;

/// The longest packet with extension fields that is believed.
const LONGEST: usize = 1024;

/// Bytes of the header of a control message.
const CONTROL_HEADER: usize = 12;

/// Stratum 16 is unsynchronised, more is reserved.
const STRATUM_LIMIT: u8 = 16;

/// Root delay and dispersion that a server in order never exceeds: 64 seconds in 16.16.
const ROOT_LIMIT: u32 = 64 << 16;

/// How far the clocks of a server's own timestamps may lie apart: a day and a half, in seconds.
const CLOCK_SPREAD: u32 = 36 * 3600;

const ACTIVE: u8 = 1;
const PASSIVE: u8 = 2;
const CLIENT: u8 = 3;
const SERVER: u8 = 4;
const BROADCAST: u8 = 5;
const CONTROL: u8 = 6;
const PRIVATE: u8 = 7;

fn read(message: Message<'_>) -> Reading {
    let Some(first) = message.bytes.first() else {
        return if message.is_cut() { Reading::OPEN } else { Reading::NO };
    };
    let (version, mode) = (first >> 3 & 7, first & 7);
    if !(1..=4).contains(&version) {
        return Reading::NO;
    }
    match mode {
        CONTROL => read_control(message),
        PRIVATE => read_private(message),
        ACTIVE | PASSIVE | CLIENT | SERVER | BROADCAST => read_time(message, mode),
        _ => Reading::NO,
    }
}

/// A packet that carries times.
fn read_time(message: Message<'_>, mode: u8) -> Reading {
    if !(PACKET..=LONGEST).contains(&message.wire) || !message.wire.is_multiple_of(4) {
        return Reading::NO;
    }
    let Some(packet) = Packet::parse(message.bytes) else { return Reading::OPEN };
    let sane = packet.stratum <= STRATUM_LIMIT && packet.has_sane_poll();
    if !sane || !extensions_fit(message) {
        return Reading::NO;
    }
    match mode {
        CLIENT | ACTIVE => packet.read_request(),
        SERVER | PASSIVE => packet.read_answer().from(Role::Server).in_exchange(packet.originate),
        _ => packet.read_answer(),
    }
}

/// What may end a packet: nothing, a bare key number, or one with a digest of 16, 20 or 32 bytes,
/// and the 72 bytes of MS-SNTP (section 2.2.3).
const ENDINGS: [usize; 6] = [0, 4, 20, 24, 36, 72];

/// Whether what follows the packet is extension fields (RFC 7822: kind, length, value) and a known
/// ending.
fn extensions_fit(message: Message<'_>) -> bool {
    let mut at = PACKET;
    loop {
        let left = message.wire.saturating_sub(at);
        if ENDINGS.contains(&left) {
            return true;
        }
        let mut cursor = Cursor::new(message.bytes.get(at..).unwrap_or_default());
        let Some(length) = cursor.skip(2).and_then(|()| cursor.u16_be()).map(usize::from) else {
            return message.is_cut();
        };
        if length < 16 || length % 4 != 0 || length > left {
            return false;
        }
        at += length;
    }
}

/// The fields that are looked at.
struct Packet {
    stratum: u8,
    poll: u8,
    precision: u8,
    root_delay: u32,
    root_dispersion: u32,
    reference: u64,
    originate: u64,
    receive: u64,
    transmit: u64,
}

impl Packet {
    fn parse(bytes: &[u8]) -> Option<Packet> {
        let mut cursor = Cursor::new(bytes);
        cursor.skip(1)?;
        let (stratum, poll, precision) = (cursor.u8()?, cursor.u8()?, cursor.u8()?);
        let (root_delay, root_dispersion) = (cursor.u32_be()?, cursor.u32_be()?);
        cursor.skip(4)?;
        let mut times = [0; 4];
        for time in &mut times {
            *time = cursor.array().map(u64::from_be_bytes)?;
        }
        let [reference, originate, receive, transmit] = times;
        Some(Packet {
            stratum,
            poll,
            precision,
            root_delay,
            root_dispersion,
            reference,
            originate,
            receive,
            transmit,
        })
    }

    /// Poll is the logarithm of an interval: up to 17 (36 hours), or 0 when unused; some
    /// implementations send small negative values.
    fn has_sane_poll(&self) -> bool {
        self.poll <= 17 || self.poll >= 0xF0
    }

    /// Precision is the logarithm of a fraction of a second: 0 when unused, else negative.
    fn has_sane_precision(&self) -> bool {
        matches!(self.precision, 0 | 0xE0..=0xFF)
    }

    fn read_request(&self) -> Reading {
        // Most clients tell nothing but when they sent.
        let bare = self.root_delay == 0
            && self.root_dispersion <= ROOT_LIMIT
            && self.reference == 0
            && self.originate == 0
            && self.receive == 0;
        let synchronised = self.root_delay <= ROOT_LIMIT
            && self.root_dispersion <= ROOT_LIMIT
            && self.has_sane_precision()
            && self.precision != 0
            && agree(self.reference, self.transmit);
        let fit = if bare || synchronised { Reading::strong(PACKET) } else { Reading::weak(1) };
        fit.from(Role::Client).in_exchange(self.transmit)
    }

    fn read_answer(&self) -> Reading {
        let sane = self.root_delay <= ROOT_LIMIT
            && self.root_dispersion <= ROOT_LIMIT
            && self.has_sane_precision();
        let received = self.receive == 0 || agree(self.receive, self.transmit);
        let clocks = agree(self.reference, self.transmit)
            || self.reference == 0 && self.receive != 0 && received;
        if sane && received && clocks && self.transmit != 0 {
            Reading::strong(PACKET)
        } else {
            Reading::weak(1)
        }
    }
}

/// Whether two timestamps are of the same days.
fn agree(one: u64, other: u64) -> bool {
    let seconds = |time: u64| (time >> 32) as u32;
    one != 0 && seconds(one).abs_diff(seconds(other)) <= CLOCK_SPREAD
}

/// A private message of the reference implementation: 1 sequence · 2 implementation 0, 2 or 3 · 3
/// request · 4 error and count of items · 6 size of one; then the items, and in a request zeros.
fn read_private(message: Message<'_>) -> Reading {
    let [first, second, implementation, request, error, count, reserved, size, rest @ ..] =
        message.bytes
    else {
        return if message.is_cut() { Reading::OPEN } else { Reading::NO };
    };
    let response = first & 0x80 != 0;
    let items = u16::from_be_bytes([error & 0x0F, *count]);
    let size = u16::from_be_bytes([reserved & 0x0F, *size]);
    let bytes = usize::from(items) * usize::from(size);
    let sized = items == 0 || size > 0;
    let fits = sized && 8 + bytes <= message.wire && message.wire <= LONGEST;
    if !fits || !matches!(implementation, 0 | 2 | 3) || *request > 46 || reserved & 0xF0 != 0 {
        return Reading::NO;
    }
    let exchange = u64::from(*request) << 8 | u64::from(second & 0x7F);
    let empty = items == 0 && message.wire >= PACKET && rest.iter().all(|byte| *byte == 0);
    match response {
        false if empty && rest.len() > PACKET / 2 => Reading::strong(PACKET).from(Role::Client),
        false => Reading::weak(8).from(Role::Client),
        true => Reading::weak(8).from(Role::Server),
    }
    .in_exchange(exchange)
}

/// A control message: 1 response, error and more bits with a 5-bit opcode · 2 sequence · 4
/// status · 6 association · 8 offset · 10 count of data bytes, padded to words.
fn read_control(message: Message<'_>) -> Reading {
    let mut cursor = Cursor::new(message.bytes);
    let fields = (|| {
        cursor.skip(1)?;
        let (bits, sequence) = (cursor.u8()?, cursor.u16_be()?);
        cursor.skip(6)?;
        Some((bits, sequence, usize::from(cursor.u16_be()?)))
    })();
    let Some((bits, sequence, count)) = fields else {
        return if message.wire < CONTROL_HEADER { Reading::NO } else { Reading::OPEN };
    };
    let (opcode, response) = (bits & 0x1F, bits & 0x80 != 0);
    let filled = CONTROL_HEADER + count.next_multiple_of(4);
    // An authenticator may follow.
    let adds_up = (filled..=filled + 24).contains(&message.wire);
    if !adds_up || !matches!(opcode, 1..=12 | 31) {
        return Reading::NO;
    }
    let role = if response { Role::Server } else { Role::Client };
    let exchange = u64::from(opcode) << 16 | u64::from(sequence);
    Reading::weak(CONTROL_HEADER).from(role).in_exchange(exchange)
}

fn details(message: Message<'_>, details: &mut Details) {
    if let Some(first) = message.bytes.first() {
        details.add("version", (first >> 3 & 7).to_string());
    }
}
