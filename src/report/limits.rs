//! What the report says of limits that were hit.

use super::build::Builder;
use super::inputs::skipped;
use super::model;
use crate::flow::Class;
use crate::judge::UNKNOWN_PEERS;

impl Builder<'_> {
    pub(super) fn limits(&self) -> Vec<model::Limit> {
        let stream = self.source.stream;
        let full = stream.accounting.of(Class::TableFull).packets;
        let peers = self.assessment.unknown_peer_count;
        let endpoints = &self.assessment.endpoints;
        let all = [
            ("flow-table-full", full, "packets of flows for which there was no room"),
            (
                "flow-detail-lost",
                stream.blurred.packets,
                "packets that joined an older use of their five-tuple for want of room",
            ),
            (
                "flows-forgotten",
                stream.accounting.of(Class::Forgotten).packets,
                "packets of flows that ended before the time over which this report is",
            ),
            (
                "fragments-lost",
                stream.fragments_lost,
                "IP fragments that could not wait for their datagram for want of room",
            ),
            (
                "datagrams-unjoined",
                stream.datagrams_unjoined,
                "fragmented datagrams whose payload was not joined for want of room",
            ),
            (
                "datagrams-contradictory",
                stream.datagrams_contradictory,
                "fragmented datagrams whose payload was not joined because fragments overlap",
            ),
            (
                "icmp-quotes-lost",
                stream.quotes_lost,
                "ICMP errors whose quoted flow was not kept for want of room",
            ),
            (
                "payload-unread",
                self.assessment.flows.iter().filter(|flow| flow.is_unread()).count() as u64,
                "flows of which not all payload was looked at for want of room",
            ),
            (
                "announcements-lost",
                endpoints.lost,
                "announced endpoints that were not kept for want of room",
            ),
            (
                "announcements-refused",
                endpoints.refused,
                "announced endpoints that were left out: the announcing host may not speak for their address",
            ),
            (
                "tunnels-untold",
                stream.carriers.untold(),
                "packets of tunnels whose ends were not kept for want of room",
            ),
            (
                "classes-joined",
                stream.accounting.of(Class::Remainder).packets,
                "packets of accounting classes beyond those told apart",
            ),
            (
                "unknown-peers-cut",
                peers.saturating_sub(UNKNOWN_PEERS as u64),
                "unlisted addresses beyond those described one by one",
            ),
            (
                "findings-cut",
                self.assessment.findings_cut,
                "findings beyond those reported, which are the heaviest",
            ),
            (
                "row-addresses-cut",
                self.assessment.coverage.iter().filter(|seen| seen.addresses_cut).count() as u64,
                "rows with more initiators or responders than were told apart",
            ),
            (
                "inputs-skipped-cut",
                skipped(self.source.skipped).1,
                "skipped files beyond those named",
            ),
        ];
        let hit = all.into_iter().filter(|(_, count, _)| *count > 0);
        hit.map(|(code, count, text)| model::Limit {
            code: code.to_owned(),
            count,
            text: text.to_owned(),
        })
        .collect()
    }
}
