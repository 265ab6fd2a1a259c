//! Several aggregates in one pass: a tuple of aggregates is an aggregate.

use thalweg_engine::error::JobError;
use thalweg_engine::update::Diff;

use crate::aggregate::{Add, Aggregate};

macro_rules! tuple_aggregates {
    ($($name:ident $index:tt),+) => {
        impl<Row, $($name: Aggregate<Row>),+> Aggregate<Row> for ($($name,)+) {
            type State = ($($name::State,)+);
            type Output = ($($name::Output,)+);

            const ADD: Option<Add<Self::State>> = if true $(&& $name::ADD.is_some())+ {
                Some(|state, other, times| {
                    $(if let Some(add) = $name::ADD {
                        add(&mut state.$index, &other.$index, times);
                    })+
                })
            } else {
                None
            };

            fn check(&self) -> Result<(), JobError> {
                $(self.$index.check()?;)+
                Ok(())
            }

            #[inline]
            fn update(&self, state: &mut Self::State, row: &Row, diff: Diff) {
                $(self.$index.update(&mut state.$index, row, diff);)+
            }

            #[inline]
            fn read(&self, state: &Self::State) -> Self::Output {
                ($(self.$index.read(&state.$index),)+)
            }
        }
    };
}
tuple_aggregates!(A 0, B 1);
tuple_aggregates!(A 0, B 1, C 2);
tuple_aggregates!(A 0, B 1, C 2, D 3);
tuple_aggregates!(A 0, B 1, C 2, D 3, E 4);
tuple_aggregates!(A 0, B 1, C 2, D 3, E 4, F 5);
tuple_aggregates!(A 0, B 1, C 2, D 3, E 4, F 5, G 6);
tuple_aggregates!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7);
