//! The states of session windows, for tests that stand elsewhere.

use std::rc::Rc;

use thalweg_engine::column::Column;
use thalweg_engine::key::Key;
use thalweg_engine::keyed::KeyedState;
use thalweg_engine::time::EventTime;
use thalweg_engine::update::Data;

use crate::aggregate::Aggregate;
use crate::window::session::SessionRow;
use crate::window::session::finals::Finals;
use crate::window::session::state::State;

pub(crate) fn latest<D: Data + Ord, K: Key, A: Aggregate<D>>(
    key: fn(&D) -> K,
    at: fn(&D) -> EventTime,
    gap_us: i64,
    aggregate: A,
) -> impl KeyedState<In = D, Out = SessionRow<K, A::Output>> {
    State::new(Rc::new(key), Rc::new(at), gap_us, aggregate)
}

pub(crate) fn finals<D: Data + Ord, K: Key, A: Aggregate<D>>(
    key: fn(&D) -> K,
    at: fn(&D) -> EventTime,
    gap_us: i64,
    aggregate: A,
) -> impl KeyedState<In = D, Out = SessionRow<K, A::Output>> {
    let (keys, times) = (Column::new(key), Column::new(at));
    Finals::of(keys, times, Rc::new(at), gap_us, aggregate)
}
