//! A policy, a site and its waivers as judging uses them: valid by construction, names resolved
//! to numbers. Only the loaders make these, and only from text without a fault.

mod policy;
mod site;
mod waivers;

pub use policy::{
    Attribute, Condition, Destination, InfrastructureMatch, InfrastructureRow, Lint, Pack,
    PackKind, Parameter, Policy, Reading, Relation, Requirement, Role, Row, RowPorts, Section,
    Service, ServiceProtocol, Terms,
};
pub use site::{Host, NatNote, RelationFact, Site};
pub use waivers::{WaivedEnd, Waiver, Waivers};

/// A set of up to 64 things numbered from 0: roles of a host, attributes of a host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Set64(u64);

impl Set64 {
    /// The set of one member. Numbers above 63 cannot be members; the loaders refuse them.
    pub fn of(member: u8) -> Self {
        Set64(1_u64.checked_shl(u32::from(member)).unwrap_or(0))
    }

    /// Adds every member of `other`.
    pub fn insert_all(&mut self, other: Set64) {
        self.0 |= other.0;
    }

    /// Whether `member` is in the set.
    pub fn contains(self, member: u8) -> bool {
        self.meets(Set64::of(member))
    }

    /// Whether the two sets share a member.
    pub fn meets(self, other: Set64) -> bool {
        self.0 & other.0 != 0
    }

    /// The members both sets have.
    pub fn intersection(self, other: Set64) -> Set64 {
        Set64(self.0 & other.0)
    }

    /// Whether nothing is in the set.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The members in ascending order.
    pub fn members(self) -> impl Iterator<Item = u8> {
        (0..64).filter(move |member| self.contains(*member))
    }
}

impl FromIterator<u8> for Set64 {
    fn from_iter<I: IntoIterator<Item = u8>>(members: I) -> Self {
        let mut set = Set64::default();
        for member in members {
            set.insert_all(Set64::of(member));
        }
        set
    }
}

macro_rules! numbered {
    ($($(#[$doc:meta])* $name:ident($inner:ty);)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub $inner);
    )*};
}

numbered! {
    /// Index into [`Policy::roles`]; at most 63.
    RoleId(u8);
    /// Index into [`Policy::attributes`]; at most 63.
    AttributeId(u8);
    /// Index into [`Policy::relations`].
    RelationId(usize);
    /// Index into [`Policy::parameters`].
    ParameterId(usize);
    /// Index into [`Policy::conditions`].
    ConditionId(usize);
    /// Index into [`Policy::services`].
    ServiceId(usize);
    /// Index into [`Policy::readings`].
    ReadingId(usize);
    /// Index into [`Policy::sections`].
    SectionId(usize);
    /// Index into [`Policy::rows`].
    RowId(usize);
    /// Index into [`Policy::packs`].
    PackId(usize);
    /// Index into [`Site::hosts`].
    HostId(usize);
}
