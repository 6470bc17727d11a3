//! What weakens the evidence of a run. The sentences are the report's.

/// A share of the governed flows above which those that could not be judged forbid a pass, as
/// one in this many.
const NOT_ASSESSABLE_LIMIT: u64 = 100;

/// A reason to doubt that nothing found means nothing there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// Inputs could not be read to their end.
    InputsFailed {
        /// How many.
        failed: u64,
        /// Of how many.
        inputs: u64,
    },
    /// A capture filter was set.
    Filtered,
    /// Packets that the capturing system lost.
    Dropped(u64),
    /// No packet was read.
    NoPacket,
    /// The site names no host.
    NoHost,
    /// No conversation touches a governed host.
    NothingGoverned,
    /// Too many packets could not be decoded.
    Undecoded {
        /// Those packets.
        packets: u64,
        /// All packets.
        total: u64,
    },
    /// Governed flows could not be judged.
    NotAssessable {
        /// Those flows.
        flows: u64,
        /// Of them, with data from both ends.
        with_data: u64,
        /// All governed flows.
        governed: u64,
    },
    /// Packets of new flows for which the flow table had no room.
    TableFull(u64),
    /// Later fragments whose first fragment was not captured.
    UnclaimedFragments(u64),
    /// Fragments that could not wait for their first for want of room.
    LostFragments(u64),
    /// Packets that joined an older use of their five-tuple for want of room.
    BlurredPackets(u64),
    /// ICMP errors whose quoted flow was not kept for want of room.
    LostQuotes(u64),
}

impl Doubt {
    /// Whether it forbids a pass, and not only belongs beside one.
    pub fn forbids_pass(&self) -> bool {
        match *self {
            Doubt::NotAssessable { flows, with_data, governed } => {
                with_data > 0 || flows.saturating_mul(NOT_ASSESSABLE_LIMIT) > governed
            }
            _ => true,
        }
    }
}
