//! Link-layer headers. In: the start of a frame, or what an outer header carries. Out: the hook
//! of the network layer, and whether the frame went to a group.

pub(super) mod ethernet;
pub(super) mod linux_cooked;
pub(super) mod llc;
pub(super) mod loopback;
pub(super) mod ppp;
pub(super) mod vlan;
