//! Capture time. Nothing in the library reads the clock of the machine it runs on.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Nanoseconds since 1970-01-01T00:00:00Z as a capture recorded them.
///
/// Files may hold times up to 2554 (pcap seconds are 32 bits unsigned, so 2106 there); what
/// does not fit is saturated by the reader that meets it.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Timestamp(i64);

const SECOND: i64 = 1_000_000_000;

impl Timestamp {
    /// From nanoseconds since the Unix epoch.
    pub const fn from_nanos(nanos: i64) -> Self {
        Timestamp(nanos)
    }

    /// From seconds and a fraction in nanoseconds; saturates.
    pub const fn from_parts(seconds: i64, nanos: i64) -> Self {
        Timestamp(seconds.saturating_mul(SECOND).saturating_add(nanos))
    }

    /// Nanoseconds since the Unix epoch.
    pub const fn nanos(self) -> i64 {
        self.0
    }

    /// Nanoseconds from `earlier` to `self`; negative when `self` is the earlier one.
    pub const fn since(self, earlier: Timestamp) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// Nanoseconds between two times, whichever is the earlier one. Exact for any two.
    pub const fn apart(self, other: Timestamp) -> u64 {
        self.0.abs_diff(other.0)
    }

    /// Reads an RFC 3339 date (`2026-11-22`) or date-time with `Z` or an offset.
    pub fn parse(text: &str) -> Option<Timestamp> {
        let bytes = text.as_bytes();
        let number = |range: std::ops::Range<usize>| -> Option<i64> {
            let digits = bytes.get(range)?;
            if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
                return None;
            }
            std::str::from_utf8(digits).ok()?.parse().ok()
        };
        let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
        if bytes.get(4) != Some(&b'-') || bytes.get(7) != Some(&b'-') {
            return None;
        }
        if !(1..=12).contains(&month) || day < 1 || day > days_in_month(year, month) {
            return None;
        }
        let midnight = days_from_civil(year, month, day).checked_mul(86_400)?;
        if bytes.len() == 10 {
            return Some(Timestamp::from_parts(midnight, 0));
        }
        if !matches!(bytes.get(10), Some(b'T' | b't' | b' ')) {
            return None;
        }
        let (hour, minute, second) = (number(11..13)?, number(14..16)?, number(17..19)?);
        if bytes.get(13) != Some(&b':') || bytes.get(16) != Some(&b':') {
            return None;
        }
        if hour > 23 || minute > 59 || second > 60 {
            return None;
        }
        let mut at = 19;
        let mut nanos = 0;
        if bytes.get(at) == Some(&b'.') {
            at += 1;
            let start = at;
            while bytes.get(at).is_some_and(u8::is_ascii_digit) {
                at += 1;
            }
            if at == start {
                return None;
            }
            let digits = (at - start).min(9);
            nanos = number(start..start + digits)? * 10_i64.pow(9 - digits as u32);
        }
        let offset = match bytes.get(at)? {
            b'Z' | b'z' if bytes.len() == at + 1 => 0,
            sign @ (b'+' | b'-') if bytes.len() == at + 6 && bytes[at + 3] == b':' => {
                let seconds = number(at + 1..at + 3)? * 3600 + number(at + 4..at + 6)? * 60;
                if *sign == b'+' { seconds } else { -seconds }
            }
            _ => return None,
        };
        let seconds = midnight + hour * 3600 + minute * 60 + second - offset;
        Some(Timestamp::from_parts(seconds, nanos))
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC with nanoseconds: `2026-11-22T01:02:03.000000004Z`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, nanos) = (self.0.div_euclid(SECOND), self.0.rem_euclid(SECOND));
        let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
        let (year, month, day) = civil_from_days(days);
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        // Digits in place: a flow list has two times in each line. Years are those that 64 bits of
        // nanoseconds reach, 1677 to 2262.
        let mut text = *b"0000-00-00T00:00:00.000000000Z";
        let places = [
            (0..4, year),
            (5..7, month),
            (8..10, day),
            (11..13, hour),
            (14..16, minute),
            (17..19, second),
            (20..29, nanos),
        ];
        for (place, number) in places {
            let digits = text.get_mut(place).unwrap_or_default();
            let mut rest = number;
            for digit in digits.iter_mut().rev() {
                *digit += (rest % 10) as u8;
                rest /= 10;
            }
        }
        f.write_str(std::str::from_utf8(&text).unwrap_or_default())
    }
}

/// Days since 1970-01-01 of a proleptic Gregorian date.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    // Years are counted from March, so the leap day is the last day of a year.
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// The proleptic Gregorian date of a day counted from 1970-01-01.
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Expected values from `date -u -d @SECONDS +%FT%TZ`.
    const KNOWN: [(i64, &str); 6] = [
        (0, "1970-01-01T00:00:00.000000000Z"),
        (951_782_400, "2000-02-29T00:00:00.000000000Z"),
        (1_208_390_400, "2008-04-17T00:00:00.000000000Z"),
        (4_102_444_799, "2099-12-31T23:59:59.000000000Z"),
        (4_323_801_600, "2107-01-07T00:00:00.000000000Z"),
        (-1, "1969-12-31T23:59:59.000000000Z"),
    ];

    #[test]
    fn known_dates_print_and_parse() {
        for (seconds, text) in KNOWN {
            let time = Timestamp::from_parts(seconds, 0);
            assert_eq!(time.to_string(), text);
            assert_eq!(Timestamp::parse(text), Some(time));
        }
        let ends =
            [(i64::MIN, "1677-09-21T00:12:43.145224192Z"), (1, "1970-01-01T00:00:00.000000001Z")];
        for (nanos, text) in ends.into_iter().chain([(i64::MAX, "2262-04-11T23:47:16.854775807Z")])
        {
            assert_eq!(Timestamp::from_nanos(nanos).to_string(), text);
        }
    }

    #[test]
    fn offsets_and_short_forms_parse() {
        let noon = Timestamp::parse("2026-11-22T12:00:00Z").unwrap();
        assert_eq!(Timestamp::parse("2026-11-22T13:00:00+01:00"), Some(noon));
        assert_eq!(Timestamp::parse("2026-11-22").map(|t| noon.since(t)), Some(12 * 3600 * SECOND));
        assert_eq!(
            Timestamp::parse("2026-11-22T12:00:00.5Z").map(|t| t.since(noon)),
            Some(500_000_000)
        );
        for bad in ["2026-13-01", "2026-02-30", "2026-11-22T25:00:00Z", "2026-11-22T12:00:00", "x"]
        {
            assert_eq!(Timestamp::parse(bad), None, "{bad}");
        }
    }
}
