//! What the report says of a finding.

use std::collections::BTreeSet;
use std::net::IpAddr;

use sha2::{Digest, Sha256};

use super::build::{Builder, by_name, packet_number};
use super::display_filter::display_filter;
use super::model;
use super::reasons;
use super::remedy;
use super::words;
use crate::capture::FrameRef;
use crate::decode::Direction;
use crate::judge::model::HostId;
use crate::judge::{Evident, Finding, FindingKind, Missing, Reason, Side};

impl Builder<'_> {
    pub(super) fn finding(
        &self,
        finding: &Finding,
        places: &mut BTreeSet<FrameRef>,
    ) -> model::Finding {
        let names = &self.names;
        let port = finding.ports.ranges().first().map(|range| range.low);
        let known = port
            .filter(|_| finding.ports.count() == 1)
            .zip(finding.transport)
            .and_then(|(port, transport)| names.service_on(transport, port));
        model::Finding {
            id: self.id(finding),
            severity: finding.severity.name().to_owned(),
            verdict: finding.kind.verdict().name().to_owned(),
            code: finding.kind.code().to_owned(),
            title: self.title(finding),
            expected: words::expected(names, finding),
            remediation: remedy::remediation(names, finding),
            initiators: self.initiators(finding),
            responders: self.responders(finding),
            service: model::Service {
                transport: words::transport(finding.transport),
                ports: finding.ports.to_string(),
                name: known.map(str::to_owned),
                basis: known.map(|_| "port".to_owned()),
                spoken: finding.speaks.as_ref().map(|evident| self.spoken(evident)),
            },
            rules: finding.rows.iter().map(|row| names.row_id(*row).to_owned()).collect(),
            nearest: self.nearest(finding),
            missing: finding.missing.iter().map(|m| reasons::missing(names, finding, *m)).collect(),
            assumptions: finding
                .assumptions
                .iter()
                .map(|assumption| reasons::assumption(names, *assumption))
                .collect(),
            direction_basis: by_name(&finding.bases, |basis| basis.name()),
            states: by_name(&finding.states, |state| state.name()),
            volume: model::Volume {
                flows: finding.flows,
                packets: finding.packets,
                frame_bytes: finding.frame_bytes,
            },
            icmp_only_attempts: finding.hearsay,
            first_seen: finding.first.map(|time| time.to_string()),
            last_seen: finding.last.map(|time| time.to_string()),
            samples: self.samples(finding, places),
            display_filter: display_filter(
                finding.samples.iter().filter_map(|index| self.assessment.sample(*index)),
                &[],
                &self.uses,
            ),
        }
    }

    /// The title, which tells a tunnel from a flow of its ends.
    fn title(&self, finding: &Finding) -> String {
        let title = words::title(&self.names, finding);
        let is_tunnel = |index: &usize| *index >= self.assessment.flows.len();
        match finding.samples.is_empty() || !finding.samples.iter().all(is_tunnel) {
            true => title,
            false => format!("{title} (a tunnel)"),
        }
    }

    fn spoken(&self, evident: &Evident) -> model::Spoken {
        let flow = self.assessment.sample(evident.flow);
        let shown = evident.shown.as_ref().filter(|(_, bytes)| !bytes.is_empty());
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let sender = |(direction, _): &(Direction, Box<[u8]>)| {
            flow.map(|flow| flow.record.end(*direction).to_string())
        };
        model::Spoken {
            protocol: evident.spoken.protocol.name().to_owned(),
            basis: evident.spoken.told.name().to_owned(),
            confidence: evident.spoken.told.confidence().to_owned(),
            facts: evident
                .details
                .iter()
                .map(|fact| model::Fact { name: fact.name.to_owned(), value: fact.value.clone() })
                .collect(),
            bytes: shown.map(|(_, bytes)| hex(bytes)),
            bytes_of: shown.and_then(sender),
            announced_by: evident.announced.as_ref().map(|learned| model::AnnouncedBy {
                flow: [learned.by.a().to_string(), learned.by.b().to_string()],
                message: learned.source.name().to_owned(),
                at: learned.at.to_string(),
            }),
        }
    }

    /// Identifies a finding by what makes it one, so that it is the same on another night. Only
    /// identifiers go in: a sentence or a name may change without the finding becoming another.
    pub(super) fn id(&self, finding: &Finding) -> String {
        let scan = matches!(finding.kind, FindingKind::Scan(_));
        let listed = !matches!(finding.from, Side::Unlisted(_));
        let scanner = finding.initiators.first().filter(|_| scan && listed);
        let ports = if finding.many_ports { String::new() } else { finding.ports.to_string() };
        let rows: Vec<_> = finding.rows.iter().map(|row| self.names.row_id(*row)).collect();
        let missing: Vec<_> =
            finding.missing.iter().map(|missing| self.missing_id(*missing)).collect();
        let subject = match finding.kind {
            FindingKind::Waiver(_, index) => self.names.waiver(index).map(|w| w.id.clone()),
            _ => scanner.map(|(address, ..)| address.to_string()),
        };
        let parts = [
            finding.kind.code().to_owned(),
            self.side_id(finding.from),
            self.side_id(finding.to),
            words::transport(finding.transport),
            ports,
            rows.join(","),
            missing.join(","),
            subject.unwrap_or_default(),
        ];
        let elsewhere = matches!(
            finding.kind,
            FindingKind::Flows(_, Some(Reason::PortOutsideRange | Reason::ProtocolMismatch))
        );
        let spoken = finding.speaks.as_ref().filter(|_| elsewhere);
        let spoken = spoken.map(|evident| evident.spoken.protocol.name().to_owned());
        let parts: Vec<String> = parts.into_iter().chain(spoken).collect();
        let digest = Sha256::digest(parts.join("\n").as_bytes());
        let hex: String = digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect();
        format!("F-{hex}")
    }

    fn side_id(&self, side: Side) -> String {
        match side {
            Side::Roles(roles) => self.names.roles(roles).join("+"),
            Side::Unlisted(class) => format!("({})", class.name()),
            Side::Any => "(any)".to_owned(),
        }
    }

    fn missing_id(&self, missing: Missing) -> String {
        match missing {
            Missing::Parameter(id) => {
                let parameter = self.names.policy.parameters.get(id.0);
                parameter.map(|parameter| parameter.id.clone()).unwrap_or_default()
            }
            Missing::Direction => "(direction)".to_owned(),
            Missing::Ports => "(ports)".to_owned(),
            Missing::HostIdentity => "(host identity)".to_owned(),
        }
    }

    fn initiators(&self, finding: &Finding) -> model::Side {
        self.side(finding.from, &finding.initiators, finding.initiator_count, finding)
    }

    fn responders(&self, finding: &Finding) -> model::Side {
        self.side(finding.to, &finding.responders, finding.responder_count, finding)
    }

    fn side(
        &self,
        side: Side,
        ends: &[(IpAddr, Option<HostId>, u64)],
        address_count: u64,
        finding: &Finding,
    ) -> model::Side {
        let (roles, class) = match side {
            Side::Roles(roles) => (self.names.roles(roles), "listed"),
            Side::Unlisted(class) => (Vec::new(), class.name()),
            Side::Any => (Vec::new(), "any"),
        };
        let unlisted = matches!(side, Side::Unlisted(_));
        let would = finding.would_document.iter().filter(|_| unlisted);
        model::Side {
            roles,
            class: class.to_owned(),
            hosts: ends
                .iter()
                .map(|(address, host, flows)| model::SideHost {
                    name: host.and_then(|id| self.names.host(id)).map(str::to_owned),
                    address: address.to_string(),
                    flows: *flows,
                })
                .collect(),
            address_count,
            would_document: would.map(|role| self.names.role(*role).to_owned()).collect(),
        }
    }

    fn nearest(&self, finding: &Finding) -> Vec<model::Nearest> {
        let near = finding.nearest.iter().filter_map(|near| {
            let row = self.names.row(near.row)?;
            Some(model::Nearest {
                rule: row.id.clone(),
                citation: self.names.citation(row),
                failed: remedy::failed(&self.names, finding, near)
                    .into_iter()
                    .map(|(field, wanted, got)| model::FailedPredicate {
                        field: field.to_owned(),
                        wanted,
                        got,
                    })
                    .collect(),
                change: remedy::change(&self.names, finding, near),
            })
        });
        near.collect()
    }

    fn samples(&self, finding: &Finding, places: &mut BTreeSet<FrameRef>) -> Vec<model::Sample> {
        let flows = finding.samples.iter().filter_map(|index| self.assessment.sample(*index));
        flows
            .map(|flow| {
                let own = flow.record.origin.map(|origin| origin.source);
                let told = flow.record.icmp.as_ref().and_then(|notice| notice.quote.source);
                let source = own.or(told);
                places.extend(source);
                model::Sample {
                    initiator: flow.initiator().to_string(),
                    responder: flow.responder().to_string(),
                    instance: flow.record.instance,
                    state: flow.judgement.state.name().to_owned(),
                    first_seen: flow.record.earliest.to_string(),
                    packet: source.map(packet_number),
                    packets: flow.record.packets(),
                    frame_bytes: flow.record.frame_bytes(),
                }
            })
            .collect()
    }
}
