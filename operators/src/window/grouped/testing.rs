//! The states of grouped windows, for tests that stand elsewhere, and for the laws of aggregates.

use thalweg_engine::column::Column;
use thalweg_engine::key::Key;
use thalweg_engine::keyed::KeyedState;
use thalweg_engine::time::EventTime;
use thalweg_engine::update::Data;

use crate::aggregate::Aggregate;
use crate::window::grouped::{GroupRow, Span, state};

/// When a group's row goes out.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Mode {
    Latest,
    Final,
}

pub(crate) fn groups<D: Data, K: Key, A: Aggregate<D>>(
    key: fn(&D) -> K,
    at: fn(&D) -> EventTime,
    span: Span,
    mode: Mode,
    aggregate: A,
) -> impl KeyedState<In = D, Out = GroupRow<K, A::Output>> {
    let mode = match mode {
        Mode::Latest => state::Mode::Latest { kept_us: None },
        Mode::Final => state::Mode::Final,
    };
    state::Groups::new(Column::new(key), Column::new(at), span, mode, aggregate)
}
