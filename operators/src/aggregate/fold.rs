//! An aggregate made of two functions: how a row changes the state, and how the state is read.

use std::marker::PhantomData;
use std::rc::Rc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use thalweg_engine::error::JobError;
use thalweg_engine::update::{Data, Diff};

use crate::aggregate::{Add, Additive, Aggregate};
use crate::value::{IntoLane, NULL};

/// The two functions, of types of their own, so that they are compiled into the loop over the rows, and whether the
/// states add up.
pub struct Fold<D, S, O, U, R, A = Opaque> {
    update: Rc<U>,
    read: Rc<R>,
    /// What was wrong with its arguments, if anything.
    wrong: Option<Rc<str>>,
    of: PhantomData<(fn(S, D) -> O, A)>,
}

/// Whether states of a type add up, and how.
pub trait Sums<S>: 'static {
    /// How they do.
    const ADD: Option<Add<S>>;
}

/// States of which nobody has said that they add up.
pub struct Opaque;

impl<S> Sums<S> for Opaque {
    const ADD: Option<Add<S>> = None;
}

/// States that are [`Additive`].
pub struct AddUp;

impl<S: Additive> Sums<S> for AddUp {
    const ADD: Option<Add<S>> = Some(S::add);
}

/// States that are those of another aggregate, and add up as they do.
pub(super) struct As<D, A>(PhantomData<(D, A)>);

impl<D: 'static, A: Aggregate<D>> Sums<A::State> for As<D, A> {
    const ADD: Option<Add<A::State>> = A::ADD;
}

impl<D, S, O, U, R, A> Clone for Fold<D, S, O, U, R, A> {
    fn clone(&self) -> Self {
        Self {
            update: Rc::clone(&self.update),
            read: Rc::clone(&self.read),
            wrong: self.wrong.clone(),
            of: PhantomData,
        }
    }
}

impl<D, S, O, U, R, A> Fold<D, S, O, U, R, A> {
    /// Says that the states add up: windows that overlap then share their parts.
    #[must_use]
    pub fn additive(self) -> Fold<D, S, O, U, R, AddUp>
    where
        S: Additive,
    {
        self.summed()
    }

    /// Says what the arguments that the aggregate was made with must be: where a check fails, a job that uses it ends
    /// with [`JobError::Wrong`] before anything runs.
    ///
    /// ```
    /// use thalweg_operators::aggregate::{Aggregate, fold};
    ///
    /// /// Rows in dozens.
    /// fn dozens(size: i64) -> impl Aggregate<i64, State = i64, Output = i64> {
    ///     fold(|n, _: &i64, diff| *n += diff, move |n| n / size)
    ///         .require(size > 0, || format!("a dozen has at least 1: got {size}"))
    /// }
    ///
    /// assert!(dozens(12).check().is_ok());
    /// assert_eq!(dozens(0).check().unwrap_err().to_string(), "a dozen has at least 1: got 0");
    /// ```
    #[must_use]
    pub fn require(mut self, holds: bool, otherwise: impl FnOnce() -> String) -> Self {
        if !holds && self.wrong.is_none() {
            self.wrong = Some(otherwise().into());
        }
        self
    }

    /// The same of what another aggregate says of its arguments.
    pub(super) fn require_of(self, check: Result<(), JobError>) -> Self {
        match check {
            Ok(()) => self,
            Err(error) => self.require(false, || error.to_string()),
        }
    }

    /// Says how the states add up.
    pub(super) fn summed<B: Sums<S>>(self) -> Fold<D, S, O, U, R, B> {
        Fold {
            update: self.update,
            read: self.read,
            wrong: self.wrong,
            of: PhantomData,
        }
    }
}

/// An aggregate that adds `diff` copies of a row to the state by `update`, and reads it by `read`.
///
/// The laws of [`Aggregate::State`] are the caller's to keep, and [`laws`](crate::aggregate::laws) tries them. Where the
/// state is [`Additive`], as a number is, say so: hopping windows are then put together of the parts that they share.
///
/// ```
/// use thalweg_operators::aggregate::{Aggregate, fold};
///
/// /// Cents that moved, in either direction.
/// fn turnover() -> impl Aggregate<i64, State = i64, Output = i64> {
///     fold(|moved, cents: &i64, diff| *moved += cents.abs() * diff, |moved| *moved).additive()
/// }
///
/// let mut moved = 0;
/// turnover().update(&mut moved, &-5, 1);
/// turnover().update(&mut moved, &7, 1);
/// turnover().update(&mut moved, &-5, -1);
/// assert_eq!(turnover().read(&moved), 7);
/// ```
#[must_use]
pub fn fold<D, S, O, U, R>(update: U, read: R) -> Fold<D, S, O, U, R>
where
    U: Fn(&mut S, &D, Diff) + 'static,
    R: Fn(&S) -> O + 'static,
{
    Fold {
        update: Rc::new(update),
        read: Rc::new(read),
        wrong: None,
        of: PhantomData,
    }
}

/// The same over a number of each row, which `update` gets as its lane; nulls ([`value`](crate::value)) are left out.
#[must_use]
pub fn fold_numbers<D, V: IntoLane, S, O, R>(
    number: impl Fn(&D) -> V + 'static,
    update: impl Fn(&mut S, i64, Diff) + 'static,
    read: R,
) -> Fold<D, S, O, impl Fn(&mut S, &D, Diff) + 'static, R>
where
    R: Fn(&S) -> O + 'static,
{
    let update = move |state: &mut S, row: &D, diff| {
        let number = number(row).into_lane();
        if number != NULL {
            update(state, number, diff);
        }
    };
    fold(update, read)
}

/// What is wrong with a `k` of 0.
pub(super) fn none_asked_for(of: &str) -> String {
    format!("an aggregate of k {of} has a k of at least 1: got 0")
}

impl<D: 'static, S, O, U, R, A: Sums<S>> Aggregate<D> for Fold<D, S, O, U, R, A>
where
    S: Default + PartialEq + Serialize + DeserializeOwned + 'static,
    O: Data + PartialEq,
    U: Fn(&mut S, &D, Diff) + 'static,
    R: Fn(&S) -> O + 'static,
{
    type State = S;
    type Output = O;

    const ADD: Option<Add<S>> = A::ADD;

    fn check(&self) -> Result<(), JobError> {
        match &self.wrong {
            Some(text) => Err(JobError::Wrong(text.to_string())),
            None => Ok(()),
        }
    }

    #[inline]
    fn update(&self, state: &mut S, row: &D, diff: Diff) {
        (self.update)(state, row, diff);
    }

    #[inline]
    fn read(&self, state: &S) -> O {
        (self.read)(state)
    }
}
