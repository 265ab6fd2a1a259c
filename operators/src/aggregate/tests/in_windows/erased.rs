//! Aggregates without their type, so that a window is compiled once for all of them.
//!
//! ```text
//! Aggregate<Row>  A ──▶ Erased      State  A::State in a box, nothing where no row has come
//!                                   Output the bits that A::Output is saved as
//! ```

use std::any::Any;
use std::cell::RefCell;
use std::fmt::Debug;
use std::rc::Rc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thalweg_engine::update::Diff;

use crate::aggregate::laws::{Agrees, Near};
use crate::aggregate::tests::laws::Row;
use crate::aggregate::{Add, Aggregate};

/// What an aggregate has read, to the bit.
pub(super) type Bits = Vec<u8>;

/// An aggregate, of some type or other.
pub(super) trait AnyAggregate {
    fn name(&self) -> &str;
    fn empty(&self) -> Box<dyn AnyState>;
    fn load(&self, bytes: &[u8]) -> Box<dyn AnyState>;
    fn update(&self, state: &mut dyn AnyState, row: &Row, diff: Diff);
    fn read(&self, state: &dyn AnyState) -> Bits;
    /// What it must read over these rows: checked against brute force, and then to the bit.
    fn judged(&self, rows: &[Row]) -> Bits;
    /// What was read, as text.
    fn text(&self, bits: &Bits) -> String;
}

/// Its state.
pub(super) trait AnyState: Any {
    fn add(&mut self, other: &dyn AnyState, times: Diff);
    fn is(&self, other: &dyn AnyState) -> bool;
    fn is_empty(&self) -> bool;
    fn empty(&self) -> Box<dyn AnyState>;
    fn save(&self) -> Vec<u8>;
}

/// An aggregate with what brute force says of it.
pub(super) struct Judged<A, B> {
    pub(super) name: String,
    pub(super) agrees: Agrees,
    pub(super) aggregate: A,
    pub(super) brute: B,
}

struct Held<A: Aggregate<Row>>(A::State);

/// The same state, of which the type is known again.
fn known<A: Aggregate<Row>>(state: &dyn AnyState) -> &A::State {
    let any: &dyn Any = state;
    &any.downcast_ref::<Held<A>>().unwrap().0
}

impl<A: Aggregate<Row>> AnyState for Held<A> {
    fn add(&mut self, other: &dyn AnyState, times: Diff) {
        (A::ADD.unwrap())(&mut self.0, known::<A>(other), times);
    }

    fn is(&self, other: &dyn AnyState) -> bool {
        self.0 == *known::<A>(other)
    }

    fn is_empty(&self) -> bool {
        self.0 == A::State::default()
    }

    fn empty(&self) -> Box<dyn AnyState> {
        Box::new(Self(A::State::default()))
    }

    fn save(&self) -> Vec<u8> {
        postcard::to_stdvec(&self.0).unwrap()
    }
}

impl<A: Aggregate<Row>, B: Fn(&[Row]) -> A::Output> AnyAggregate for Judged<A, B>
where
    A::Output: Near + Debug,
{
    fn name(&self) -> &str {
        &self.name
    }

    fn empty(&self) -> Box<dyn AnyState> {
        Box::new(Held::<A>(A::State::default()))
    }

    fn load(&self, bytes: &[u8]) -> Box<dyn AnyState> {
        Box::new(Held::<A>(postcard::from_bytes(bytes).unwrap()))
    }

    fn update(&self, state: &mut dyn AnyState, row: &Row, diff: Diff) {
        let any: &mut dyn Any = state;
        let held = any.downcast_mut::<Held<A>>().unwrap();
        self.aggregate.update(&mut held.0, row, diff);
    }

    fn read(&self, state: &dyn AnyState) -> Bits {
        postcard::to_stdvec(&self.aggregate.read(known::<A>(state))).unwrap()
    }

    fn judged(&self, rows: &[Row]) -> Bits {
        let mut state = A::State::default();
        for row in rows {
            self.aggregate.update(&mut state, row, 1);
        }
        let (answer, expected) = (self.aggregate.read(&state), (self.brute)(rows));
        assert!(
            answer.near(&expected, self.agrees),
            "{} reads {answer:?}, not {expected:?}, over {rows:#?}",
            self.name
        );
        postcard::to_stdvec(&answer).unwrap()
    }

    fn text(&self, bits: &Bits) -> String {
        let read: A::Output = postcard::from_bytes(bits).unwrap();
        format!("{read:?}")
    }
}

thread_local! {
    /// The aggregate whose states are loaded.
    static LOADED: RefCell<Option<Rc<dyn AnyAggregate>>> = const { RefCell::new(None) };
}

/// Runs `load`, within which the states that are read are those of this aggregate.
pub(super) fn loading<T>(aggregate: &Rc<dyn AnyAggregate>, load: impl FnOnce() -> T) -> T {
    LOADED.set(Some(Rc::clone(aggregate)));
    let loaded = load();
    LOADED.set(None);
    loaded
}

/// The aggregate as windows take it; its states add up if `ADDS`.
#[derive(Clone)]
pub(super) struct Erased<const ADDS: bool>(pub(super) Rc<dyn AnyAggregate>);

/// A state of it; none is that of no rows.
#[derive(Default)]
pub(super) struct State(Option<Box<dyn AnyState>>);

impl PartialEq for State {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Some(one), Some(other)) => one.is(other.as_ref()),
            (Some(one), None) | (None, Some(one)) => one.is_empty(),
            (None, None) => true,
        }
    }
}

impl Serialize for State {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0
            .as_ref()
            .map(|state| state.save())
            .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for State {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let saved: Option<Vec<u8>> = Option::deserialize(deserializer)?;
        let load = |bytes: Vec<u8>| LOADED.with_borrow(|of| of.as_ref().unwrap().load(&bytes));
        Ok(Self(saved.map(load)))
    }
}

impl<const ADDS: bool> Aggregate<Row> for Erased<ADDS> {
    type State = State;
    type Output = Bits;

    const ADD: Option<Add<State>> = if ADDS {
        Some(|state, other, times| {
            if let Some(other) = &other.0 {
                let state = state.0.get_or_insert_with(|| other.empty());
                state.add(other.as_ref(), times);
            }
        })
    } else {
        None
    };

    fn update(&self, state: &mut State, row: &Row, diff: Diff) {
        let state = state.0.get_or_insert_with(|| self.0.empty());
        self.0.update(state.as_mut(), row, diff);
    }

    fn read(&self, state: &State) -> Bits {
        match &state.0 {
            Some(state) => self.0.read(state.as_ref()),
            None => self.0.read(self.0.empty().as_ref()),
        }
    }
}
