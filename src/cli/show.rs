//! `portolan show`: what decoding made of one packet, for whoever has to believe it.
//!
//! The headers are those that decoding itself met, told by an [`Observer`]: there is no second
//! decoder.

use std::fmt::Write;
use std::path::Path;

use super::{Exit, shown};
use crate::capture::{FrameBatch, FrameMeta, Hashing, Inputs};
use crate::decode::{
    Carrier, Decoded, FragmentUnit, Header, Observer, Stop, Unit, dissect, non_ip_name,
};
use crate::report::printable;

/// What decoding met, in order.
#[derive(Default)]
struct Met {
    headers: Vec<Header>,
    carriers: Vec<Carrier>,
    unread: Vec<Stop>,
}

impl Observer for Met {
    fn header(&mut self, header: Header) {
        self.headers.push(header);
    }

    fn carrier(&mut self, carrier: Carrier) {
        self.carriers.push(carrier);
    }

    fn unread_inside(&mut self, stop: Stop) {
        self.unread.push(stop);
    }
}

/// Prints the layers of packet `number` of a capture, counted from 1 as it lies in the file.
pub(super) fn run(file: &Path, number: u64) -> Result<Exit, String> {
    let mut inputs = Inputs::open(&[file.to_owned()], Hashing::Off).map_err(|errors| {
        let lines: Vec<_> = errors.iter().map(|error| printable(&error.to_string())).collect();
        lines.join("\nportolan: ")
    })?;
    if inputs.count() != 1 {
        return Err(format!("{} is not one capture; name a file", shown(file)));
    }
    let mut batch = FrameBatch::default();
    while inputs.fill(&mut batch) {
        if let Some(frame) = batch.frames.iter().find(|frame| frame.source.number == number) {
            let text = describe(frame, batch.data(frame)).map_err(|error| error.to_string())?;
            super::output::to_stdout(|out| write!(out, "{text}"))?;
            return Ok(Exit::Pass);
        }
    }
    let packets: u64 = inputs.finish().iter().map(|input| input.packets).sum();
    Err(format!("{} has {packets} packets; there is no packet {number}", shown(file)))
}

fn describe(frame: &FrameMeta, data: &[u8]) -> Result<String, std::fmt::Error> {
    let mut met = Met::default();
    let decoded = dissect(frame, data, &mut met);
    let mut text = String::new();
    let FrameMeta { captured, original, time, source, link, .. } = frame;
    writeln!(text, "packet {}  {time}", source.number)?;
    writeln!(text, "link type {}, {captured} of {original} bytes captured", link.0)?;
    for (depth, header) in met.headers.iter().enumerate() {
        // Deeper headers than these do not move further to the right.
        let indent = 2 * depth.min(10);
        let end = header.offset + header.length;
        writeln!(text, "{:indent$}{} [{}..{end}]", "", header.name(), header.offset)?;
        for field in header.fields(data) {
            let (name, offset) = (field.name, field.offset);
            writeln!(text, "{:indent$}  {offset:>4}  {name}: {}", "", field.value)?;
        }
    }
    for carrier in &met.carriers {
        let (kind, identifier) = (carrier.outer.name(), carrier.identifier);
        writeln!(text, "through {kind} {identifier}:")?;
        writeln!(text, "  from {}", carrier.source)?;
        writeln!(text, "  to   {}", carrier.destination)?;
    }
    for stop in &met.unread {
        writeln!(text, "not read inside: {stop}")?;
    }
    match decoded {
        Decoded::Unit(unit) => unit_lines(&mut text, &unit)?,
        Decoded::Fragment(fragment) => fragment_lines(&mut text, &fragment)?,
        Decoded::NonIp(layer, value) => match non_ip_name(layer, value) {
            Some(name) => writeln!(text, "class non-ip: {name}")?,
            None => writeln!(text, "class non-ip: {layer} {value:#06x}")?,
        },
        Decoded::Stopped(stop) => writeln!(text, "class undecoded: {stop}")?,
    }
    Ok(text)
}

fn unit_lines(text: &mut String, unit: &Unit) -> std::fmt::Result {
    writeln!(text, "class flow: a packet over {}", unit.key.protocol())?;
    writeln!(text, "  from {}", unit.key.sender(unit.direction))?;
    writeln!(text, "  to   {}", unit.key.receiver(unit.direction))?;
    if let Some((quoted, direction)) = unit.quoted() {
        writeln!(text, "  about a packet over {}", quoted.protocol())?;
        writeln!(text, "    from {}", quoted.sender(direction))?;
        writeln!(text, "    to   {}", quoted.receiver(direction))?;
    }
    if !unit.path.is_empty() {
        writeln!(text, "  path {}", unit.path)?;
    }
    if let Some(vlan) = unit.vlan {
        writeln!(text, "  innermost VLAN {vlan}")?;
    }
    let Unit { payload_offset, payload_bytes, payload_captured, .. } = unit;
    writeln!(text, "  payload [{payload_offset}], {payload_captured} of {payload_bytes} bytes")?;
    if unit.first_fragment().is_some() {
        writeln!(text, "  first fragment of a datagram")?;
    }
    if unit.cut {
        writeln!(text, "  cut by the capture")?;
    }
    Ok(())
}

fn fragment_lines(text: &mut String, fragment: &FragmentUnit) -> std::fmt::Result {
    let datagram = &fragment.datagram;
    writeln!(text, "class fragment: a later one, its ports are those of the first")?;
    writeln!(text, "  from {}", datagram.source.address())?;
    writeln!(text, "  to   {}", datagram.destination.address())?;
    writeln!(text, "  {} datagram {}", datagram.protocol, datagram.identification)?;
    writeln!(text, "  {} bytes of it", fragment.payload_bytes)
}
