//! What a busy key keeps for the extremes of its windows: two stacks a lane, or, where nobody asks for them, nothing.

use std::fmt::Debug;

use thalweg_engine::state::{Blocks, Rows, RowsIter};
use thalweg_engine::time::EventTime;

use crate::array::Array;
use crate::value::moments::lost;
use crate::value::{Lane, NULL};
use crate::window::rolling::form::{Form, Sealed, Stored};
use crate::window::rolling::stack::{Entry, Greatest, Least, Stack};

/// How far reading a lane's windows, from the widest to the narrowest, has come.
pub(super) type Cursor = [usize; 2];

/// What a busy key keeps for the extremes of its windows. It is told of every event that enters the key's ring, and of
/// those that leave it by the moment up to which they left, or one by one where they are taken out.
pub trait KeptExtremes<F: Sealed, const N: usize>: Debug {
    /// Of no events.
    fn empty() -> Self;
    /// Gives up what it holds, and its room.
    fn clear(&mut self, room: &mut StackRoom<F>);
    /// An event newer than, or as new as, all others.
    fn push<L: Lane>(&mut self, room: &mut StackRoom<F>, event: &Stored<F, N>);
    /// An event before others, and after all of its time.
    fn insert<L: Lane>(&mut self, room: &mut StackRoom<F>, event: &Stored<F, N>);
    /// An event that has left the ring, which is asked back from the last of the event's time.
    fn remove<L: Lane>(
        &mut self,
        room: &mut StackRoom<F>,
        event: &Stored<F, N>,
        ring: Rows<'_, Stored<F, N>>,
    );
    /// Nothing from before `cut` is asked for any more.
    fn evict(&mut self, room: &StackRoom<F>, anchor: u32, cut: EventTime);
    /// What a row of moments says of the extremes of a window over one lane: the window begins at `from`, which is told with
    /// the key's anchor, and `window` says how many events it has and yields them.
    fn of_window<'a, L: Lane>(
        &self,
        room: &StackRoom<F>,
        lane: usize,
        from: (u32, EventTime),
        cursor: &mut Cursor,
        window: (u32, impl Fn() -> Window<'a, F, N>),
    ) -> (i64, i64)
    where
        F: 'a;
    /// Asks for what the next event touches.
    fn prefetch(&self, room: &StackRoom<F>);
}

/// The events of a window.
pub(super) type Window<'a, F, const N: usize> = RowsIter<'a, Stored<F, N>>;

/// Where the stacks of all keys lie.
pub(super) type StackRoom<F> = Blocks<Entry<F>>;

/// A stack of the least numbers and one of the greatest, for each lane.
#[derive(Debug)]
pub struct Stacks<F: Form, const N: usize> {
    least: [Stack<Least, F>; N],
    greatest: [Stack<Greatest, F>; N],
}

impl<F: Form, const N: usize> KeptExtremes<F, N> for Stacks<F, N> {
    fn empty() -> Self {
        Self {
            least: std::array::from_fn(|_| Stack::new()),
            greatest: std::array::from_fn(|_| Stack::new()),
        }
    }

    fn clear(&mut self, room: &mut StackRoom<F>) {
        for lane in 0..N {
            self.least[lane].clear(room);
            self.greatest[lane].clear(room);
        }
    }

    #[inline(always)]
    fn push<L: Lane>(&mut self, room: &mut StackRoom<F>, (at, numbers): &Stored<F, N>) {
        for lane in 0..N {
            self.least[lane].push(room, (*at, numbers[lane]));
            self.greatest[lane].push(room, (*at, numbers[lane]));
        }
    }

    fn insert<L: Lane>(&mut self, room: &mut StackRoom<F>, (at, numbers): &Stored<F, N>) {
        for lane in 0..N {
            self.least[lane].insert(room, (*at, numbers[lane]));
            self.greatest[lane].insert(room, (*at, numbers[lane]));
        }
    }

    fn remove<L: Lane>(
        &mut self,
        room: &mut StackRoom<F>,
        (at, numbers): &Stored<F, N>,
        ring: Rows<'_, Stored<F, N>>,
    ) {
        let until = ring.partition_point(|event| event.0 <= *at);
        for lane in 0..N {
            let older = || {
                let older = ring.range(..until).rev();
                older.map(|event| (event.0, event.1[lane]))
            };
            self.least[lane].remove(room, (*at, numbers[lane]), older());
            self.greatest[lane].remove(room, (*at, numbers[lane]), older());
        }
    }

    #[inline(always)]
    fn evict(&mut self, room: &StackRoom<F>, anchor: u32, cut: EventTime) {
        for lane in 0..N {
            self.least[lane].evict(room, anchor, cut);
            self.greatest[lane].evict(room, anchor, cut);
        }
    }

    #[inline(always)]
    fn of_window<'a, L: Lane>(
        &self,
        room: &StackRoom<F>,
        lane: usize,
        from: (u32, EventTime),
        [low, high]: &mut Cursor,
        _: (u32, impl Fn() -> Window<'a, F, N>),
    ) -> (i64, i64)
    where
        F: 'a,
    {
        let least = self.least[lane].first_from(room, from, low);
        let greatest = self.greatest[lane].first_from(room, from, high);
        (
            least.map_or(i64::MAX, F::number::<L>),
            greatest.map_or(i64::MIN, F::number::<L>),
        )
    }

    #[inline(always)]
    fn prefetch(&self, room: &StackRoom<F>) {
        for lane in 0..N {
            self.least[lane].prefetch_ends(room);
            self.greatest[lane].prefetch_ends(room);
        }
    }
}

/// No extremes: only how far from zero any number has been that the key has had. Windows are looked through where so many
/// numbers as they hold may not fit, which is to say hardly ever.
#[derive(Debug)]
pub struct Forgone {
    magnitude: u32,
}

impl Forgone {
    #[inline(always)]
    fn note<F: Sealed, L: Lane, const N: usize>(&mut self, numbers: &Array<F::Number, N>) {
        for number in numbers.iter().filter(|number| **number != F::NULL) {
            let magnitude = L::magnitude(F::number::<L>(*number));
            self.magnitude = self.magnitude.max(magnitude);
        }
    }
}

impl<F: Sealed, const N: usize> KeptExtremes<F, N> for Forgone {
    fn empty() -> Self {
        Self { magnitude: 0 }
    }

    fn clear(&mut self, _: &mut StackRoom<F>) {}

    #[inline(always)]
    fn push<L: Lane>(&mut self, _: &mut StackRoom<F>, (_, numbers): &Stored<F, N>) {
        self.note::<F, L, N>(numbers);
    }

    fn insert<L: Lane>(&mut self, _: &mut StackRoom<F>, (_, numbers): &Stored<F, N>) {
        self.note::<F, L, N>(numbers);
    }

    fn remove<L: Lane>(
        &mut self,
        _: &mut StackRoom<F>,
        _: &Stored<F, N>,
        _: Rows<'_, Stored<F, N>>,
    ) {
    }

    #[inline(always)]
    fn evict(&mut self, _: &StackRoom<F>, _: u32, _: EventTime) {}

    #[inline(always)]
    fn of_window<'a, L: Lane>(
        &self,
        _: &StackRoom<F>,
        lane: usize,
        _: (u32, EventTime),
        _: &mut Cursor,
        (events, window): (u32, impl Fn() -> Window<'a, F, N>),
    ) -> (i64, i64)
    where
        F: 'a,
    {
        if L::surely_fits(self.magnitude, events) {
            return (NULL, 0);
        }
        let numbers = window().map(|event| F::number::<L>(event.1[lane]));
        (NULL, lost::<L>(numbers))
    }

    #[inline(always)]
    fn prefetch(&self, _: &StackRoom<F>) {}
}
