//! An aggregate made of two functions: how a row changes the state, and how the state is read.

use std::rc::Rc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use thalweg_engine::update::{Data, Diff};

use crate::aggregate::Aggregate;
use crate::value::{IntoLane, NULL};

/// Folds rows of type `D` into a state `S` that reads as an `O`; made by [`fold`] and by most aggregates.
pub struct Fold<D, S, O> {
    update: Rc<dyn Fn(&mut S, &D, Diff)>,
    read: Rc<dyn Fn(&S) -> O>,
}

impl<D, S, O> Clone for Fold<D, S, O> {
    fn clone(&self) -> Self {
        Self {
            update: Rc::clone(&self.update),
            read: Rc::clone(&self.read),
        }
    }
}

/// An aggregate that adds `diff` copies of a row to the state by `update`, and reads it by `read`.
///
/// The laws of [`Aggregate::State`] are the caller's to keep.
///
/// ```
/// use thalweg_operators::aggregate::{Aggregate, Fold, fold};
///
/// /// Cents that moved, in either direction.
/// fn turnover() -> Fold<i64, i64, i64> {
///     fold(|moved, cents: &i64, diff| *moved += cents.abs() * diff, |moved| *moved)
/// }
///
/// let mut moved = 0;
/// turnover().update(&mut moved, &-5, 1);
/// turnover().update(&mut moved, &7, 1);
/// turnover().update(&mut moved, &-5, -1);
/// assert_eq!(turnover().read(&moved), 7);
/// ```
#[must_use]
pub fn fold<D, S, O>(
    update: impl Fn(&mut S, &D, Diff) + 'static,
    read: impl Fn(&S) -> O + 'static,
) -> Fold<D, S, O> {
    Fold {
        update: Rc::new(update),
        read: Rc::new(read),
    }
}

/// The same over a number of each row, which `update` gets as its lane; nulls ([`value`](crate::value)) are left out.
#[must_use]
pub fn fold_numbers<D, V: IntoLane, S, O>(
    number: impl Fn(&D) -> V + 'static,
    update: impl Fn(&mut S, i64, Diff) + 'static,
    read: impl Fn(&S) -> O + 'static,
) -> Fold<D, S, O> {
    let update = move |state: &mut S, row: &D, diff| {
        let number = number(row).into_lane();
        if number != NULL {
            update(state, number, diff);
        }
    };
    fold(update, read)
}

impl<D: 'static, S, O> Aggregate<D> for Fold<D, S, O>
where
    S: Default + PartialEq + Serialize + DeserializeOwned + 'static,
    O: Data + PartialEq,
{
    type State = S;
    type Output = O;

    fn update(&self, state: &mut S, row: &D, diff: Diff) {
        (self.update)(state, row, diff);
    }

    fn read(&self, state: &S) -> O {
        (self.read)(state)
    }
}
