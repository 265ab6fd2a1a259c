//! How a stored event is written down: in full, or in eight bytes where its time is a whole millisecond and its number
//! small.
//!
//! ```text
//! Wide      time i64 µs                        number i64
//! Compact   time u32 ms after the anchor       number i32        anchor: one for each key, every 2²⁰ ms
//! ```
//!
//! Both keep the order of times and of numbers, so that windows are found without reading back. What cannot be written
//! down exactly is refused, and kept wide.

use std::fmt::Debug;

use thalweg_engine::time::EventTime;

use crate::array::Array;
use crate::value::{Lane, NULL};
use crate::window::rolling::extremes::{Forgone, KeptExtremes, Stacks};

/// An event as it is stored.
pub(crate) type Stored<F, const N: usize> = (<F as Sealed>::Time, Array<<F as Sealed>::Number, N>);

/// How rolling windows store their events: [`Wide`], or [`Compact`], and whether they keep extremes.
pub trait Form: Clone + Copy + Debug + Sealed + 'static {}

/// What only this module says of a form.
pub trait Sealed: Sized {
    /// Whether every event can be written down.
    const TAKES_ALL: bool;
    /// Whether windows know the least and the greatest number.
    const KEEPS_EXTREMES: bool;
    /// The form of eight bytes that keeps as much.
    type Short: Form;
    /// The form that takes every event and keeps as much.
    type Full: Form;
    /// What a busy key keeps for the extremes of its windows.
    type Extremes<const N: usize>: KeptExtremes<Self, N>;
    /// A moment, in the order of time.
    type Time: Copy + Debug + Default + Ord;
    /// A number, in its order.
    type Number: Copy + Debug + Default + Ord;
    /// The number that is none.
    const NULL: Self::Number;
    /// Room for a moment in full, beside what is stored of a key; none where that would be too much.
    type Moment: Copy + Debug + Default;
    /// How many events of a key its line holds.
    const NEAR: usize;
    /// How many more there may be before the key is a busy one. Where there may be any, times need no anchor.
    const FAR: usize;
    /// Room for those of a line.
    type Near<E: Copy + Debug + Default>: Copy + Debug + Default + AsRef<[E]> + AsMut<[E]>;
    /// Room for those beyond it.
    type Far<E: Copy + Debug + Default>: Copy + Debug + Default + AsRef<[E]> + AsMut<[E]>;

    /// From where the times of a key are told whose events lie between two moments.
    fn anchor(oldest: EventTime, newest: EventTime) -> u32;
    fn pack_time(anchor: u32, at: EventTime) -> Option<Self::Time>;
    fn time(anchor: u32, time: Self::Time) -> EventTime;
    fn pack_number<L: Lane>(number: i64) -> Option<Self::Number>;
    fn number<L: Lane>(number: Self::Number) -> i64;
    /// The moment kept in a place, if this form has room for one.
    fn moment(place: &Self::Moment) -> Option<EventTime>;
    /// Keeps a moment in a place; false where there is no room.
    fn set_moment(place: &mut Self::Moment, at: EventTime) -> bool;
}

/// An event as the form writes it; `None` where that would not be exact.
#[inline(always)]
pub(super) fn pack<F: Form, L: Lane, const N: usize>(
    anchor: u32,
    at: EventTime,
    lanes: &Array<i64, N>,
) -> Option<Stored<F, N>> {
    let time = F::pack_time(anchor, at)?;
    let mut numbers = [F::Number::default(); N];
    for (packed, number) in numbers.iter_mut().zip(lanes.iter()) {
        *packed = F::pack_number::<L>(*number)?;
    }
    Some((time, Array(numbers)))
}

/// An event as it was.
#[inline(always)]
pub(super) fn unpack<F: Form, L: Lane, const N: usize>(
    anchor: u32,
    (time, numbers): &Stored<F, N>,
) -> (EventTime, Array<i64, N>) {
    (F::time(anchor, *time), Array(numbers.map(F::number::<L>)))
}

/// Sixteen bytes an event and lane: any time, any number.
#[derive(Clone, Copy, Debug)]
pub struct Wide;

impl Form for Wide {}

impl Sealed for Wide {
    const TAKES_ALL: bool = true;
    const KEEPS_EXTREMES: bool = true;
    type Short = Compact;
    type Full = Self;
    type Extremes<const N: usize> = Stacks<Self, N>;
    type Time = EventTime;
    type Number = i64;
    const NULL: i64 = NULL;
    type Moment = EventTime;
    const NEAR: usize = 3;
    const FAR: usize = 4;
    type Near<E: Copy + Debug + Default> = [E; 3];
    type Far<E: Copy + Debug + Default> = [E; 4];

    #[inline(always)]
    fn anchor(_: EventTime, _: EventTime) -> u32 {
        0
    }

    #[inline(always)]
    fn pack_time(_: u32, at: EventTime) -> Option<EventTime> {
        Some(at)
    }

    #[inline(always)]
    fn time(_: u32, time: EventTime) -> EventTime {
        time
    }

    #[inline(always)]
    fn pack_number<L: Lane>(number: i64) -> Option<i64> {
        Some(number)
    }

    #[inline(always)]
    fn number<L: Lane>(number: i64) -> i64 {
        number
    }

    #[inline(always)]
    fn moment(place: &EventTime) -> Option<EventTime> {
        Some(*place)
    }

    #[inline(always)]
    fn set_moment(place: &mut EventTime, at: EventTime) -> bool {
        *place = at;
        true
    }
}

/// Eight bytes an event: times in whole milliseconds, numbers of 32 bits.
#[derive(Clone, Copy, Debug)]
pub struct Compact;

/// Anchors lie 2²⁰ ms apart: 17 minutes, so that 32 bits of them reach 71,000 years to either side.
const ANCHOR_BITS: u32 = 20;

/// Milliseconds of a moment, where it is a whole number of them.
#[inline(always)]
fn millis(at: EventTime) -> Option<i64> {
    (at % 1_000 == 0).then_some(at / 1_000)
}

#[inline(always)]
fn anchored_at(anchor: u32) -> i64 {
    i64::from(anchor.cast_signed()) << ANCHOR_BITS
}

impl Form for Compact {}

impl Sealed for Compact {
    const TAKES_ALL: bool = false;
    const KEEPS_EXTREMES: bool = true;
    type Short = Self;
    type Full = Wide;
    type Extremes<const N: usize> = Stacks<Self, N>;
    type Time = u32;
    type Number = i32;
    const NULL: i32 = i32::MIN;
    type Moment = ();
    const NEAR: usize = 7;
    const FAR: usize = 0;
    type Near<E: Copy + Debug + Default> = [E; 7];
    type Far<E: Copy + Debug + Default> = [E; 0];

    /// The events stand in the middle: earlier ones may come late, later ones will come.
    #[inline(always)]
    fn anchor(oldest: EventTime, newest: EventTime) -> u32 {
        let middle = oldest / 2_000 + newest / 2_000;
        let anchor = (middle - (1 << 31)) >> ANCHOR_BITS;
        // Beyond 71,000 years nothing can be written down, from wherever it is told.
        i32::try_from(anchor).unwrap_or(0).cast_unsigned()
    }

    #[inline(always)]
    fn pack_time(anchor: u32, at: EventTime) -> Option<u32> {
        u32::try_from(millis(at)? - anchored_at(anchor)).ok()
    }

    #[inline(always)]
    fn time(anchor: u32, time: u32) -> EventTime {
        (anchored_at(anchor) + i64::from(time)) * 1_000
    }

    #[inline(always)]
    fn pack_number<L: Lane>(number: i64) -> Option<i32> {
        L::narrow(number)
    }

    #[inline(always)]
    fn number<L: Lane>(number: i32) -> i64 {
        L::widen(number)
    }

    #[inline(always)]
    fn moment((): &()) -> Option<EventTime> {
        None
    }

    #[inline(always)]
    fn set_moment((): &mut (), _: EventTime) -> bool {
        false
    }
}

/// Another form, of windows that know no least and no greatest number: count, sums and what is read from them.
#[derive(Clone, Copy, Debug)]
pub struct WithoutExtremes<F>(std::marker::PhantomData<F>);

impl<F: Form> Form for WithoutExtremes<F> {}

impl<F: Form> Sealed for WithoutExtremes<F> {
    const TAKES_ALL: bool = F::TAKES_ALL;
    const KEEPS_EXTREMES: bool = false;
    type Short = WithoutExtremes<F::Short>;
    type Full = WithoutExtremes<F::Full>;
    type Extremes<const N: usize> = Forgone;
    type Time = F::Time;
    type Number = F::Number;
    const NULL: F::Number = F::NULL;
    type Moment = F::Moment;
    const NEAR: usize = F::NEAR;
    const FAR: usize = F::FAR;
    type Near<E: Copy + Debug + Default> = F::Near<E>;
    type Far<E: Copy + Debug + Default> = F::Far<E>;

    #[inline(always)]
    fn anchor(oldest: EventTime, newest: EventTime) -> u32 {
        F::anchor(oldest, newest)
    }

    #[inline(always)]
    fn pack_time(anchor: u32, at: EventTime) -> Option<F::Time> {
        F::pack_time(anchor, at)
    }

    #[inline(always)]
    fn time(anchor: u32, time: F::Time) -> EventTime {
        F::time(anchor, time)
    }

    #[inline(always)]
    fn pack_number<L: Lane>(number: i64) -> Option<F::Number> {
        F::pack_number::<L>(number)
    }

    #[inline(always)]
    fn number<L: Lane>(number: F::Number) -> i64 {
        F::number::<L>(number)
    }

    #[inline(always)]
    fn moment(place: &F::Moment) -> Option<EventTime> {
        F::moment(place)
    }

    #[inline(always)]
    fn set_moment(place: &mut F::Moment, at: EventTime) -> bool {
        F::set_moment(place, at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::{Fixed, Float, IntoLane};

    #[test]
    fn what_is_written_down_is_read_back_and_the_rest_is_refused() {
        let day = 86_400_000_000_i64;
        for now in [0, 1_735_689_600_000_000, -62_135_596_800_000_000] {
            let anchor = Compact::anchor(now, now);
            for at in [0, 1_000, -1_000, 24 * day, -24 * day].map(|gap| now + gap) {
                let time = Compact::pack_time(anchor, at).unwrap();
                assert_eq!(Compact::time(anchor, time), at);
            }
            for at in [1, -1, 999, 26 * day, -26 * day, i64::MAX / 1_000 * 1_000] {
                let at = now.saturating_add(at);
                assert_eq!(Compact::pack_time(anchor, at), None, "{now} {at}");
            }
        }
        for at in [i64::MIN / 1_000 * 1_000, i64::MAX / 1_000 * 1_000] {
            assert_eq!(Compact::pack_time(Compact::anchor(at, at), at), None);
        }
    }

    #[test]
    fn numbers_keep_their_order_and_null_stays_null() {
        fn check<L: Lane>(ascending: &[i64], refused: &[i64]) {
            let packed: Vec<i32> = ascending.iter().map(|n| L::narrow(*n).unwrap()).collect();
            assert!(packed.is_sorted_by(|a, b| a < b), "{packed:?}");
            let read: Vec<i64> = packed.iter().map(|n| L::widen(*n)).collect();
            assert_eq!(read, ascending);
            assert!(refused.iter().all(|n| L::narrow(*n).is_none()));
            assert_eq!(L::narrow(NULL), Some(Compact::NULL));
        }
        let limit = i64::from(i32::MAX);
        check::<Fixed<2>>(
            &[NULL, -limit, -1, 0, 1, limit],
            &[-limit - 1, limit + 1, i64::MAX, i64::MIN + 1],
        );
        let lanes =
            |floats: &[f64]| -> Vec<i64> { floats.iter().map(|float| float.into_lane()).collect() };
        let exact = [
            f64::NAN,
            -4e18,
            -0.5,
            0.0,
            1e-45_f32.into(),
            0.25,
            16_777_216.0,
        ];
        check::<Float>(
            &lanes(&exact[..])
                .into_iter()
                .filter(|n| Float::narrow(*n).is_some())
                .collect::<Vec<_>>(),
            &lanes(&[0.1, 16_777_217.0, 1e-300]),
        );
        assert!(Float::narrow((-0.5).into_lane()).is_some());
    }
}
