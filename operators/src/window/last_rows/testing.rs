//! The state of last rows, for tests that stand elsewhere.

use std::rc::Rc;

use thalweg_engine::key::Key;
use thalweg_engine::keyed::KeyedState;
use thalweg_engine::time::EventTime;
use thalweg_engine::update::Data;

use crate::aggregate::Aggregate;
use crate::window::last_rows::LastRow;
use crate::window::last_rows::latest::Latest;

pub(crate) fn latest<D: Data + Ord, K: Key, A: Aggregate<D>>(
    key: fn(&D) -> K,
    at: fn(&D) -> EventTime,
    rows: usize,
    aggregate: A,
) -> impl KeyedState<In = D, Out = LastRow<K, A::Output>> {
    Latest::new(Rc::new(key), Rc::new(at), rows, aggregate)
}
