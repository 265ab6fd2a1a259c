//! The first tier of all keys: seven events each, by time. About 90 % of keys never leave it, and most hold so few that
//! one cache line has them.
//!
//! ```text
//! handle ─▶ Line, 64 B   timer │ link │ n │ 3 events        compact: all seven
//!                                 └─ of a key that holds more ─▶ 64 B: the other 4, newer than those
//!                                 └─ of a busy key ─▶ the next tier
//! ```
//!
//! So of one lane; of more, lines are as long as their events are.
//!
//! Of events by time every window is a suffix: one walk from the newest to the oldest reads them all ([`Held`]).

mod held;
#[cfg(test)]
mod tests;

use thalweg_engine::state::Slab;
use thalweg_engine::time::EventTime;

use crate::array::Array;
use crate::value::Lane;
use crate::window::rolling::form::{Form, Stored, pack};
pub(super) use held::Held;

/// The timer of a key that has none.
pub(super) const UNARMED: EventTime = EventTime::MAX;

/// Marks a key whose events are in the busy tier.
const BUSY: u8 = u8::MAX;

/// One key's oldest events, with what the store notes about the key. What is used most stands first.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
struct Line<F: Form, const N: usize> {
    /// When the key's timer is due, in a form that has room for it.
    due: F::Moment,
    /// From where times are told; of a busy key its handle, of one that holds more than the line the place of the rest:
    /// where a form has rests, its times need no anchor.
    link: u32,
    n: u8,
    events: F::Near<Stored<F, N>>,
}

/// The events of a key that its line has no room for.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
struct Rest<F: Form, const N: usize>(F::Far<Stored<F, N>>);

impl<F: Form, const N: usize> Line<F, N> {
    fn empty() -> Self {
        let mut due = F::Moment::default();
        F::set_moment(&mut due, UNARMED);
        Self {
            due,
            link: 0,
            n: 0,
            events: F::Near::default(),
        }
    }

    #[inline(always)]
    fn len(&self) -> usize {
        if self.n == BUSY {
            0
        } else {
            usize::from(self.n)
        }
    }

    /// Where the events are that the line has no room for, if there are such.
    #[inline(always)]
    fn rest(&self) -> Option<usize> {
        (self.len() > F::NEAR).then_some(self.link as usize)
    }
}

/// The first tier, by handle.
pub(super) struct Lines<L, const N: usize, F: Form> {
    lines: Slab<Line<F, N>>,
    rests: Slab<Rest<F, N>>,
    /// Places of rests that no key has.
    free: Vec<u32>,
    lane: std::marker::PhantomData<L>,
}

impl<L: Lane, const N: usize, F: Form> Lines<L, N, F> {
    /// Events that fit: 3 and 15 were slower.
    const ROOM: usize = F::NEAR + F::FAR;

    pub(super) fn new() -> Self {
        Self {
            lines: Slab::new(),
            rests: Slab::new(),
            free: Vec::new(),
            lane: std::marker::PhantomData,
        }
    }

    /// How many handles there are.
    pub(super) fn handles(&self) -> usize {
        self.lines.len()
    }

    /// Adds a key, which holds nothing, under the next handle.
    pub(super) fn add(&mut self) {
        self.lines.push(Line::empty());
    }

    #[inline(always)]
    fn line(&self, handle: u32) -> &Line<F, N> {
        &self.lines[handle as usize]
    }

    /// The moment noted for a key, in a form that has room for it.
    #[inline(always)]
    pub(super) fn due(&self, handle: u32) -> Option<EventTime> {
        F::moment(&self.line(handle).due)
    }

    /// Notes a moment; false where the form has no room for it.
    #[inline(always)]
    pub(super) fn set_due(&mut self, handle: u32, at: EventTime) -> bool {
        F::set_moment(&mut self.lines[handle as usize].due, at)
    }

    /// The handle of the busy state, where the key has one.
    #[inline(always)]
    pub(super) fn busy(&self, handle: u32) -> Option<u32> {
        let line = self.line(handle);
        (line.n == BUSY).then_some(line.link)
    }

    /// Gives up what the line holds for a busy state.
    pub(super) fn set_busy(&mut self, handle: u32, busy: u32) {
        self.let_go_of_rest(handle);
        let line = &mut self.lines[handle as usize];
        (line.n, line.link) = (BUSY, busy);
    }

    /// How many events there are, of a key that is not busy.
    #[inline(always)]
    pub(super) fn len(&self, handle: u32) -> usize {
        self.line(handle).len()
    }

    /// The events: none of a busy key.
    #[inline(always)]
    pub(super) fn held(&self, handle: u32) -> Held<'_, L, N, F> {
        let line = self.line(handle);
        let near = &line.events.as_ref()[..line.len().min(F::NEAR)];
        let far = match line.rest() {
            Some(rest) => &self.rests[rest].0.as_ref()[..line.len() - F::NEAR],
            None => &[],
        };
        Held::new(line.link, near, far)
    }

    /// Adds an event; false where there is no room for it, or where it does not fit its form.
    #[inline(always)]
    pub(super) fn push(&mut self, handle: u32, at: EventTime, lanes: &Array<i64, N>) -> bool {
        let line = &mut self.lines[handle as usize];
        if line.n == 0 {
            line.link = F::anchor(at, at);
        }
        // A busy key counts as full.
        if usize::from(line.n) >= Self::ROOM {
            return false;
        }
        let Some(event) = pack::<F, L, N>(line.link, at, lanes) else {
            return false;
        };
        self.put(handle, event);
        true
    }

    /// Adds an event, as the form writes it, to a key that has room.
    #[inline(always)]
    fn put(&mut self, handle: u32, event: Stored<F, N>) {
        let line = &mut self.lines[handle as usize];
        let length = usize::from(line.n);
        if length < F::NEAR {
            insert::<F, N>(line.events.as_mut(), length, event);
            line.n += 1;
        } else {
            self.put_far(handle, event);
        }
    }

    /// Adds an event to a key whose line is full, and whose rest is not.
    fn put_far(&mut self, handle: u32, event: Stored<F, N>) {
        if self.line(handle).rest().is_none() {
            self.lines[handle as usize].link = self.new_rest();
        }
        let line = &mut self.lines[handle as usize];
        let far = self.rests[line.link as usize].0.as_mut();
        let (length, near) = (usize::from(line.n), line.events.as_mut());
        let newest_near = near[F::NEAR - 1];
        if newest_near.0 > event.0 {
            insert::<F, N>(near, F::NEAR - 1, event);
            far.copy_within(..length - F::NEAR, 1);
            far[0] = newest_near;
        } else {
            insert::<F, N>(far, length - F::NEAR, event);
        }
        line.n += 1;
    }

    fn new_rest(&mut self) -> u32 {
        self.free.pop().unwrap_or_else(|| {
            self.rests.push(Rest(F::Far::default()));
            #[expect(
                clippy::cast_possible_truncation,
                reason = "no more than there are handles"
            )]
            let rest = (self.rests.len() - 1) as u32;
            rest
        })
    }

    fn let_go_of_rest(&mut self, handle: u32) {
        let line = &mut self.lines[handle as usize];
        if line.rest().is_some() {
            self.free.push(line.link);
            line.link = 0;
        }
    }

    /// Holds these events, by time, instead of what it held; false, with the line as it was, where they do not fit.
    pub(super) fn take(&mut self, handle: u32, events: &[(EventTime, Array<i64, N>)]) -> bool {
        let (Some(oldest), Some(newest)) = (events.first(), events.last()) else {
            return false;
        };
        let anchor = F::anchor(oldest.0, newest.0);
        let written = |(at, lanes): &(EventTime, _)| pack::<F, L, N>(anchor, *at, lanes);
        if events.len() > Self::ROOM || events.iter().any(|event| written(event).is_none()) {
            return false;
        }
        self.let_go_of_rest(handle);
        let line = &mut self.lines[handle as usize];
        (line.n, line.link) = (0, anchor);
        for event in events.iter().filter_map(written) {
            self.put(handle, event);
        }
        true
    }

    /// Takes an event out; false when there is none like it.
    pub(super) fn remove(&mut self, handle: u32, at: EventTime, lanes: &Array<i64, N>) -> bool {
        let held = self.held(handle);
        let event = pack::<F, L, N>(self.line(handle).link, at, lanes);
        let found = event.and_then(|event| held.iter().position(|held| *held == event));
        if let Some(place) = found {
            self.drain(handle, place, 1);
        }
        found.is_some()
    }

    /// Drops the events before `cut`; how many.
    pub(super) fn prune(&mut self, handle: u32, cut: EventTime) -> usize {
        let old = self.held(handle).before(cut);
        if old > 0 {
            self.drain(handle, 0, old);
        }
        old
    }

    /// Takes out `count` events from `place` on.
    fn drain(&mut self, handle: u32, place: usize, count: usize) {
        let left = self.len(handle) - count;
        for to in place..left {
            let event = self.held(handle)[to + count];
            let line = &mut self.lines[handle as usize];
            match to.checked_sub(F::NEAR) {
                None => line.events.as_mut()[to] = event,
                Some(to) => self.rests[line.link as usize].0.as_mut()[to] = event,
            }
        }
        if left <= F::NEAR {
            self.let_go_of_rest(handle);
        }
        #[expect(clippy::cast_possible_truncation, reason = "at most seven")]
        let left = left as u8;
        self.lines[handle as usize].n = left;
    }

    /// Gives up all that is held and noted.
    pub(super) fn clear(&mut self, handle: u32) {
        self.let_go_of_rest(handle);
        self.lines[handle as usize] = Line::empty();
    }

    /// Asks for a key's line.
    #[inline(always)]
    pub(super) fn prefetch(&self, handle: u32) {
        self.lines.prefetch(handle as usize);
    }

    /// Asks for what a line that has come has no room for, if there is any.
    #[inline(always)]
    pub(super) fn prefetch_rest(&self, handle: u32) {
        if let Some(rest) = self.line(handle).rest() {
            self.rests.prefetch(rest);
        }
    }

    /// Bytes held.
    pub(super) fn bytes(&self) -> usize {
        self.lines.bytes() + self.rests.bytes() + self.free.capacity() * 4
    }
}

/// Puts an event among the first `length` of a run by time, after those of its time; what stood behind them is
/// overwritten.
#[inline(always)]
fn insert<F: Form, const N: usize>(run: &mut [Stored<F, N>], length: usize, event: Stored<F, N>) {
    let mut place = length;
    while place > 0 && run[place - 1].0 > event.0 {
        run[place] = run[place - 1];
        place -= 1;
    }
    run[place] = event;
}
