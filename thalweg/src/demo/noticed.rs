//! The moment when drift was noticed, in words: which hour, which statistic passed which threshold, judged when.
//!
//! ```text
//! hours in order ─ first that is not stable ─▶ «Drift was first noticed for the hour …»
//!                └ first that is critical   ─▶ «The first critical hour is …»
//! ```
//!
//! An hour `[start, start + 1 h)` is judged when the watermark reaches its end: until then rows of it may come.

use thalweg_connectors::files::moment;
use thalweg_engine::time::{hours, micros_of};
use thalweg_operators::drift::{Thresholds, Verdict};

use crate::demo::drift::DriftHour;
use crate::text::count;

/// When drift was noticed in these hours, which stand in order; a line or two, each with a line feed.
pub(super) fn noticed(hours: &[DriftHour], thresholds: &Thresholds) -> String {
    let first = |least: Verdict| hours.iter().find(|hour| hour.verdict >= least);
    let Some(warned) = first(Verdict::Warning) else {
        return format!("{}\n", nothing(hours, thresholds));
    };
    let told = |hour: &DriftHour| {
        format!(
            "{} ({}: {}), judged when the watermark reached {}",
            minute(hour.hour.0),
            named(hour.verdict),
            reasons(hour, thresholds).join(", "),
            end_of(hour)
        )
    };
    let mut text = format!("Drift was first noticed for the hour {}\n", told(warned));
    if let Some(critical) = first(Verdict::Critical).filter(|critical| critical.hour > warned.hour)
    {
        text += &format!("The first critical hour is {}\n", told(critical));
    }
    text
}

fn nothing(hours: &[DriftHour], thresholds: &Thresholds) -> String {
    match hours
        .iter()
        .filter(|hour| hour.verdict != Verdict::TooFew)
        .count()
    {
        0 => format!(
            "No hour could be judged: none has the {} amounts that it takes (a demo of more --events has)",
            count(thresholds.rows_min)
        ),
        judged => format!(
            "No drift was noticed in {} hours that were judged",
            count(judged as u64)
        ),
    }
}

/// The statistics of an hour that passed their thresholds, as [`Thresholds`] sets them.
fn reasons(hour: &DriftHour, thresholds: &Thresholds) -> Vec<String> {
    let mut reasons = Vec::new();
    let critical = hour.verdict == Verdict::Critical;
    let psi_threshold = match hour.psi {
        Some(psi) if critical && psi > thresholds.psi_critical => thresholds.psi_critical,
        _ => thresholds.psi_warning,
    };
    if let Some(psi) = hour.psi.filter(|psi| *psi > psi_threshold) {
        reasons.push(format!("PSI {psi:.3} above {psi_threshold}"));
    }
    let p = hour.ks_p.or(hour.ks_p_kolmogorov);
    if let (Some(ks), Some(p)) = (hour.ks, p)
        && ks > thresholds.ks_critical
        && p < thresholds.ks_p_critical
    {
        reasons.push(format!(
            "KS {ks:.3} above {} with p below {}",
            thresholds.ks_critical, thresholds.ks_p_critical
        ));
    }
    let most = thresholds.mean_shift_critical;
    if let Some(shift) = hour.mean_shift_z.filter(|shift| shift.abs() > most) {
        reasons.push(format!(
            "mean shifted by {shift:.2} training deviations, more than {most}"
        ));
    }
    reasons
}

/// A verdict as the page calls it.
pub(super) fn named(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::TooFew => "too few rows",
        Verdict::Stable => "stable",
        Verdict::Warning => "warning",
        Verdict::Critical => "critical",
    }
}

/// The end of an hour: the time alone where it is of the same day.
fn end_of(hour: &DriftHour) -> String {
    let start = minute(hour.hour.0);
    let end = minute(hour.hour.0.saturating_add(micros_of(hours(1))));
    match (start.split_once(' '), end.split_once(' ')) {
        (Some((day, _)), Some((same, time))) if day == same => time.to_owned(),
        _ => end,
    }
}

/// A moment to the minute.
pub(super) fn minute(at: i64) -> String {
    let whole = at.saturating_sub(at.rem_euclid(60_000_000));
    moment::plain(whole).map_or_else(
        || at.to_string(),
        |text| text[..16.min(text.len())].to_owned(),
    )
}

#[cfg(test)]
mod tests {
    use thalweg_engine::time::Timestamp;

    use super::*;

    /// 2024-01-08 00:00.
    const MIDNIGHT: i64 = 1_704_672_000_000_000;

    fn hour(number: i64, verdict: Verdict) -> DriftHour {
        DriftHour {
            hour: Timestamp(MIDNIGHT + number * micros_of(hours(1))),
            feature: "amount".into(),
            n: 1_000,
            n_ok: 1_000,
            null_rate: Some(0.0),
            mean: Some(60.0),
            psi: Some(0.05),
            ks: Some(0.05),
            ks_error: Some(0.1),
            ks_p: None,
            ks_p_kolmogorov: Some(0.5),
            mean_shift_z: Some(0.1),
            verdict,
        }
    }

    fn told(hours: &[DriftHour]) -> String {
        noticed(hours, &Thresholds::default())
    }

    #[test]
    fn the_first_hour_that_warns_and_the_first_critical_one_are_told_with_what_passed_which_threshold()
     {
        let warned = DriftHour {
            psi: Some(0.2104),
            ..hour(0, Verdict::Warning)
        };
        let critical = DriftHour {
            psi: Some(0.3),
            ks: Some(0.25),
            ks_p_kolmogorov: Some(1e-9),
            mean_shift_z: Some(-2.5),
            ..hour(23, Verdict::Critical)
        };
        let hours = [hour(-1, Verdict::Stable), warned, critical.clone()];
        let expected = "\
Drift was first noticed for the hour 2024-01-08 00:00 (warning: PSI 0.210 above 0.1), judged when the watermark reached 01:00
The first critical hour is 2024-01-08 23:00 (critical: PSI 0.300 above 0.25, KS 0.250 above 0.2 with p below 0.01, \
mean shifted by -2.50 training deviations, more than 2), judged when the watermark reached 2024-01-09 00:00
";
        assert_eq!(told(&hours), expected);
        let at_once = told(&[critical]);
        assert!(at_once.starts_with("Drift was first noticed") && at_once.lines().count() == 1);
    }

    #[test]
    fn an_hour_that_is_critical_by_its_ks_names_the_psi_only_with_the_threshold_that_it_passed() {
        let critical = DriftHour {
            psi: Some(0.236),
            ks: Some(0.21),
            ks_p_kolmogorov: Some(0.001),
            ..hour(3, Verdict::Critical)
        };
        let text = told(&[critical]);
        assert!(
            text.contains("(critical: PSI 0.236 above 0.1, KS 0.210 above 0.2 with p below 0.01)"),
            "{text}"
        );
    }

    #[test]
    fn no_drift_and_nothing_to_judge_are_told_apart() {
        let stable = told(&[hour(0, Verdict::Stable), hour(1, Verdict::TooFew)]);
        assert_eq!(stable, "No drift was noticed in 1 hours that were judged\n");
        assert!(
            told(&[hour(0, Verdict::TooFew)])
                .starts_with("No hour could be judged: none has the 200")
        );
        assert!(told(&[]).starts_with("No hour could be judged"));
    }
}
