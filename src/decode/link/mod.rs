//! Link-layer headers. In: the start of a frame, or what an outer header carries. Out: the hook
//! of the network layer, and whether the frame went to a group.

pub(super) mod capture_header;
pub(super) mod cisco_metadata;
pub(super) mod e_tag;
pub(super) mod ethernet;
pub(super) mod fabric_path;
pub(super) mod fddi;
pub(super) mod frame_relay;
pub(super) mod linux_cooked;
pub(super) mod llc;
pub(super) mod loopback;
pub(super) mod macsec;
pub(super) mod mpacket;
pub(super) mod mpls;
pub(super) mod nflog;
pub(super) mod pflog;
pub(super) mod ppi;
pub(super) mod ppp;
pub(super) mod pppoe;
pub(super) mod provider_backbone;
pub(super) mod radiotap;
pub(super) mod redundancy_tag;
pub(super) mod timestamp_tag;
pub(super) mod token_ring;
pub(super) mod trill;
pub(super) mod vlan;
pub(super) mod vn_tag;
pub(super) mod wlan;
