//! Asks the recognisers and chooses among what they claim.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use super::RECOGNISERS;
use super::claim::{Answer, Claim, Grade};
use super::evidence::{Carriage, Evidence};
use super::protocol::Protocol;

/// The recognisers that have not said no yet, one bit each in the order of trial.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Open(u128);

const _: () = assert!(RECOGNISERS.len() <= 128, "one bit for each recogniser");

impl Open {
    /// All recognisers of protocols over TCP, or over UDP.
    pub(super) fn over(carriage: Carriage) -> Self {
        static ALL: LazyLock<[Open; 2]> = LazyLock::new(|| {
            [Carriage::Tcp, Carriage::Udp].map(|carriage| {
                let numbered = RECOGNISERS.iter().enumerate();
                let fits = numbered.filter(|(_, one)| one.carriage.contains(&carriage));
                Open(fits.fold(0, |open, (number, _)| open | 1 << number))
            })
        });
        let [over_tcp, over_udp] = *ALL;
        match carriage {
            Carriage::Tcp => over_tcp,
            Carriage::Udp => over_udp,
        }
    }

    /// Whether all have said no.
    pub(super) fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Asks those that are left, and strikes out those that say no. Answers the best claim.
    ///
    /// Exact magic and structure go before statistics, a higher grade before a lower one, and the
    /// order of trial decides the rest (D2.1).
    /// A confirmed claim ends the search. The usual protocol is asked before all others, so of two
    /// that could be confirmed by the same bytes (DNS and its multicast forms) it is the one.
    pub(super) fn ask(
        &mut self,
        evidence: &Evidence<'_>,
        usual: Option<Protocol>,
    ) -> Option<Claim> {
        let mut best: Option<Claim> = None;
        let mut left = self.0;
        let place = |usual| RECOGNISERS.iter().position(|one| one.protocol == usual);
        let mut first = usual.and_then(place).filter(|place| left >> place & 1 == 1);
        while left != 0 {
            let number = first.take().map_or(left.trailing_zeros(), |place| place as u32);
            left &= !(1 << number);
            let Some(recogniser) = RECOGNISERS.get(number as usize) else { break };
            match (recogniser.recognise)(evidence) {
                Answer::No => self.0 &= !(1 << number),
                Answer::Undecided => {}
                Answer::Match(claim) => {
                    if best.as_ref().is_none_or(|best| outranks(&claim, best)) {
                        best = Some(claim);
                    }
                }
            }
            if best.as_ref().is_some_and(|best| rank(best) == rank_of(false, Grade::Confirmed)) {
                break;
            }
        }
        best
    }
}

fn outranks(claim: &Claim, best: &Claim) -> bool {
    rank(claim) > rank(best)
}

fn rank(claim: &Claim) -> (bool, bool, Grade) {
    rank_of(matches!(claim.protocol, Protocol::Rtp | Protocol::T38), claim.grade)
}

/// At least strong, then not statistical, then the grade.
fn rank_of(statistical: bool, grade: Grade) -> (bool, bool, Grade) {
    (grade >= Grade::Strong, !statistical, grade)
}
