//! Secure Shell (RFC 4253 section 4.2): both ends begin with a line `SSH-2.0-software`, or with an
//! older version.

use super::details::Details;
use super::messages::{Look, Looker, Message, Role, read_both};
use super::{Answer, Carriage, Evidence, Grade, Protocol, Recogniser};

pub(super) static RECOGNISER: Recogniser =
    Recogniser { protocol: Protocol::Ssh, carriage: &[Carriage::Tcp], recognise };

/// Detail: the identification of either end.
pub const SOFTWARE: &str = "software";

/// Longest identification, with its end of line.
const LONGEST: usize = 255;

fn look(bytes: &[u8]) -> Look<()> {
    let form = b"SSH-d.d";
    let fits = bytes.iter().zip(form).all(|(byte, wanted)| match wanted {
        b'd' => matches!(byte, b'1' | b'2') || byte.is_ascii_digit(),
        wanted => byte == wanted,
    });
    // `2.0` or `1.99` and other versions of 1, then a hyphen.
    let hyphen = bytes.iter().skip(form.len()).take(2).position(|byte| *byte == b'-');
    match (fits, hyphen, bytes.len() > form.len() + 1) {
        (false, ..) | (true, None, true) => Look::Differs,
        (true, None, false) => Look::Open,
        (true, Some(_), _) => {
            let end = bytes.iter().take(LONGEST).position(|byte| *byte == b'\n');
            Look::Fits { length: end.map_or(bytes.len(), |at| at + 1), what: () }
        }
    }
}

fn recognise(evidence: &Evidence<'_>) -> Answer {
    let mut details = Details::default();
    let visit = |message: Message<'_, ()>| {
        details.add_text(SOFTWARE, message.bytes.trim_ascii_end());
    };
    let sides = read_both(evidence, look as Looker<'_, ()>, |()| Role::Either, visit);
    sides.answer(Protocol::Ssh, Grade::Strong, details)
}
