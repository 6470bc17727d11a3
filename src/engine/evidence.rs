//! What the inputs and the fold say of the evidence, for judging.

use super::partial::Evaluated;
use crate::capture::{InputSummary, Interface};
use crate::judge::{Doubt, Evidence};

impl Evaluated {
    /// What is known of the evidence before judging begins.
    pub fn evidence(&self, inputs: &[InputSummary]) -> Evidence {
        let failed = inputs.iter().filter(|input| input.ending.is_failure()).count() as u64;
        let interfaces = || inputs.iter().flat_map(|input| &input.interfaces);
        let filtered = interfaces().filter(|interface| interface.filter.is_some()).count() as u64;
        let dropped = interfaces().filter_map(Interface::lost).fold(0, u64::saturating_add);
        let cut = inputs.iter().map(|input| input.cut_packets).sum();
        let mirror_lost = self.carriers.lost_by_mirrors();
        let untold = self.carriers.untold();
        let blurred = self.blurred.packets;
        let facts = &self.facts;
        let copied = Doubt::of_copies(facts.copies.exact + facts.copies.routed, facts.ip_packets);
        let all = [
            (failed, Doubt::InputsFailed { failed, inputs: inputs.len() as u64 }),
            (filtered, Doubt::Filtered(filtered)),
            (dropped, Doubt::Dropped(dropped)),
            (mirror_lost, Doubt::MirrorLost(mirror_lost)),
            (cut, Doubt::Cut(cut)),
            (facts.over_9216, Doubt::SuperFrames(facts.over_9216)),
            (blurred, Doubt::BlurredPackets(blurred)),
            (self.fragments_lost, Doubt::LostFragments(self.fragments_lost)),
            (self.quotes_lost, Doubt::LostQuotes(self.quotes_lost)),
            (untold, Doubt::LostTunnels(untold)),
        ];
        Evidence {
            begin: self.timeline.begin(),
            reasons: all
                .into_iter()
                .filter(|(count, _)| *count > 0)
                .map(|(_, doubt)| doubt)
                .chain(copied)
                .collect(),
        }
    }
}
