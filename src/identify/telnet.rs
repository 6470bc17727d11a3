//! Telnet (RFC 854): options are negotiated by `FF`, then `FB` will, `FC` will not, `FD` do or `FE`
//! do not, then the option; `FF FA` option ... `FF F0` carries the value of one.

use super::details::Details;
use super::messages::{Look, Looker, Role, read_both};
use super::{Answer, Carriage, Evidence, Grade, Protocol, Recogniser};

pub(super) static RECOGNISER: Recogniser =
    Recogniser { protocol: Protocol::Telnet, carriage: &[Carriage::Tcp], recognise };

/// The command that ends the value of an option.
const END: [u8; 2] = [0xff, 0xf0];
/// Longest value of an option looked at.
const LONGEST_VALUE: usize = 512;

/// Options of the IANA registry up to 49, and the extended list.
fn is_option(option: u8) -> bool {
    option < 50 || option == 255
}

fn look(bytes: &[u8]) -> Look<()> {
    match bytes {
        [] | [0xff] | [0xff, 0xfa..=0xfe] => Look::Open,
        [0xff, 0xfb..=0xfe, option, ..] if is_option(*option) => Look::Fits { length: 3, what: () },
        [0xff, 0xfa, option, value @ ..] if is_option(*option) => {
            let value = value.get(..LONGEST_VALUE).unwrap_or(value);
            match value.windows(END.len()).position(|bytes| bytes == END) {
                Some(at) => Look::Fits { length: 3 + at + END.len(), what: () },
                None if value.len() < LONGEST_VALUE => Look::Open,
                None => Look::Differs,
            }
        }
        _ => Look::Differs,
    }
}

fn recognise(evidence: &Evidence<'_>) -> Answer {
    let sides = read_both(evidence, look as Looker<'_, ()>, |()| Role::Either, |_| {});
    sides.answer(Protocol::Telnet, Grade::Weak, Details::default())
}
