//! The states of labels over rolling aggregates, for tests that stand elsewhere: as states over one table, whose rows are
//! events and labels.

use thalweg_engine::key::Key;
use thalweg_engine::keyed::KeyedState;
use thalweg_engine::time::EventTime;
use thalweg_engine::update::Data;

use crate::aggregate::Aggregate;
use crate::laws::{Side, Sided};
use crate::window::at::corrections::Corrections;
use crate::window::at::finals::Finals;
use crate::window::at::known::AsKnown;
use crate::window::at::lookback::Known;
use crate::window::at::{Answer, Label};
use crate::window::placed::Placed;
use crate::window::rolling::widths::Widths;
use crate::window::sliding::SlidingRow;
use crate::window::sliding::kept::Kept;

/// A label of a key, or an event, which is seen as `E` tells.
pub(crate) type Asked<K, E, B> = Side<E, Label<K, B>>;

/// An event that is seen from its own moment on.
pub(crate) type Event<K, D> = Placed<K, D>;

/// An event that is seen from when it was known on.
pub(crate) type Arrived<K, D> = Known<Placed<K, D>>;

pub(crate) fn event<K: Key, E, B>(key: &K, event: E) -> Asked<K, E, B> {
    Side::Left(key.tag(), event)
}

pub(crate) fn arrived<K: Key, D: Data>(at: EventTime, event: Event<K, D>) -> Arrived<K, D> {
    Known::new(at, event)
}

pub(crate) fn label<K: Key, E, B>(at: EventTime, key: K, label: B) -> Asked<K, E, B> {
    Side::Right(key.tag(), Label { at, key, label })
}

/// What is told.
type Told<K, B, A, D, const W: usize> = Answer<B, SlidingRow<K, <A as Aggregate<D>>::Output, W>>;

pub(crate) fn finals<D: Data + Ord, K: Key, B: Data + Ord, A: Aggregate<D>, const W: usize>(
    aggregate: A,
    widths: Widths<W>,
    history_us: i64,
) -> impl KeyedState<In = Asked<K, Event<K, D>, B>, Out = Told<K, B, A, D, W>> {
    Sided(Finals::by_event_time(
        Kept::new(aggregate, widths),
        history_us,
    ))
}

pub(crate) fn corrections<D: Data + Ord, K: Key, B: Data + Ord, A: Aggregate<D>, const W: usize>(
    aggregate: A,
    widths: Widths<W>,
    history_us: i64,
) -> impl KeyedState<In = Asked<K, Event<K, D>, B>, Out = Told<K, B, A, D, W>> {
    Sided(Corrections::new(Kept::new(aggregate, widths), history_us))
}

pub(crate) fn as_known<D: Data + Ord, K: Key, B: Data + Ord, A: Aggregate<D>, const W: usize>(
    aggregate: A,
    widths: Widths<W>,
    history_us: i64,
) -> impl KeyedState<In = Asked<K, Event<K, D>, B>, Out = Told<K, B, A, D, W>> {
    Sided(AsKnown::new(Kept::new(aggregate, widths), history_us))
}

pub(crate) fn as_known_by<D: Data + Ord, K: Key, B: Data + Ord, A: Aggregate<D>, const W: usize>(
    aggregate: A,
    widths: Widths<W>,
    history_us: i64,
) -> impl KeyedState<In = Asked<K, Arrived<K, D>, B>, Out = Told<K, B, A, D, W>> {
    Sided(Finals::as_known(Kept::new(aggregate, widths), history_us))
}
