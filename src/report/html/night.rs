//! The time-line: packets per hour and times without any. Lays out a drawing of bars.

use super::show;
use crate::report::model::Window;

const HOUR: i64 = 3_600_000_000_000;

/// Most bars; a longer capture has several hours in one.
const BARS: usize = 168;

/// Size of the drawing, and the room left of and below the bars.
const WIDTH: usize = 960;
const HEIGHT: usize = 224;
const LEFT: usize = 64;
const BASE: usize = 176;
const TOP: usize = 16;

/// The time-line.
#[derive(Debug, Default)]
pub(super) struct Night {
    pub(super) bars: Vec<Bar>,
    /// Hours in one bar.
    pub(super) hours_each: usize,
    /// Most packets in a bar, rounded up to a round number: the top of the scale.
    pub(super) scale: u64,
    /// Begin and width of the longest time without a packet.
    pub(super) gap: Option<(usize, usize)>,
}

/// The packets of an hour or of several.
#[derive(Debug)]
pub(super) struct Bar {
    pub(super) begin: String,
    pub(super) packets: u64,
    pub(super) x: usize,
    pub(super) y: usize,
    pub(super) width: usize,
    pub(super) height: usize,
    /// `22:00`; empty where there is no room, and where a bar is a day or more.
    pub(super) time: String,
    /// `2026-03-02` at the first bar of a day; empty at others, and where there is no room.
    pub(super) date: String,
}

impl Night {
    pub(super) const WIDTH: usize = WIDTH;
    pub(super) const HEIGHT: usize = HEIGHT;
    pub(super) const LEFT: usize = LEFT;
    pub(super) const BASE: usize = BASE;
    pub(super) const TOP: usize = TOP;

    pub(super) fn of(window: &Window) -> Self {
        let hours: Vec<(i64, u64)> = window
            .hours
            .iter()
            .filter_map(|hour| Some((show::nanoseconds(&hour.hour)?, hour.packets)))
            .collect();
        let (Some((first, _)), Some((last, _))) = (hours.first(), hours.last()) else {
            return Night::default();
        };
        let all = usize::try_from(last.saturating_sub(*first) / HOUR).unwrap_or(usize::MAX - 1) + 1;
        let hours_each = all.div_ceil(BARS);
        let span = HOUR.saturating_mul(i64::try_from(hours_each).unwrap_or(i64::MAX));
        let count = all.div_ceil(hours_each);
        let mut packets = vec![0_u64; count];
        for (hour, more) in &hours {
            let index = usize::try_from(hour.saturating_sub(*first) / span).unwrap_or(0);
            if let Some(bar) = packets.get_mut(index) {
                *bar = bar.saturating_add(*more);
            }
        }
        let scale = round(packets.iter().copied().max().unwrap_or(0));
        let axis = Axis { first: *first, span, step: (WIDTH - LEFT) / count.max(12), scale };
        let bars = packets.iter().enumerate().map(|(index, packets)| axis.bar(index, *packets));
        let bars = dated(bars.collect());
        let gap = window
            .largest_gap
            .as_ref()
            .and_then(|gap| axis.gap(show::nanoseconds(&gap.after)?, gap.length_ns));
        Night { bars, hours_each, scale, gap }
    }
}

/// Where times and counts lie in the drawing.
struct Axis {
    first: i64,
    span: i64,
    step: usize,
    scale: u64,
}

impl Axis {
    fn bar(&self, index: usize, packets: u64) -> Bar {
        let begin = self.first.saturating_add(self.span.saturating_mul(index as i64));
        let begin = crate::base::Timestamp::from_nanos(begin).to_string();
        let full = (BASE - TOP) as u128;
        let height = u128::from(packets) * full / u128::from(self.scale.max(1));
        let height = usize::try_from(height).unwrap_or(0).max(usize::from(packets > 0));
        // A time takes some 60 units.
        let every = 60_usize.div_ceil(self.step.max(1));
        let timed = index.is_multiple_of(every) && self.span < 24 * HOUR;
        let part = |range: std::ops::Range<usize>| begin.get(range).unwrap_or_default().to_owned();
        let (time, date) = (if timed { part(11..16) } else { String::new() }, part(0..10));
        Bar {
            begin,
            packets,
            x: LEFT + index * self.step,
            y: BASE - height,
            width: self.step.saturating_sub(2).max(1),
            height,
            time,
            date,
        }
    }

    /// A gap that is too short to be seen is told in words alone.
    fn gap(&self, after: i64, length: i64) -> Option<(usize, usize)> {
        let units = |time: i64| {
            let units = i128::from(time) * self.step as i128 / i128::from(self.span.max(1));
            usize::try_from(units).ok()
        };
        let (x, width) = (units(after.saturating_sub(self.first))?, units(length)?);
        (width >= 3).then_some((LEFT + x, width))
    }
}

/// Leaves the date where it changes, and where the one before leaves room: it takes 90 units.
fn dated(mut bars: Vec<Bar>) -> Vec<Bar> {
    let mut shown: Option<(String, usize)> = None;
    for bar in &mut bars {
        match &shown {
            Some((date, x)) if *date == bar.date || bar.x < x + 90 => bar.date.clear(),
            _ => shown = Some((bar.date.clone(), bar.x)),
        }
    }
    bars
}

/// The next greater of 1, 2 and 5 times a power of ten.
fn round(number: u64) -> u64 {
    let mut power = 1_u64;
    loop {
        for factor in [1, 2, 5] {
            let candidate = power.saturating_mul(factor);
            if candidate >= number {
                return candidate;
            }
        }
        power = power.saturating_mul(10);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::model::{Gap, Hour};

    fn window(hours: &[(&str, u64)], gap: Option<(&str, i64)>) -> Window {
        let hours = hours.iter().map(|(hour, packets)| Hour {
            hour: format!("{hour}:00:00.000000000Z"),
            packets: *packets,
        });
        Window {
            first: None,
            last: None,
            span_ns: 0,
            packets: 0,
            largest_gap: gap.map(|(after, length_ns)| Gap { after: after.to_owned(), length_ns }),
            hours: hours.collect(),
        }
    }

    #[test]
    fn hours_without_packets_have_their_place() {
        let hours = [("2026-03-02T22", 50), ("2026-03-03T01", 100)];
        let night = Night::of(&window(&hours, Some(("2026-03-02T22:30:00Z", 2 * HOUR))));
        let bars: Vec<_> = night.bars.iter().map(|bar| (bar.packets, bar.height)).collect();
        let full = BASE - TOP;
        assert_eq!(bars, [(50, full / 2), (0, 0), (0, 0), (100, full)]);
        assert_eq!(night.scale, 100);
        let times: Vec<_> = night.bars.iter().map(|bar| bar.time.as_str()).collect();
        assert_eq!(times, ["22:00", "23:00", "00:00", "01:00"]);
        let dates: Vec<_> = night.bars.iter().map(|bar| bar.date.as_str()).collect();
        assert_eq!(dates, ["2026-03-02", "", "2026-03-03", ""]);
        let step = night.bars[1].x - night.bars[0].x;
        assert_eq!(night.gap, Some((LEFT + step / 2, 2 * step)));
    }

    #[test]
    fn long_captures_stay_inside_the_drawing() {
        let hours = [("2026-01-01T00", 7), ("2026-12-31T23", 7)];
        let night = Night::of(&window(&hours, None));
        assert!(night.bars.len() <= BARS && night.hours_each == 53, "{}", night.hours_each);
        assert_eq!(night.bars.iter().map(|bar| bar.packets).sum::<u64>(), 14);
        assert!(night.bars.iter().all(|bar| bar.x + bar.width <= WIDTH));
        assert!(Night::of(&window(&[], None)).bars.is_empty());
    }

    #[test]
    fn scales_are_round() {
        for (number, scale) in [(0, 1), (1, 1), (3, 5), (19, 20), (20, 20), (51, 100)] {
            assert_eq!(round(number), scale);
        }
        assert_eq!(round(u64::MAX), u64::MAX);
    }
}
