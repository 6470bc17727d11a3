//! Distributed Computing Environment remote procedure calls, over TCP and over UDP, and the
//! endpoints that such conversations announce.
//!
//! In: the evidence. Out: a claim that names the interfaces bound or called, and whether objects
//! are called. Every data unit has a header of fixed fields and lengths (`pdu`, `datagram`), so
//! one of them is strong; units are followed one after the other, wherever segments end. Not here:
//! calls inside SMB pipes, which are SMB.
//!
//! Sources: C706 (The Open Group, DCE 1.1: Remote Procedure Call), MS-RPCE, MS-RPCH, MS-DCOM.

mod bindings;
mod conversation;
mod datagram;
mod follow;
mod interfaces;
mod notification;
mod pdu;
mod tower;
mod uuid;

pub use follow::RpcFollower;
pub use interfaces::InterfaceClass;
pub use uuid::Uuid;

use super::details::Details;
use super::messages::{Looker, Message, read_both};
use super::{Answer, Carriage, Evidence, Grade, Protocol, Recogniser};
use datagram::Datagram;
use pdu::{Header, Kind};

pub(super) static RECOGNISER: Recogniser =
    Recogniser { protocol: Protocol::DceRpc, carriage: &[Carriage::Tcp, Carriage::Udp], recognise };

/// Detail: the UUID of an interface bound or called.
pub const INTERFACE: &str = "interface";
/// Detail: the common name of such an interface.
pub const INTERFACE_NAME: &str = "interface-name";
/// Detail: the class of such an interface, see [`InterfaceClass::name`].
pub const INTERFACE_CLASS: &str = "interface-class";
/// Detail `yes`: objects were called (MS-DCOM).
pub const OBJECT_CALLS: &str = "object-calls";
/// Detail: the port on which the server says it listens.
pub const SECONDARY_ADDRESS: &str = "secondary-address";
/// Detail: the transfer syntax accepted, `ndr` or `ndr64`.
pub const TRANSFER_SYNTAX: &str = "transfer-syntax";

fn recognise(evidence: &Evidence<'_>) -> Answer {
    let mut details = Details::default();
    let mut single = Grade::Strong;
    let sides = match evidence.carriage {
        Carriage::Tcp => {
            single = Grade::Weak;
            let visit = |message: Message<'_, Header>| {
                if message.what.is_telling() || proposes_known_syntax(&message) {
                    single = Grade::Strong;
                }
                add_details(&mut details, &message.what, message.bytes);
            };
            read_both(evidence, pdu::look as Looker<'_, Header>, pdu::role, visit)
        }
        Carriage::Udp => {
            let visit = |message: Message<'_, Datagram>| {
                add_interface(&mut details, message.what.interface);
            };
            read_both(evidence, datagram::look as Looker<'_, Datagram>, datagram::role, visit)
        }
    };
    // One end's headers that are mostly zeros are a hint, however they chain.
    let grade = sides.grade(single);
    let grade = if single == Grade::Weak && !sides.both() { grade.map(|_| single) } else { grade };
    sides.answer_graded(Protocol::DceRpc, grade, details)
}

/// Whether a bind proposes one of the two transfer syntaxes.
fn proposes_known_syntax(message: &Message<'_, Header>) -> bool {
    let header = &message.what;
    matches!(header.kind, Kind::Bind | Kind::AlterContext)
        && pdu::context_items(header, message.bytes)
            .iter()
            .any(|item| matches!(item.transfer, Some(pdu::NDR | pdu::NDR64)))
}

/// Adds what a data unit tells of the interfaces.
fn add_details(details: &mut Details, header: &Header, bytes: &[u8]) {
    match header.kind {
        Kind::Bind | Kind::AlterContext => {
            for item in pdu::context_items(header, bytes) {
                add_interface(details, item.interface);
            }
        }
        Kind::BindAck | Kind::AlterContextResponse => {
            let Some(answer) = pdu::acknowledgement(header, bytes) else { return };
            details.add_text(SECONDARY_ADDRESS, answer.secondary_address);
            for syntax in answer.accepted.into_iter().flatten() {
                match syntax {
                    pdu::NDR => details.add(TRANSFER_SYNTAX, "ndr"),
                    pdu::NDR64 => details.add(TRANSFER_SYNTAX, "ndr64"),
                    _ => {}
                }
            }
        }
        Kind::Request => {
            let call = pdu::call(header, bytes);
            let objects = call.is_some_and(|call| {
                call.names_object && pdu::is_object_call(header.order, call.stub)
            });
            if objects {
                details.add(OBJECT_CALLS, "yes");
                details.add(INTERFACE_CLASS, InterfaceClass::Dcom.name());
            }
        }
        _ => {}
    }
}

fn add_interface(details: &mut Details, interface: Uuid) {
    details.add(INTERFACE, interface.to_string());
    details.add(INTERFACE_CLASS, interface.interface_class().name());
    if let Some(name) = interface.interface_name() {
        details.add(INTERFACE_NAME, name);
    }
}
