//! Days, counted one month after the other.

fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

/// How long the months of a year are.
pub fn months(year: u64) -> [u64; 12] {
    let february = 28 + u64::from(is_leap(year));
    [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
}

/// How many days a day is after the first of 1970. A day beyond its month is one of the next.
pub fn days(year: u64, month: u64, day: u64) -> Option<u64> {
    let of_years: u64 = (1970..year)
        .map(|year| 365 + u64::from(is_leap(year)))
        .sum();
    let before = usize::try_from(month).ok()?.checked_sub(1)?;
    let of_months: u64 = months(year).iter().take(before).sum();
    (of_years + of_months + day).checked_sub(1)
}
