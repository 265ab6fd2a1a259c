//! The states of last rows, for tests that stand elsewhere.

use std::rc::Rc;

use thalweg_engine::key::Key;
use thalweg_engine::keyed::KeyedState;
use thalweg_engine::time::EventTime;
use thalweg_engine::update::Data;

use crate::aggregate::Aggregate;
use crate::window::finals::Finals;
use crate::window::last_rows::LastRow;
use crate::window::last_rows::corrections::Corrections;
use crate::window::last_rows::finals::Settled;
use crate::window::last_rows::latest::Latest;
use crate::window::placed::Placed;

pub(crate) fn latest<D: Data + Ord, K: Key, A: Aggregate<D>>(
    key: fn(&D) -> K,
    at: fn(&D) -> EventTime,
    rows: usize,
    aggregate: A,
) -> impl KeyedState<In = D, Out = LastRow<K, A::Output>> {
    Latest::new(Rc::new(key), Rc::new(at), rows, aggregate)
}

pub(crate) fn finals<D: Data + Ord, K: Key, A: Aggregate<D>>(
    rows: usize,
    aggregate: A,
) -> impl KeyedState<In = Placed<K, D>, Out = (D, LastRow<K, A::Output>)> {
    Finals::of(Settled::new(rows, aggregate))
}

pub(crate) fn corrections<D: Data + Ord, K: Key, A: Aggregate<D>>(
    rows: usize,
    aggregate: A,
) -> impl KeyedState<In = Placed<K, D>, Out = (D, LastRow<K, A::Output>)> {
    Corrections::new(rows, aggregate)
}
