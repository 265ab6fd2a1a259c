//! An aggregate made of two functions: how a row changes the state, and how the state is read.

use std::marker::PhantomData;
use std::rc::Rc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use thalweg_engine::update::{Data, Diff};

use crate::aggregate::Aggregate;
use crate::value::{IntoLane, NULL};

/// The two functions, of a type of their own, so that they are compiled into the loop over the rows.
struct Fold<U, R, Of> {
    update: Rc<U>,
    read: Rc<R>,
    of: PhantomData<Of>,
}

impl<U, R, Of> Clone for Fold<U, R, Of> {
    fn clone(&self) -> Self {
        Self {
            update: Rc::clone(&self.update),
            read: Rc::clone(&self.read),
            of: PhantomData,
        }
    }
}

/// An aggregate that adds `diff` copies of a row to the state by `update`, and reads it by `read`.
///
/// The laws of [`Aggregate::State`] are the caller's to keep.
///
/// ```
/// use thalweg_operators::aggregate::{Aggregate, fold};
///
/// /// Cents that moved, in either direction.
/// fn turnover() -> impl Aggregate<i64, State = i64, Output = i64> {
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
pub fn fold<D: 'static, S, O>(
    update: impl Fn(&mut S, &D, Diff) + 'static,
    read: impl Fn(&S) -> O + 'static,
) -> impl Aggregate<D, State = S, Output = O>
where
    S: Default + PartialEq + Serialize + DeserializeOwned + 'static,
    O: Data + PartialEq,
{
    Fold {
        update: Rc::new(update),
        read: Rc::new(read),
        of: PhantomData::<fn(S, D) -> O>,
    }
}

/// The same over a number of each row, which `update` gets as its lane; nulls ([`value`](crate::value)) are left out.
#[must_use]
pub fn fold_numbers<D: 'static, V: IntoLane, S, O>(
    number: impl Fn(&D) -> V + 'static,
    update: impl Fn(&mut S, i64, Diff) + 'static,
    read: impl Fn(&S) -> O + 'static,
) -> impl Aggregate<D, State = S, Output = O>
where
    S: Default + PartialEq + Serialize + DeserializeOwned + 'static,
    O: Data + PartialEq,
{
    let update = move |state: &mut S, row: &D, diff| {
        let number = number(row).into_lane();
        if number != NULL {
            update(state, number, diff);
        }
    };
    fold(update, read)
}

impl<D: 'static, S, O, U, R> Aggregate<D> for Fold<U, R, fn(S, D) -> O>
where
    S: Default + PartialEq + Serialize + DeserializeOwned + 'static,
    O: Data + PartialEq,
    U: Fn(&mut S, &D, Diff) + 'static,
    R: Fn(&S) -> O + 'static,
{
    type State = S;
    type Output = O;

    #[inline]
    fn update(&self, state: &mut S, row: &D, diff: Diff) {
        (self.update)(state, row, diff);
    }

    #[inline]
    fn read(&self, state: &S) -> O {
        (self.read)(state)
    }
}
