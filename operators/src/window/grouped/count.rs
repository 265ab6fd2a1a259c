//! Rows into the groups of one window.

use thalweg_engine::key::Key;
use thalweg_engine::update::Update;

use crate::aggregate::Aggregate;
use crate::window::grouped::open::{Open, Use};
use crate::window::grouped::windows::Place;

/// Rows, or groups, that are worked on together: enough to hide the way to memory, few enough to stay in the nearest cache.
pub(super) const TOGETHER: usize = 64;

/// A group that the epoch has touched, with its row before.
pub(super) struct Touched<O> {
    pub(super) place: Place,
    pub(super) handle: u32,
    pub(super) old: Option<O>,
}

/// Counts rows into the groups of a window, so many together that the way to memory is hidden: to its slots, if it has
/// more than are near.
pub(super) fn count_all<D, K: Key, A: Aggregate<D>>(
    aggregate: &A,
    rows: &[Update<D>],
    keys: &[K],
    open: &mut Open<K, A::State>,
    slots_near: usize,
) {
    for (rows, keys) in rows.chunks(TOGETHER).zip(keys.chunks(TOGETHER)) {
        if open.slots() > slots_near {
            open.prefetch(keys);
        }
        open.prefetch_groups(keys);
        count(aggregate, rows, keys, open);
    }
}

/// Counts a few rows into the groups of a window, all of which have been asked for.
#[inline(always)]
pub(super) fn count<D, K: Key, A: Aggregate<D>>(
    aggregate: &A,
    rows: &[Update<D>],
    keys: &[K],
    open: &mut Open<K, A::State>,
) {
    for ((row, _, diff), key) in rows.iter().zip(keys) {
        match open.find(key) {
            Ok(handle) => {
                let group = open.group_mut(handle);
                group.rows += diff;
                aggregate.update(&mut group.state, row, *diff);
            }
            Err(vacant) => {
                let mut state = A::State::default();
                aggregate.update(&mut state, row, *diff);
                open.insert(vacant, key, *diff, state);
            }
        }
    }
}

/// Counts them likewise, where each group that is changed notes its row before.
#[inline(always)]
pub(super) fn touch<D, K: Key, A: Aggregate<D>>(
    aggregate: &A,
    rows: &[Update<D>],
    keys: &[K],
    (place, open): (Place, &mut Open<K, A::State>),
    touched: &mut Vec<Touched<A::Output>>,
) {
    for ((row, _, diff), key) in rows.iter().zip(keys) {
        let handle = open.resolve(key);
        let group = open.group_mut(handle);
        if group.used == Use::Resting {
            group.used = Use::Touched;
            let old = (group.rows > 0).then(|| aggregate.read(&group.state));
            touched.push(Touched { place, handle, old });
        }
        group.rows += diff;
        aggregate.update(&mut group.state, row, *diff);
    }
}
