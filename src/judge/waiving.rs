//! Whether a waiver accepts what a flow did. In: a judgement. Out: the same, waived or not. What
//! became of the waivers in the end is not here (`waived`).

use std::net::IpAddr;

use super::flow::{Judge, Judgement};
use super::model::{Host, HostId, ServiceId, WaivedEnd};
use super::spoken::Spoken;
use super::verdict::Verdict;
use crate::flow::FlowRecord;

impl Judge<'_> {
    pub(super) fn waive(&self, record: &FlowRecord, judgement: &mut Judgement) {
        if !matches!(judgement.verdict, Verdict::Violation | Verdict::UnknownPeer) {
            return;
        }
        let initiator = record.end(judgement.initiator);
        let responder = record.end(judgement.initiator.reverse());
        let roles = |id: Option<HostId>| id.map(|id| self.roles(id)).unwrap_or_default();
        let (from, to) = (roles(judgement.initiator_host), roles(judgement.responder_host));
        let meant = |ends: &[WaivedEnd], address: IpAddr, host: Option<HostId>| {
            ends.is_empty()
                || ends.iter().any(|end| match end {
                    WaivedEnd::Host(id) => host == Some(*id),
                    WaivedEnd::Network(net) => net.contains(&address),
                })
        };
        let answers = judgement.responder_host.and_then(|id| self.inventory.host(id));
        let answers = answers.unwrap_or(&self.unknown);
        let accepted = self.waivers.list.iter().position(|waiver| {
            (waiver.created..waiver.expires).contains(&record.earliest)
                && (waiver.initiator_roles.is_empty() || from.meets(waiver.initiator_roles))
                && (waiver.responder_roles.is_empty() || to.meets(waiver.responder_roles))
                && meant(&waiver.initiators, initiator.address(), judgement.initiator_host)
                && meant(&waiver.responders, responder.address(), judgement.responder_host)
                && waiver.transport.is_none_or(|transport| transport == record.key.protocol())
                && waiver.ports.as_ref().is_none_or(|ports| ports.contains(responder.port()))
                && waiver.service.is_none_or(|service| {
                    self.is_service(service, judgement.spoken, answers, responder.port())
                })
        });
        if let Some(waiver) = accepted {
            judgement.verdict = Verdict::Waived;
            judgement.waiver = Some(waiver);
        }
    }

    /// Whether a flow to a port is of a service: by what is spoken where that tells a service, else
    /// by the port, which a row of the service must name for the host that answers.
    fn is_service(
        &self,
        service: ServiceId,
        spoken: Option<Spoken>,
        answers: &Host,
        port: u16,
    ) -> bool {
        let policy = self.matcher.policy;
        let Some(named) = policy.services.get(service.0) else { return false };
        if spoken.is_some_and(|spoken| spoken.contradicts(named)) {
            return false;
        }
        let told = spoken.is_some_and(|spoken| spoken.names_service() && spoken.is_of(named));
        told || policy.rows.iter().any(|row| {
            let ports = self.matcher.ports(row, answers);
            row.service == service && ports.is_some_and(|ports| ports.contains(port))
        })
    }
}
