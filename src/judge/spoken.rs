//! What a flow speaks, as judging needs it: from its payload, or from what announced its endpoint.

use super::announced::Learned;
use super::model::{Service, ServiceProtocol};
use crate::decode::Direction;
use crate::flow::{DirectionBasis, FlowRecord};
use crate::identify::dcerpc::{INTERFACE_CLASS, InterfaceClass};
use crate::identify::{End, Grade, Identity, Protocol, Source};

/// How it is known what a flow speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Told {
    /// By its payload.
    Content(Grade),
    /// By another connection, which announced the endpoint.
    Signalling(Source),
}

impl Told {
    /// The stable name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Told::Content(_) => "content",
            Told::Signalling(_) => "signalling",
        }
    }

    /// The stable name of how sure it is.
    pub fn confidence(self) -> &'static str {
        match self {
            Told::Content(Grade::Weak) => "weak",
            Told::Content(Grade::Strong) => "strong",
            Told::Content(Grade::Confirmed) => "confirmed",
            Told::Signalling(_) => "learned",
        }
    }
}

/// What a flow speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spoken {
    /// The protocol.
    pub protocol: Protocol,
    /// How it is known.
    pub told: Told,
    /// Classes of the interfaces, of DCE/RPC; one bit each.
    classes: u8,
    /// Whether the begin of the stream was captured.
    from_start: bool,
}

impl Spoken {
    /// What the payload of a flow shows, of any grade.
    pub fn by_content(record: &FlowRecord) -> Option<Spoken> {
        let identity = identity(record)?;
        let from_start = matches!(record.basis, DirectionBasis::Syn | DirectionBasis::SynAck);
        let told = Told::Content(identity.grade);
        let classes = classes(identity);
        Some(Spoken { protocol: identity.protocol, told, classes, from_start })
    }

    /// What an announcement says.
    pub fn by_announcement(learned: &Learned) -> Spoken {
        let Learned { protocol, source, class, .. } = *learned;
        let classes = class.map_or(0, bit);
        Spoken { protocol, told: Told::Signalling(source), classes, from_start: true }
    }

    /// Whether it is sure enough to be judged by: by payload with more than a guess, or announced.
    pub fn is_sure(self) -> bool {
        self.told != Told::Content(Grade::Weak)
    }

    /// Whether the payload shows it with more than a guess.
    pub fn is_proved(self) -> bool {
        matches!(self.told, Told::Content(Grade::Strong | Grade::Confirmed))
    }

    /// Whether it is what the service of a row speaks.
    pub fn is_of(self, service: &Service) -> bool {
        let like = || service.protocols.iter().filter(|wanted| self.is_like(**wanted));
        // A service of several classes is any that does not show its interfaces.
        let any_class = self.classes == 0 && like().count() > 1;
        let is = |wanted: &ServiceProtocol| {
            wanted.class.is_none_or(|class| any_class || self.classes & bit(class) != 0)
        };
        self.is_sure() && like().any(is) && self.could_be(service)
    }

    /// Whether it is what the service of a row speaks, or nothing that is known of its interfaces
    /// tells it from that.
    pub fn may_be(self, service: &Service) -> bool {
        let tolerated = || service.tolerated.iter().any(|one| self.is_like(*one));
        self.is_of(service) || self.is_sure() && tolerated() && self.could_be(service)
    }

    /// Whether nothing that is known of it, to its last interface, is foreign to the service of a
    /// row.
    fn could_be(self, service: &Service) -> bool {
        let named = || service.protocols.iter().chain(&service.tolerated);
        let like = || named().filter(|wanted| self.is_like(**wanted));
        let accepted = |wanted: &ServiceProtocol| wanted.class.map_or(u8::MAX, bit);
        let classes = like().fold(0, |classes, wanted| classes | accepted(wanted));
        like().next().is_some() && self.classes & !classes == 0
    }

    fn is_like(self, wanted: ServiceProtocol) -> bool {
        family(self.protocol) == family(wanted.protocol)
    }

    /// Whether it is of the protocol of a service, and not of the interfaces that are meant.
    pub fn is_other_interface_of(self, service: &Service) -> bool {
        let mut named = service.protocols.iter();
        named.any(|wanted| self.is_like(*wanted)) && !self.could_be(service)
    }

    /// Whether the payload proves that the service of a row is not what is spoken. A service
    /// without a known protocol is contradicted by nothing.
    pub fn contradicts(self, service: &Service) -> bool {
        let secured = || {
            // A connection may turn to TLS after its first messages (RFC 4511 section 4.14,
            // RFC 3207, MS-TDS section 2.2.6.5, MS-RDPBCGR section 5.4).
            self.protocol == Protocol::Tls
                && !self.from_start
                && service.protocols.iter().any(|wanted| turns_to_tls(wanted.protocol))
        };
        self.is_proved() && !service.protocols.is_empty() && !self.could_be(service) && !secured()
    }

    /// Whether the protocol by itself says which service it is: anything may run inside TLS.
    pub fn names_service(self) -> bool {
        self.is_sure() && family(self.protocol) != Protocol::Tls
    }
}

/// What the payload of a flow showed.
pub fn identity(record: &FlowRecord) -> Option<&Identity> {
    record.content.as_ref()?.identity.as_ref()
}

/// Which way the packets of the client travel, where the payload proves it.
pub(super) fn client(record: &FlowRecord) -> Option<Direction> {
    let identity = identity(record).filter(|identity| identity.grade >= Grade::Strong)?;
    identity.client.map(|end| match end {
        End::A => Direction::AToB,
        End::B => Direction::BToA,
    })
}

/// One name for forms of one protocol: what differs is where it is sent, or over which transport.
fn family(protocol: Protocol) -> Protocol {
    match protocol {
        Protocol::Mdns | Protocol::Llmnr => Protocol::Dns,
        Protocol::Dtls => Protocol::Tls,
        other => other,
    }
}

fn turns_to_tls(protocol: Protocol) -> bool {
    matches!(
        protocol,
        Protocol::Ldap | Protocol::Smtp | Protocol::Tds | Protocol::Rdp | Protocol::Tip
    )
}

fn bit(class: InterfaceClass) -> u8 {
    1 << class as u8
}

fn classes(identity: &Identity) -> u8 {
    // Nothing else names interfaces.
    if identity.protocol != Protocol::DceRpc {
        return 0;
    }
    let named = identity.details.iter().filter(|detail| detail.name == INTERFACE_CLASS);
    named.filter_map(InterfaceClass::told_by).fold(0, |classes, class| classes | bit(class))
}
