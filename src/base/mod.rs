//! What every layer stands on: capture time, network numbers, bounds-checked reading and the
//! merge of partial results. Knows nothing of captures, flows or policies.

pub mod bytes;
pub mod merge;
pub mod name;
pub mod net;
pub mod time;

pub use bytes::Cursor;
pub use merge::Merge;
pub use name::{Name, read_name};
pub use net::{Endpoint, IpProto, LinkType, PortRange, PortSet, SYSTEM_PORTS};
pub use time::Timestamp;
