//! Protocol data units of connection-oriented DCE/RPC (C706 section 12.6, MS-RPCE section 2.2.2).
//!
//! | offset | field |
//! | --- | --- |
//! | 0, 1 | version 5, minor version 0 or 1 |
//! | 2 | type |
//! | 3 | flags |
//! | 4..8 | data representation: byte order and character set, floating point, two zero bytes |
//! | 8..10 | length of the whole fragment |
//! | 10..12 | length of the authentication value at its end, without its 8-byte header |
//! | 12..16 | call identifier |

use super::uuid::{ByteOrder, Uuid};
use crate::base::Cursor;
use crate::identify::messages::{Look, Role};

/// Bytes of the common header.
pub(super) const HEADER: usize = 16;
/// Offset of the fields of a particular type behind the common header and, in a request or
/// response, of the stub.
pub(super) const STUB: usize = 24;
/// Offset of the stub in a request that names an object.
const STUB_BEHIND_OBJECT: usize = 40;
/// Offset of the first context item of a bind.
const ITEMS: usize = 28;
/// Most context items read of one bind.
const ITEMS_READ: usize = 32;

/// Flag: first fragment of its call.
const FIRST: u8 = 0x01;
/// Flag: last fragment of its call.
const LAST: u8 = 0x02;
/// Flag: a request that carries an object UUID.
const OBJECT: u8 = 0x80;

/// The transfer syntax NDR, version 2.0 (C706 chapter 14).
pub(super) const NDR: Uuid = Uuid(0x8a885d04_1ceb_11c9_9fe8_08002b104860);
/// The transfer syntax NDR64, version 1.0 (MS-RPCE section 2.2.4.12).
pub(super) const NDR64: Uuid = Uuid(0x71710533_beba_4937_8319_b5dbef9ccc36);

/// Bytes before the data units of a server of RPC over HTTP (MS-RPCH section 2.1.2.1).
const HTTP_BANNER: &[u8] = b"ncacn_http/1.0";

/// What a data unit is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Request,
    Response,
    Fault,
    Bind,
    BindAck,
    BindNak,
    AlterContext,
    AlterContextResponse,
    Auth3,
    Shutdown,
    Cancel,
    Orphaned,
    /// Request to send, of RPC over HTTP (MS-RPCH section 2.2.3).
    Rts,
    /// The text with which a server of RPC over HTTP begins.
    Banner,
}

impl Kind {
    /// The type of a data unit, and the fewest bytes that its fields take.
    fn of(code: u8) -> Option<(Self, usize)> {
        Some(match code {
            0x00 => (Kind::Request, STUB),
            0x02 => (Kind::Response, STUB),
            0x03 => (Kind::Fault, STUB + 4),
            0x0b => (Kind::Bind, ITEMS),
            0x0c => (Kind::BindAck, STUB + 4),
            0x0d => (Kind::BindNak, HEADER + 2),
            0x0e => (Kind::AlterContext, ITEMS),
            0x0f => (Kind::AlterContextResponse, STUB + 4),
            0x10 => (Kind::Auth3, HEADER),
            0x11 => (Kind::Shutdown, HEADER),
            0x12 => (Kind::Cancel, HEADER),
            0x13 => (Kind::Orphaned, HEADER),
            0x14 => (Kind::Rts, HEADER + 4),
            _ => return None,
        })
    }
}

/// The common header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) kind: Kind,
    flags: u8,
    pub(super) order: ByteOrder,
    /// Bytes of the whole fragment.
    pub(super) length: usize,
    /// Bytes of the authentication value.
    authentication: usize,
    pub(super) call: u32,
}

impl Header {
    pub(super) fn is_first(&self) -> bool {
        self.flags & FIRST != 0
    }

    pub(super) fn is_last(&self) -> bool {
        self.flags & LAST != 0
    }

    /// Whether the header says enough by itself. Big-endian, or between the first and the last
    /// fragment of a call, it is mostly zeros, as other things are.
    pub(super) fn is_telling(&self) -> bool {
        self.order == ByteOrder::Little && self.flags & (FIRST | LAST) != 0
    }

    fn names_object(&self) -> bool {
        self.kind == Kind::Request && self.flags & OBJECT != 0
    }
}

/// Looks at a possible data unit.
pub(super) fn look(bytes: &[u8]) -> Look<Header> {
    if HTTP_BANNER.starts_with(bytes.get(..HTTP_BANNER.len()).unwrap_or(bytes)) {
        return if bytes.len() < HTTP_BANNER.len() { Look::Open } else { banner() };
    }
    let fits = |offset: usize, test: fn(u8) -> bool| bytes.get(offset).is_none_or(|b| test(*b));
    let start = fits(0, |version| version == 5)
        && fits(1, |minor| minor < 2)
        && fits(2, |code| Kind::of(code).is_some())
        && fits(4, |order| matches!(order, 0x00 | 0x01 | 0x10 | 0x11))
        && fits(5, |floating_point| floating_point < 4)
        && fits(6, |zero| zero == 0)
        && fits(7, |zero| zero == 0);
    if !start {
        return Look::Differs;
    }
    match header(bytes) {
        None if bytes.len() < HEADER => Look::Open,
        None => Look::Differs,
        Some(what) => Look::Fits { length: what.length, what },
    }
}

fn banner() -> Look<Header> {
    let length = HTTP_BANNER.len();
    let (flags, authentication, call) = (0, 0, 0);
    let order = ByteOrder::Little;
    Look::Fits {
        length,
        what: Header { kind: Kind::Banner, flags, order, length, authentication, call },
    }
}

/// Reads the common header; `None` when it is incomplete or its lengths do not add up.
fn header(bytes: &[u8]) -> Option<Header> {
    let mut cursor = Cursor::new(bytes);
    cursor.skip(2)?;
    let (kind, least) = Kind::of(cursor.u8()?)?;
    let flags = cursor.u8()?;
    let order = if cursor.u8()? & 0x10 == 0 { ByteOrder::Big } else { ByteOrder::Little };
    cursor.skip(3)?;
    let length = usize::from(order.u16(&mut cursor)?);
    let authentication = usize::from(order.u16(&mut cursor)?);
    let call = order.u32(&mut cursor)?;
    let trailer = if authentication == 0 { 0 } else { authentication + 8 };
    let objects = flags & OBJECT == 0 || matches!(kind, Kind::Request | Kind::Response);
    // Of a call in several fragments only the ones between have neither flag.
    let call_type = matches!(kind, Kind::Request | Kind::Response);
    let placed = flags & (FIRST | LAST) != 0 || (call_type && order == ByteOrder::Little);
    let adds_up = placed && length >= least && trailer <= length - HEADER && objects;
    adds_up.then_some(Header { kind, flags, order, length, authentication, call })
}

/// Who sends such a data unit.
pub(super) fn role(header: &Header) -> Role {
    match header.kind {
        Kind::Request | Kind::Bind | Kind::AlterContext | Kind::Auth3 => Role::Client,
        Kind::Cancel | Kind::Orphaned => Role::Client,
        Kind::Response | Kind::Fault | Kind::BindAck | Kind::BindNak => Role::Server,
        Kind::AlterContextResponse | Kind::Shutdown | Kind::Banner => Role::Server,
        Kind::Rts => Role::Either,
    }
}

/// An interface that a client wants to call, and how it would write the calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ContextItem {
    pub(super) context: u16,
    pub(super) interface: Uuid,
    /// The first transfer syntax proposed.
    pub(super) transfer: Option<Uuid>,
}

/// The context items of a bind or alter context, as far as they were captured.
pub(super) fn context_items(header: &Header, bytes: &[u8]) -> Vec<ContextItem> {
    let mut items = Vec::new();
    let mut cursor = Cursor::new(bytes);
    let count = cursor.skip(STUB).and_then(|()| cursor.u8()).unwrap_or(0);
    if cursor.skip(3).is_none() {
        return items;
    }
    for _ in 0..usize::from(count).min(ITEMS_READ) {
        let Some(item) = context_item(header.order, &mut cursor) else { break };
        items.push(item);
    }
    items
}

fn context_item(order: ByteOrder, cursor: &mut Cursor<'_>) -> Option<ContextItem> {
    let context = order.u16(cursor)?;
    let transfers = usize::from(cursor.u8()?);
    cursor.skip(1)?;
    let interface = order.uuid(cursor)?;
    cursor.skip(4)?;
    let transfer = order.uuid(&mut cursor.clone()).filter(|_| transfers > 0);
    // A list cut by the capture still leaves this interface.
    let _ = cursor.skip(transfers * 20);
    Some(ContextItem { context, interface, transfer })
}

/// What a bind acknowledgement says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Acknowledgement<'a> {
    /// The port on which the server listens, as text, without its closing zero byte.
    pub(super) secondary_address: &'a [u8],
    /// Per context item in the order of the bind: the transfer syntax, where it was accepted.
    pub(super) accepted: Vec<Option<Uuid>>,
}

/// Reads a bind acknowledgement or alter context response.
pub(super) fn acknowledgement<'a>(header: &Header, bytes: &'a [u8]) -> Option<Acknowledgement<'a>> {
    let order = header.order;
    let mut cursor = Cursor::new(bytes);
    cursor.skip(STUB)?;
    let length = usize::from(order.u16(&mut cursor)?);
    let text = cursor.take(length)?;
    let secondary_address = text.strip_suffix(&[0]).unwrap_or(text);
    let mut acknowledgement = Acknowledgement { secondary_address, accepted: Vec::new() };
    let padding = cursor.position().wrapping_neg() % 4;
    let results = cursor.skip(padding).and_then(|()| cursor.u8()).unwrap_or(0);
    let _ = cursor.skip(3);
    for _ in 0..usize::from(results).min(ITEMS_READ) {
        let Some(result) = order.u16(&mut cursor) else { break };
        let syntax = cursor.skip(2).and_then(|()| order.uuid(&mut cursor));
        let _ = cursor.skip(4);
        acknowledgement.accepted.push(syntax.filter(|_| result == 0));
    }
    Some(acknowledgement)
}

/// A call, or its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Call<'a> {
    pub(super) context: u16,
    /// Number of the operation; of no meaning in a response.
    pub(super) operation: u16,
    /// Whether an object is called.
    pub(super) names_object: bool,
    /// The marshalled arguments of this fragment as far as they were captured, empty when they
    /// are sealed.
    pub(super) stub: &'a [u8],
}

/// Reads a request or response.
pub(super) fn call<'a>(header: &Header, bytes: &'a [u8]) -> Option<Call<'a>> {
    let mut cursor = Cursor::new(bytes);
    cursor.skip(HEADER + 4)?;
    let context = header.order.u16(&mut cursor)?;
    let operation = header.order.u16(&mut cursor)?;
    let names_object = header.names_object();
    let begin = if names_object { STUB_BEHIND_OBJECT } else { STUB };
    let end = stub_end(header, bytes);
    let stub = end.and_then(|end| bytes.get(begin..end.min(bytes.len()))).unwrap_or_default();
    Some(Call { context, operation, names_object, stub })
}

/// Where the stub ends; `None` when it is sealed (MS-RPCE section 2.2.1.1.8, level 6: packet
/// privacy).
fn stub_end(header: &Header, bytes: &[u8]) -> Option<usize> {
    const PRIVACY: u8 = 6;
    if header.authentication == 0 {
        return Some(header.length);
    }
    let trailer = header.length.checked_sub(header.authentication + 8)?;
    let mut cursor = Cursor::new(bytes);
    if cursor.skip(trailer + 1).is_none() {
        return Some(trailer);
    }
    let Some(level) = cursor.u8() else { return Some(trailer) };
    let padding = usize::from(cursor.u8().unwrap_or(0));
    (level < PRIVACY).then(|| trailer.saturating_sub(padding))
}

/// Whether a stub begins with the header of an object call (MS-DCOM section 2.2.13.3): version
/// 5.1 to 5.7, and a reserved field of 0.
pub(super) fn is_object_call(order: ByteOrder, stub: &[u8]) -> bool {
    let mut cursor = Cursor::new(stub);
    let versions = (order.u16(&mut cursor), order.u16(&mut cursor));
    let reserved = order.u32(&mut cursor).and_then(|_| order.u32(&mut cursor));
    matches!(versions, (Some(5), Some(1..=7))) && reserved == Some(0)
}
