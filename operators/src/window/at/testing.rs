//! The states of labels, for tests that stand elsewhere: as states over one table, whose rows are events and labels.

use thalweg_engine::key::Key;
use thalweg_engine::keyed::KeyedState;
use thalweg_engine::time::EventTime;
use thalweg_engine::update::Data;

use crate::aggregate::Aggregate;
use crate::laws::{Side, Sided};
use crate::value::Lane;
use crate::window::at::corrections::Corrections;
use crate::window::at::finals::Finals;
use crate::window::at::kept::Kept;
use crate::window::at::known::AsKnown;
use crate::window::at::lookback::{Known, Lookback};
use crate::window::at::{Answer, Label};
use crate::window::decayed::at::Fades;
use crate::window::grouped::Span;
use crate::window::grouped::view::UpTo;
use crate::window::last_rows::at::Newest;
use crate::window::placed::Placed;
use crate::window::rolling::widths::Widths;
use crate::window::session::at::Open;
use crate::window::sliding::view::Trailing;

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
type Told<M, B> = Answer<B, <M as Lookback>::Row>;

pub(crate) fn finals<M: Lookback, B: Data + Ord>(
    store: M,
    history_us: i64,
) -> impl KeyedState<In = Asked<M::Key, M::Event, B>, Out = Told<M, B>> {
    Sided(Finals::by_event_time(store, history_us))
}

pub(crate) fn corrections<M: Lookback, B: Data + Ord>(
    store: M,
    history_us: i64,
) -> impl KeyedState<In = Asked<M::Key, M::Event, B>, Out = Told<M, B>> {
    Sided(Corrections::new(store, history_us))
}

pub(crate) fn as_known<M: Lookback, B: Data + Ord>(
    store: M,
    history_us: i64,
) -> impl KeyedState<In = Asked<M::Key, M::Event, B>, Out = Told<M, B>> {
    Sided(AsKnown::new(store, history_us))
}

pub(crate) fn as_known_by<M: Lookback, B: Data + Ord>(
    store: M,
    history_us: i64,
) -> impl KeyedState<In = Asked<M::Key, Known<M::Event>, B>, Out = Told<M, B>> {
    Sided(Finals::as_known(store, history_us))
}

/// The store of rolling aggregates.
pub(crate) fn trailing<D: Data + Ord, K: Key, A: Aggregate<D>, const W: usize>(
    aggregate: A,
    widths: Widths<W>,
) -> Kept<K, D, Trailing<A, W>> {
    Kept::new(Trailing::new(aggregate, widths))
}

/// The store of last rows.
pub(crate) fn newest<D: Data + Ord, K: Key, A: Aggregate<D>>(
    rows: usize,
    aggregate: A,
) -> Kept<K, D, Newest<A>> {
    Kept::new(Newest::new(rows, aggregate))
}

/// The store of windows that start at fixed moments.
pub(crate) fn up_to<D: Data + Ord, K: Key, A: Aggregate<D>>(
    span: Span,
    aggregate: A,
) -> Kept<K, D, UpTo<A>> {
    Kept::new(UpTo::new(aggregate, span))
}

/// The store of sessions.
pub(crate) fn open<D: Data + Ord, K: Key, A: Aggregate<D>>(
    gap_us: i64,
    aggregate: A,
) -> Kept<K, D, Open<A>> {
    Kept::new(Open::new(aggregate, gap_us))
}

/// The store of fading sums.
pub(crate) fn fades<D: Data + Ord, K: Key, L: Lane>(
    half_life_us: i64,
) -> Kept<K, (D, i64), Fades<L>> {
    Kept::new(Fades::new(half_life_us))
}
