//! Numbers, times and sizes as the page shows them. Templates hand over values and references
//! alike, so numbers are taken as either.

use std::borrow::Borrow;

use crate::base::Timestamp;

/// Digits in groups of three, set apart by a narrow space: `1 234 567`.
pub(super) fn number(number: impl Borrow<u64>) -> String {
    let digits = number.borrow().to_string();
    let mut text = String::with_capacity(digits.len() * 2);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

/// `1 flow`, `2 flows`: a number with what it counts.
pub(super) fn counted(number_of: impl Borrow<u64>, noun: &str) -> String {
    let number_of = *number_of.borrow();
    let plural = match (number_of, noun.strip_suffix('y'), noun.strip_suffix('s')) {
        (1, ..) => noun.to_owned(),
        (_, Some(stem), _) => format!("{stem}ies"),
        (_, _, Some(_)) => format!("{noun}es"),
        _ => format!("{noun}s"),
    };
    format!("{} {plural}", number(number_of))
}

/// A number in at most four characters, for narrow cells: `999`, `1.2k`, `35k`, `4M`.
pub(super) fn short(number: impl Borrow<u64>) -> String {
    let number = *number.borrow();
    match number {
        0..1_000 => number.to_string(),
        1_000..10_000 => format!("{}.{}k", number / 1_000, number % 1_000 / 100),
        10_000..1_000_000 => format!("{}k", number / 1_000),
        _ => format!("{}M", number / 1_000_000),
    }
}

/// Parts per million as a percentage: `0.0123 %`, `12.5 %`.
pub(super) fn per_cent(per_million: impl Borrow<u64>) -> String {
    let per_million = *per_million.borrow();
    let text = format!("{}.{:04}", per_million / 10_000, per_million % 10_000);
    format!("{}\u{a0}%", text.trim_end_matches('0').trim_end_matches('.'))
}

/// The most that a grade allows.
pub(super) fn limit(per_million: &Option<u64>) -> String {
    per_million.map_or("any".to_owned(), per_cent)
}

/// `part` of `whole` as a percentage with one decimal; empty of nothing.
pub(super) fn share(part: impl Borrow<u64>, whole: impl Borrow<u64>) -> String {
    let (part, whole) = (*part.borrow(), *whole.borrow());
    let (part_of, whole_of) = (u128::from(part), u128::from(whole));
    let Some(thousandths) = (part_of * 1000 + whole_of / 2).checked_div(whole_of) else {
        return String::new();
    };
    match thousandths {
        0 if part > 0 => "< 0.1\u{a0}%".to_owned(),
        _ => format!("{}.{}\u{a0}%", thousandths / 10, thousandths % 10),
    }
}

/// Bytes in binary units: `640 B`, `12.4 KiB`.
pub(super) fn bytes(bytes: impl Borrow<u64>) -> String {
    let bytes = *bytes.borrow();
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    if bytes < 1024 {
        return format!("{bytes}\u{a0}B");
    }
    let mut tenths = u128::from(bytes) * 10 / 1024;
    let mut unit = 0;
    while tenths >= 10_240 && unit + 1 < UNITS.len() {
        tenths /= 1024;
        unit += 1;
    }
    let name = UNITS.get(unit).copied().unwrap_or_default();
    format!("{}.{}\u{a0}{name}", tenths / 10, tenths % 10)
}

/// The two greatest units of a time: `7 h 54 min`, `12.4 s`.
pub(super) fn duration(nanoseconds: impl Borrow<i64>) -> String {
    let nanoseconds = *nanoseconds.borrow();
    let sign = if nanoseconds < 0 { "\u{2212}" } else { "" };
    let milliseconds = nanoseconds.unsigned_abs() / 1_000_000;
    let seconds = milliseconds / 1_000;
    let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400);
    let text = match (days, hours, minutes) {
        (1.., ..) => format!("{days}\u{a0}d {}\u{a0}h", hours % 24),
        (_, 1.., _) => format!("{hours}\u{a0}h {}\u{a0}min", minutes % 60),
        (_, _, 1..) => format!("{minutes}\u{a0}min {}\u{a0}s", seconds % 60),
        _ => format!("{seconds}.{:03}\u{a0}s", milliseconds % 1_000),
    };
    format!("{sign}{text}")
}

/// A short time in the greatest unit of which it is a whole number: `20 µs`, `5 ms`.
pub(super) fn distance(nanoseconds: impl Borrow<u64>) -> String {
    let nanoseconds = *nanoseconds.borrow();
    let units = [(1_000_000_000, "s"), (1_000_000, "ms"), (1_000, "\u{b5}s"), (1, "ns")];
    let fits = |(length, _): &&(u64, &str)| nanoseconds.is_multiple_of(*length);
    let (length, name) = units.iter().find(fits).copied().unwrap_or((1, "ns"));
    format!("{}\u{a0}{name}", number(nanoseconds / length))
}

/// `2026-03-02 22:00:05` of an RFC 3339 time.
pub(super) fn time(text: &str) -> String {
    text.get(..19).unwrap_or(text).replace('T', " ")
}

/// The same where there may be none.
pub(super) fn time_or_dash(text: &Option<String>) -> String {
    text.as_deref().map_or("\u{2013}".to_owned(), time)
}

/// `2026-03-02 22:00:05 to 23:10:00`: from when to when, the date once where it is the same.
pub(super) fn period(first: &Option<String>, last: &Option<String>) -> String {
    let (Some(first), Some(last)) = (first, last) else { return String::new() };
    let (first, last) = (time(first), time(last));
    match (first.get(..10), last.get(..10)) {
        _ if first == last => first,
        (Some(one), Some(other)) if one == other => {
            format!("{first} to {}", last.get(11..).unwrap_or_default())
        }
        _ => format!("{first} to {last}"),
    }
}

/// Ports as the report lists them; of many, the first, the last and how many lie apart.
pub(super) fn ports(list: &str) -> String {
    const FEW: usize = 8;
    let parts: Vec<&str> = list.split(',').map(str::trim).collect();
    match parts.as_slice() {
        [first, .., last] if parts.len() > FEW => {
            let low = first.split('-').next().unwrap_or(first);
            let high = last.rsplit('-').next().unwrap_or(last);
            let apart = counted(parts.len() as u64, "separate range");
            format!("{low} to {high} ({apart})")
        }
        _ => parts.join(", "),
    }
}

/// A fragment with its first letter as a capital and a full stop.
pub(super) fn sentence(fragment: &str) -> String {
    let mut letters = fragment.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    format!("{}{}.", first.collect::<String>(), letters.as_str())
}

/// Nanoseconds since 1970 of an RFC 3339 time.
pub(super) fn nanoseconds(text: &str) -> Option<i64> {
    Timestamp::parse(text).map(|time| time.since(Timestamp::default()))
}

/// A word as a POSIX shell takes it.
pub(super) fn shell(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:+,@%".contains(c);
    match !word.is_empty() && word.chars().all(plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        assert_eq!(number(0), "0");
        assert_eq!(number(999), "999");
        assert_eq!(number(1_234_567), "1\u{202f}234\u{202f}567");
        assert_eq!(counted(1, "flow"), "1 flow");
        assert_eq!(counted(2, "entry"), "2 entries");
        assert_eq!(counted(3, "address"), "3 addresses");
        for (n, text) in [(999, "999"), (1_234, "1.2k"), (35_999, "35k"), (4_999_999, "4M")] {
            assert_eq!(short(n), text);
        }
    }

    #[test]
    fn shares_and_sizes() {
        assert_eq!(per_cent(123), "0.0123\u{a0}%");
        assert_eq!(share(2, 3), "66.7\u{a0}%");
        assert_eq!(share(1, 100_000), "< 0.1\u{a0}%");
        assert_eq!(share(1, 0), "");
        assert_eq!(bytes(640), "640\u{a0}B");
        assert_eq!(bytes(1_536), "1.5\u{a0}KiB");
        assert_eq!(bytes(u64::MAX), "15.9\u{a0}EiB");
    }

    #[test]
    fn times() {
        assert_eq!(duration(28_478_708_554_362), "7\u{a0}h 54\u{a0}min");
        assert_eq!(duration(-1_500_000_000), "\u{2212}1.500\u{a0}s");
        let distances = [
            (20_000, "20\u{a0}\u{b5}s"),
            (5_000_000, "5\u{a0}ms"),
            (1_001, "1\u{202f}001\u{a0}ns"),
        ];
        for (nanoseconds, text) in distances {
            assert_eq!(distance(nanoseconds), text);
        }
        let at = |text: &str| Some(text.to_owned());
        let (one, other) = (at("2026-03-02T22:00:05.1Z"), at("2026-03-02T23:10:00.2Z"));
        assert_eq!(period(&one, &other), "2026-03-02 22:00:05 to 23:10:00");
        assert_eq!(period(&one, &None), "");
        assert_eq!(nanoseconds("1970-01-01T00:00:01.000000000Z"), Some(1_000_000_000));
    }

    #[test]
    fn long_lists_of_ports_are_summed_up() {
        assert_eq!(ports("22, 80-81"), "22, 80-81");
        let many = "5, 7, 9, 11, 13, 15, 17, 19, 21-30";
        assert_eq!(ports(many), "5 to 30 (9 separate ranges)");
    }

    #[test]
    fn words_survive_a_shell() {
        assert_eq!(shell("night-1.pcap"), "night-1.pcap");
        assert_eq!(shell("it's $(x)"), r"'it'\''s $(x)'");
        assert_eq!(shell(""), "''");
    }
}
