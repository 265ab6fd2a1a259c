//! The states of rolling aggregates, for tests that stand elsewhere.

use thalweg_engine::key::Key;
use thalweg_engine::keyed::KeyedState;
use thalweg_engine::update::Data;

use crate::aggregate::Aggregate;
use crate::window::finals::Finals;
use crate::window::placed::Placed;
use crate::window::rolling::Expiry;
use crate::window::rolling::widths::Widths;
use crate::window::sliding::SlidingRow;
use crate::window::sliding::corrections::Corrections;
use crate::window::sliding::finals::Settled;
use crate::window::sliding::latest::Latest;

pub(crate) fn latest<D: Data + Ord, K: Key, A: Aggregate<D>, const W: usize>(
    aggregate: A,
    widths: Widths<W>,
    expiry: Expiry,
) -> impl KeyedState<In = Placed<K, D>, Out = SlidingRow<K, A::Output, W>> {
    Latest::new(aggregate, widths, expiry)
}

pub(crate) fn finals<D: Data + Ord, K: Key, A: Aggregate<D>, const W: usize>(
    aggregate: A,
    widths: Widths<W>,
) -> impl KeyedState<In = Placed<K, D>, Out = (D, SlidingRow<K, A::Output, W>)> {
    Finals::of(Settled::new(aggregate, widths))
}

pub(crate) fn corrections<D: Data + Ord, K: Key, A: Aggregate<D>, const W: usize>(
    aggregate: A,
    widths: Widths<W>,
) -> impl KeyedState<In = Placed<K, D>, Out = (D, SlidingRow<K, A::Output, W>)> {
    Corrections::new(aggregate, widths)
}
