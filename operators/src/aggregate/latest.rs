//! The latest row of a group: the one of the greatest order, such as (event time, id).

use std::rc::Rc;

use serde::{Deserialize, Serialize};
use thalweg_engine::update::{Data, Diff};

use crate::aggregate::Aggregate;
use crate::aggregate::extremes::Extremes;

/// Keeps the row of the greatest order; made by [`latest`].
pub struct Latest<D, O, V> {
    order: Rc<dyn Fn(&D) -> O>,
    value: Rc<dyn Fn(&D) -> V>,
}

impl<D, O, V> Clone for Latest<D, O, V> {
    fn clone(&self) -> Self {
        Self {
            order: Rc::clone(&self.order),
            value: Rc::clone(&self.value),
        }
    }
}

/// What `value` takes out of the row whose `order` is the greatest; orders should be unique: end them with an id.
///
/// All rows are kept, since any may be retracted; ties are broken by the value.
#[must_use]
pub fn latest<D, O, V>(
    order: impl Fn(&D) -> O + 'static,
    value: impl Fn(&D) -> V + 'static,
) -> Latest<D, O, V> {
    Latest {
        order: Rc::new(order),
        value: Rc::new(value),
    }
}

/// A value, ordered by its order first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Ordered<O, V>(O, V);

impl<D: 'static, O: Data + Ord, V: Data + Ord> Aggregate<D> for Latest<D, O, V> {
    type State = Extremes<Ordered<O, V>>;
    type Output = Option<V>;

    fn update(&self, state: &mut Self::State, row: &D, diff: Diff) {
        state.update(Ordered((self.order)(row), (self.value)(row)), diff);
    }

    fn read(&self, state: &Self::State) -> Option<V> {
        state.greatest().map(|latest| latest.1)
    }
}
