//! Ties the data units of one connection together: which interface a call goes to, and which
//! fragments make up an answer.

use serde::{Deserialize, Serialize};

use super::interfaces::{ACTIVATION, EMSMDB, ENDPOINT_MAPPER, OBJECT_EXPORTER, SCM_ACTIVATOR};
use super::pdu::{self, Header, Kind};
use super::tower::Syntax;
use super::uuid::Uuid;

/// Most presentation contexts and outstanding calls remembered; the oldest go first.
const REMEMBERED: usize = 64;
/// Most bytes of one answer gathered from its fragments.
const LONGEST_ANSWER: usize = 1 << 16;

/// A call whose arguments or answer announce endpoints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Operation {
    /// `ept_lookup` of the endpoint mapper.
    Lookup,
    /// `ept_map` of the endpoint mapper.
    Map,
    /// Resolves an object exporter.
    Resolve,
    /// Activates an object.
    Activate,
    /// Registers for notifications.
    Register,
}

impl Operation {
    /// Numbers from C706 appendix O, MS-DCOM sections 3.1.2.5.1 and 3.1.2.5.2, MS-OXCRPC
    /// section 3.1.4.
    fn of(interface: Uuid, number: u16) -> Option<Self> {
        Some(match (interface, number) {
            (ENDPOINT_MAPPER, 2) => Operation::Lookup,
            (ENDPOINT_MAPPER, 3) => Operation::Map,
            (OBJECT_EXPORTER, 0 | 4 | 5) => Operation::Resolve,
            (ACTIVATION, 0) | (SCM_ACTIVATOR, 3 | 4) => Operation::Activate,
            (EMSMDB, 4) => Operation::Register,
            _ => return None,
        })
    }
}

/// The arguments of a call, or its answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spoken<'a> {
    pub(super) operation: Operation,
    pub(super) syntax: Syntax,
    pub(super) stub: &'a [u8],
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Context {
    number: u16,
    interface: Uuid,
    wide: bool,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Outstanding {
    call: u32,
    operation: Operation,
    wide: bool,
}

/// What is known of the connection.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Conversation {
    contexts: Vec<Context>,
    /// Numbers of the contexts of the bind that waits for its acknowledgement, in its order.
    proposed: Vec<u16>,
    calls: Vec<Outstanding>,
    /// The fragments of an answer so far, and whose they are.
    answer: Option<(u32, Vec<u8>)>,
}

impl Conversation {
    /// Bytes of memory in use for an answer that is not complete.
    pub(super) fn weight(&self) -> usize {
        self.answer.as_ref().map_or(0, |(_, bytes)| bytes.capacity())
    }

    /// Takes a data unit; shows a call that announces something, or the whole answer to one.
    pub(super) fn take(
        &mut self,
        header: &Header,
        bytes: &[u8],
        spoken: &mut dyn FnMut(Spoken<'_>),
    ) {
        match header.kind {
            Kind::Bind | Kind::AlterContext => self.propose(header, bytes),
            Kind::BindAck | Kind::AlterContextResponse => self.accept(header, bytes),
            Kind::Request => self.request(header, bytes, spoken),
            Kind::Response => self.response(header, bytes, spoken),
            Kind::Fault => self.calls.retain(|outstanding| outstanding.call != header.call),
            _ => {}
        }
    }

    fn propose(&mut self, header: &Header, bytes: &[u8]) {
        self.proposed.clear();
        for item in pdu::context_items(header, bytes) {
            self.proposed.push(item.context);
            self.contexts.retain(|context| context.number != item.context);
            let context = Context { number: item.context, interface: item.interface, wide: false };
            push_bounded(&mut self.contexts, context);
        }
    }

    /// Learns in which syntax each context is spoken. Several items of a bind may propose the
    /// same interface in several syntaxes, each under a number of its own.
    fn accept(&mut self, header: &Header, bytes: &[u8]) {
        let Some(answer) = pdu::acknowledgement(header, bytes) else { return };
        for (number, syntax) in self.proposed.iter().zip(answer.accepted) {
            let context = self.contexts.iter_mut().find(|context| context.number == *number);
            if let (Some(context), Some(pdu::NDR64)) = (context, syntax) {
                context.wide = true;
            }
        }
    }

    fn request(&mut self, header: &Header, bytes: &[u8], spoken: &mut dyn FnMut(Spoken<'_>)) {
        if !header.is_first() {
            return;
        }
        let Some(call) = pdu::call(header, bytes) else { return };
        let context = self.contexts.iter().find(|context| context.number == call.context);
        let Some(context) = context.copied() else { return };
        let Some(operation) = Operation::of(context.interface, call.operation) else { return };
        let wide = context.wide;
        if operation == Operation::Register {
            let syntax = Syntax { order: header.order, wide };
            return spoken(Spoken { operation, syntax, stub: call.stub });
        }
        self.calls.retain(|outstanding| outstanding.call != header.call);
        push_bounded(&mut self.calls, Outstanding { call: header.call, operation, wide });
    }

    fn response(&mut self, header: &Header, bytes: &[u8], spoken: &mut dyn FnMut(Spoken<'_>)) {
        let position = self.calls.iter().position(|outstanding| outstanding.call == header.call);
        let Some(position) = position else { return };
        let Some(Outstanding { operation, wide, .. }) = self.calls.get(position).copied() else {
            return;
        };
        let Some(call) = pdu::call(header, bytes) else { return };
        let syntax = Syntax { order: header.order, wide };
        if header.is_first() && header.is_last() {
            self.calls.remove(position);
            return spoken(Spoken { operation, syntax, stub: call.stub });
        }
        if header.is_first() {
            self.answer = Some((header.call, Vec::new()));
        }
        let Some((_, stub)) = self.answer.as_mut().filter(|(call, _)| *call == header.call) else {
            return;
        };
        if stub.len() + call.stub.len() > LONGEST_ANSWER {
            self.answer = None;
            return;
        }
        stub.extend_from_slice(call.stub);
        if header.is_last() {
            self.calls.remove(position);
            if let Some((_, stub)) = self.answer.take() {
                spoken(Spoken { operation, syntax, stub: &stub });
            }
        }
    }
}

fn push_bounded<T>(list: &mut Vec<T>, item: T) {
    if list.len() >= REMEMBERED {
        list.remove(0);
    }
    list.push(item);
}
