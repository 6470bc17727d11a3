//! Follows a DCE/RPC connection for the endpoints that it announces (D2.9, D2.10, D2.21).

use serde::{Deserialize, Serialize};

use super::bindings::bindings;
use super::conversation::{Conversation, Operation, Spoken};
use super::pdu::{self, Header, Kind};
use super::tower::{Tower, lookup_answer, map_answer};
use super::{INTERFACE, InterfaceClass, notification};
use crate::identify::announcement::{Announcement, Follower, Source, Trust};
use crate::identify::details::Details;
use crate::identify::framing::Framing;
use crate::identify::{Carriage, Detail, End, Protocol};

/// Longest data unit: its length field has 16 bits.
const LONGEST_UNIT: usize = 1 << 16;

/// Reads the endpoint mapper, the object exporter resolver, activation and push registration.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RpcFollower {
    a: Framing,
    b: Framing,
    conversation: Conversation,
    details: Details,
}

impl RpcFollower {
    /// What the connection told of its interfaces so far.
    pub(in crate::identify) fn details(&self) -> Details {
        self.details.clone()
    }
}

impl Default for RpcFollower {
    fn default() -> Self {
        RpcFollower {
            a: Framing::new(LONGEST_UNIT),
            b: Framing::new(LONGEST_UNIT),
            conversation: Conversation::default(),
            details: Details::default(),
        }
    }
}

impl Follower for RpcFollower {
    fn feed(
        &mut self,
        end: End,
        bytes: &[u8],
        at_message_start: bool,
        out: &mut dyn FnMut(Announcement),
    ) {
        let framing = match end {
            End::A => &mut self.a,
            End::B => &mut self.b,
        };
        if at_message_start {
            framing.restart();
        }
        let (conversation, details) = (&mut self.conversation, &mut self.details);
        framing.feed(bytes, pdu::look, &mut |header: Header, unit: &[u8]| {
            super::add_details(details, &header, unit);
            if header.kind == Kind::BindAck {
                secondary_address(end, &header, unit, out);
            }
            conversation.take(&header, unit, &mut |spoken| announce(end, spoken, out));
        });
    }

    fn gap(&mut self, end: End, missing: usize) {
        match end {
            End::A => self.a.gap(missing, pdu::look),
            End::B => self.b.gap(missing, pdu::look),
        }
    }

    fn weight(&self) -> usize {
        self.a.weight() + self.b.weight() + self.conversation.weight()
    }
}

/// A server confirms the port on which it listens.
fn secondary_address(end: End, header: &Header, unit: &[u8], out: &mut dyn FnMut(Announcement)) {
    let answer = pdu::acknowledgement(header, unit);
    let text = answer.as_ref().and_then(|answer| str::from_utf8(answer.secondary_address).ok());
    // Pipe names are no numbers.
    let port = text.and_then(|text| text.parse::<u16>().ok()).filter(|port| *port != 0);
    if let Some(port) = port {
        let source = Source::BindAcknowledgement;
        out(announcement(end, Carriage::Tcp, port, source));
    }
}

fn announcement(by: End, carriage: Carriage, port: u16, source: Source) -> Announcement {
    let protocol = Protocol::DceRpc;
    let trust = Trust::Strong;
    Announcement { protocol, by, address: None, carriage, port, detail: None, source, trust }
}

fn announce(end: End, spoken: Spoken<'_>, out: &mut dyn FnMut(Announcement)) {
    let Spoken { operation, syntax, stub } = spoken;
    match operation {
        Operation::Map => towers(end, map_answer(syntax, stub), out),
        Operation::Lookup => towers(end, lookup_answer(syntax, stub), out),
        Operation::Resolve | Operation::Activate => {
            let source = match operation {
                Operation::Resolve => Source::ObjectExporter,
                _ => Source::Activation,
            };
            for binding in bindings(syntax.order, stub) {
                let value = InterfaceClass::Dcom.name().to_owned();
                let detail = Some(Detail { name: super::INTERFACE_CLASS, value });
                let plain = announcement(end, binding.carriage, binding.port, source);
                out(Announcement { detail, ..plain });
            }
        }
        Operation::Register => {
            let Some(registration) = notification::registration(syntax.order, stub) else { return };
            let value = registration.payload.iter().map(|byte| format!("{byte:02x}")).collect();
            out(Announcement {
                protocol: Protocol::MapiNotification,
                address: Some(registration.address),
                detail: Some(Detail { name: "payload", value }),
                ..announcement(end, Carriage::Udp, registration.port, Source::PushRegistration)
            });
        }
    }
}

fn towers(end: End, towers: Vec<Tower>, out: &mut dyn FnMut(Announcement)) {
    for Tower { interface, carriage, port, address } in towers {
        let detail = Some(Detail { name: INTERFACE, value: interface.to_string() });
        let plain = announcement(end, carriage, port, Source::EndpointMapper);
        out(Announcement { address, detail, ..plain });
    }
}
