//! What a job's closure takes out of each row, for a container at a call: the closure is compiled into the loop.

use std::rc::Rc;

use crate::update::Update;

/// A closure over rows, called for many of them at once.
trait Take<D, T> {
    fn extend(&self, rows: &[Update<D>], into: &mut Vec<T>);
    fn one(&self, row: &D) -> T;
}

impl<D, T, F: Fn(&D) -> T> Take<D, T> for F {
    fn extend(&self, rows: &[Update<D>], into: &mut Vec<T>) {
        into.extend(rows.iter().map(|(row, ..)| self(row)));
    }

    fn one(&self, row: &D) -> T {
        self(row)
    }
}

/// A column of a table that is not there until it is asked for.
pub struct Column<D, T>(Rc<dyn Take<D, T>>);

impl<D, T> Clone for Column<D, T> {
    fn clone(&self) -> Self {
        Self(Rc::clone(&self.0))
    }
}

impl<D, T> Column<D, T> {
    /// The column of what `of` takes out of a row.
    #[must_use]
    pub fn new(of: impl Fn(&D) -> T + 'static) -> Self {
        Self(Rc::new(of))
    }

    /// Puts the column of `rows` into `into`, in place of what is there.
    #[inline]
    pub fn of(&self, rows: &[Update<D>], into: &mut Vec<T>) {
        into.clear();
        self.append(rows, into);
    }

    /// What the column has of one row.
    #[must_use]
    pub fn one(&self, row: &D) -> T {
        self.0.one(row)
    }

    /// Appends the column of `rows` to `into`.
    #[inline]
    pub fn append(&self, rows: &[Update<D>], into: &mut Vec<T>) {
        self.0.extend(rows, into);
    }
}
