//! The protocols that can be recognised, by their stable names.

/// A protocol above TCP or UDP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protocol {
    /// Distributed Computing Environment remote procedure calls, connection-oriented or not.
    DceRpc,
    /// The UDP datagram with which an Exchange server wakes a client (MS-OXCNOTIF).
    MapiNotification,
}

impl Protocol {
    /// The stable name in reports, in kebab case.
    pub fn name(self) -> &'static str {
        match self {
            Protocol::DceRpc => "dcerpc",
            Protocol::MapiNotification => "mapi-notification",
        }
    }
}
