//! What the inputs and the fold say of the evidence, for judging.

use super::partial::Evaluated;
use crate::capture::{Ending, InputSummary, Interface, TimeHealth};
use crate::judge::{Doubt, Evidence};

impl Evaluated {
    /// What is known of the evidence before judging begins. `times` tells how orderly the times of
    /// the whole stream are.
    pub fn evidence(&self, inputs: &[InputSummary], times: TimeHealth) -> Evidence {
        let failed = inputs.iter().filter(|input| input.ending.is_failure()).count() as u64;
        let interfaces = || inputs.iter().flat_map(|input| &input.interfaces);
        let filtered = interfaces().filter(|interface| interface.filter.is_some()).count() as u64;
        let dropped = interfaces().filter_map(Interface::lost).fold(0, u64::saturating_add);
        let cut = inputs.iter().map(|input| input.cut_packets).sum();
        let blurred = self.blurred.packets;
        let facts = &self.facts;
        let (back, forward) = (times.clock.jumps_backward, times.clock.jumps_forward);
        let out_of_reach = times.late.out_of_reach;
        let copied = Doubt::of_copies(facts.copies.exact + facts.copies.routed, facts.ip_packets);
        let all = [
            (failed, Doubt::InputsFailed { failed, inputs: inputs.len() as u64 }),
            (filtered, Doubt::Filtered(filtered)),
            (dropped, Doubt::Dropped(dropped)),
            (back.count, Doubt::ClockSetBack(back)),
            (forward.count, Doubt::Paused(forward)),
            interrupted(inputs),
            (out_of_reach, Doubt::OutOfOrder(out_of_reach)),
            (cut, Doubt::Cut(cut)),
            (facts.over_9216, Doubt::SuperFrames(facts.over_9216)),
            (blurred, Doubt::BlurredPackets(blurred)),
            (self.fragments_lost, Doubt::LostFragments(self.fragments_lost)),
            (self.quotes_lost, Doubt::LostQuotes(self.quotes_lost)),
        ];
        Evidence {
            begin: self.timeline.begin(),
            unread_inside: self.unread_inside.total().packets,
            early_fragments: self.early_fragments,
            reasons: all
                .into_iter()
                .filter(|(count, _)| *count > 0)
                .map(|(_, doubt)| doubt)
                .chain(copied)
                .collect(),
        }
    }
}

/// How often a watch was started again, and for how long it saw nothing.
fn interrupted(inputs: &[InputSummary]) -> (u64, Doubt) {
    let over = |input: &InputSummary| input.ending == Ending::Interrupted;
    let times = inputs.iter().filter(|input| over(input)).count() as u64;
    let next = inputs.windows(2).filter(|pair| pair.first().is_some_and(over));
    let gaps = next.filter_map(|pair| pair.last().and_then(|input| input.gap_to_previous));
    let nanos = gaps.filter_map(|gap| u64::try_from(gap).ok()).fold(0, u64::saturating_add);
    (times, Doubt::Interrupted { times, nanos })
}
