//! What a job's closure takes out of each row, for a container at a call: the closure is compiled into the loop.

use std::rc::Rc;

use thalweg_engine::update::Update;

/// Appends what a closure takes out of each row.
type Extend<D, T> = Rc<dyn Fn(&[Update<D>], &mut Vec<T>)>;

/// A column of a table that is not there until it is asked for.
pub(crate) struct Column<D, T>(Extend<D, T>);

impl<D, T> Clone for Column<D, T> {
    fn clone(&self) -> Self {
        Self(Rc::clone(&self.0))
    }
}

impl<D, T> Column<D, T> {
    /// The column of what `of` takes out of a row.
    pub(crate) fn new(of: impl Fn(&D) -> T + 'static) -> Self {
        Self(Rc::new(move |rows, into| {
            into.extend(rows.iter().map(|(row, ..)| of(row)));
        }))
    }

    /// Puts the column of `rows` into `into`, in place of what is there.
    #[inline]
    pub(crate) fn of(&self, rows: &[Update<D>], into: &mut Vec<T>) {
        into.clear();
        self.append(rows, into);
    }

    /// What the column has of one row.
    pub(crate) fn one(&self, row: &Update<D>) -> Option<T> {
        let mut one = Vec::with_capacity(1);
        self.append(std::slice::from_ref(row), &mut one);
        one.pop()
    }

    /// Appends the column of `rows` to `into`.
    #[inline]
    pub(crate) fn append(&self, rows: &[Update<D>], into: &mut Vec<T>) {
        (self.0)(rows, into);
    }
}
