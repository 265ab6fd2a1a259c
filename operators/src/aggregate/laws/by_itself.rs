//! An aggregate by itself: laws 1 to 5.

use std::fmt::Debug;

use thalweg_engine::update::Diff;

use crate::aggregate::laws::{Draws, Laws, bits, law};
use crate::aggregate::{Add, Aggregate};
use crate::codec;

impl<D, A: Aggregate<D>> Laws<D, A> {
    /// Tries an aggregate on a random case, without windows.
    pub(in crate::aggregate) fn by_itself(&self, draws: &mut Draws) -> Result<(), String>
    where
        D: Clone + Debug,
        A::Output: Debug,
    {
        let (rows, updates) = draws.case(&self.draw);
        let seen = |broken: String| format!("{broken}, over {rows:#?}");
        let state = self.all(signed(&updates));
        self.judged(&self.aggregate.read(&state), &rows)
            .and_then(|()| self.any_order(draws, updates, &state))
            .map_err(seen)
    }

    /// Brings the same updates to the same state in other ways, and takes them all back.
    fn any_order(
        &self,
        draws: &mut Draws,
        mut updates: Vec<(D, Diff)>,
        whole: &A::State,
    ) -> Result<(), String>
    where
        A::Output: Debug,
    {
        draws.shuffle(&mut updates);
        let (before, after) = updates.split_at(updates.len() / 2);
        let mut state = loaded::<D, A>(&self.all(signed(before)))?;
        for (row, diff) in after {
            self.aggregate.update(&mut state, row, *diff);
            // Counts may be negative here: any answer will do, a panic not.
            self.aggregate.read(&state);
        }
        let (answer, other) = (self.aggregate.read(whole), self.aggregate.read(&state));
        law(bits(&answer)? == bits(&other)?, || {
            format!("it reads {answer:?}, and {other:?} when the same rows come in another order")
        })?;
        law(state == *whole, || {
            format!("the order left a trace in the state, which reads {answer:?} all the same")
        })?;
        if let Some(add) = A::ADD {
            self.parts(add, before, after, whole)?;
        }
        draws.shuffle(&mut updates);
        for (row, diff) in &updates {
            self.aggregate.update(&mut state, row, -diff);
        }
        law(state == A::State::default(), || {
            let (left, empty) = (
                self.aggregate.read(&state),
                self.aggregate.read(&A::State::default()),
            );
            format!(
                "retracted rows left a trace in the state: it reads {left:?}, and without rows {empty:?}"
            )
        })
    }

    /// Adds two parts up, and takes one out again.
    fn parts(
        &self,
        add: Add<A::State>,
        before: &[(D, Diff)],
        after: &[(D, Diff)],
        whole: &A::State,
    ) -> Result<(), String>
    where
        A::Output: Debug,
    {
        let (one, rest) = (self.all(signed(before)), self.all(signed(after)));
        let said = |sum: &A::State, of: &A::State| {
            let (sum, of) = (self.aggregate.read(sum), self.aggregate.read(of));
            format!("it reads {sum:?}, and {of:?}")
        };
        let mut sum = self.all(signed(before));
        add(&mut sum, &rest, 1);
        law(sum == *whole, || {
            format!("parts do not add up: {} over the whole", said(&sum, whole))
        })?;
        add(&mut sum, &rest, 2);
        add(&mut sum, &rest, -3);
        law(sum == one, || {
            let said = said(&sum, &one);
            format!("a part left a trace when it was taken out: {said} without it")
        })
    }
}

fn signed<D>(updates: &[(D, Diff)]) -> impl Iterator<Item = (&D, Diff)> {
    updates.iter().map(|(row, diff)| (row, *diff))
}

/// A state, saved and loaded.
fn loaded<D, A: Aggregate<D>>(state: &A::State) -> Result<A::State, String> {
    let loaded = codec::decode(&bits(state)?).map_err(|error| error.to_string())?;
    law(loaded == *state, || {
        "a state that was saved and loaded is another".to_owned()
    })?;
    Ok(loaded)
}
