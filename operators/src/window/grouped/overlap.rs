//! Windows that overlap, put together of the panes that they share: a row is counted once, not in each of its windows.
//!
//! ```text
//! panes        ├──0──┼──1──┼──2──┼──3──┤       each as wide as a step
//! window       [     0  +  1  +  2     )
//! the next           [     1  +  2  +  3     )         = the one before, without pane 0 and with pane 3
//! ```
//!
//! # Invariants
//! 1. The window in work holds, of each key, the rows of the panes that have entered it.
//! 2. A key is in it as long as some pane in it has the key, whatever the rows come to.
//! 3. A pane is kept until the last window that holds it has been written.

use thalweg_engine::key::Key;
use thalweg_engine::time::EventTime;
use thalweg_engine::update::Diff;

use crate::window::grouped::Span;
use crate::window::grouped::count::TOGETHER;
use crate::window::grouped::open::{Group, Open};
use crate::window::grouped::windows::Windows;

/// The window in work.
pub(super) struct Overlap<K, S> {
    width_us: i64,
    step_us: i64,
    /// The start of the first window that has not been written.
    pub(super) next: EventTime,
    /// Panes that begin before this have entered, if the window in work holds them.
    entered: EventTime,
    window: Open<K, S>,
}

impl<K: Key, S: Default> Overlap<K, S> {
    /// For windows of `width_us` every `step_us`, a whole number of steps wide.
    pub(super) fn new(width_us: i64, step_us: i64) -> Self {
        Self {
            width_us,
            step_us,
            next: EventTime::MIN,
            entered: EventTime::MIN,
            window: Open::new(EventTime::MIN),
        }
    }

    /// So much later than a pane ends the last window that holds it.
    pub(super) fn lag_us(&self) -> i64 {
        self.width_us - self.step_us
    }

    /// Whether a window is one pane alone: the one that begins at the beginning of time, at no whole number of steps.
    fn is_cut(&self, start: EventTime) -> bool {
        start.rem_euclid(self.step_us) != 0
    }

    /// The first moment after the panes of the window that begins at `start`.
    fn panes_end(&self, start: EventTime) -> EventTime {
        let width_us = if self.is_cut(start) { 1 } else { self.width_us };
        start.saturating_add(width_us)
    }

    /// The start of the window after the one that begins at `start`.
    fn after(&self, start: EventTime) -> EventTime {
        start.saturating_add(self.step_us - start.rem_euclid(self.step_us))
    }

    /// The first window that holds a pane.
    fn first_with(&self, pane: EventTime) -> EventTime {
        let before = i128::from(pane) - i128::from(EventTime::MIN);
        let steps = before.min(i128::from(self.width_us - self.step_us)) / i128::from(self.step_us);
        #[expect(clippy::cast_possible_truncation, reason = "less than a width")]
        let back_us = steps as i64 * self.step_us;
        pane - back_us
    }

    /// Brings the first window that has rows and has not been written into work, if it has ended, and says when it
    /// begins.
    pub(super) fn end_next(
        &mut self,
        watermark: EventTime,
        panes: &mut Windows<K, S>,
        add: impl Fn(&mut S, &S, Diff) + Copy,
    ) -> Option<EventTime> {
        let (pane, _) = panes.first()?;
        let start = self.first_with(pane).max(self.next);
        if start.saturating_add(self.width_us) > watermark {
            return None;
        }
        let end = self.panes_end(start);
        for place in panes.within(self.entered, end) {
            self.enter(panes.slab[place as usize].groups_mut(), add);
        }
        self.entered = self.entered.max(end);
        self.next = self.after(start);
        Some(start)
    }

    /// Takes the panes out that no later window holds.
    pub(super) fn leave_written(
        &mut self,
        panes: &mut Windows<K, S>,
        add: impl Fn(&mut S, &S, Diff) + Copy,
    ) {
        while let Some((pane, place)) = panes.first() {
            // At the end of time no window comes after the last.
            if pane >= self.next && self.next != EventTime::MAX {
                return;
            }
            self.leave(panes.slab[place as usize].groups_mut(), add);
            panes.close(pane);
        }
    }

    /// Lets no window begin any more that has ended.
    pub(super) fn rise(&mut self, watermark: EventTime) {
        let last_ended = watermark.saturating_sub(self.width_us);
        if last_ended > EventTime::MIN {
            let start = last_ended.saturating_sub(last_ended.rem_euclid(self.step_us));
            self.next = self.next.max(self.after(start));
        }
    }

    #[inline]
    fn enter(&mut self, groups: &mut [Group<K, S>], add: impl Fn(&mut S, &S, Diff)) {
        for groups in groups.chunks_mut(TOGETHER) {
            self.window.prefetch(groups.iter().map(|group| &group.key));
            let keys = groups.iter().map(|group| &group.key);
            self.window.prefetch_groups(keys);
            for group in groups {
                let whole = link(&mut self.window, group);
                whole.rows += group.rows;
                add(&mut whole.state, &group.state, 1);
            }
        }
    }

    #[inline]
    fn leave(&mut self, groups: &[Group<K, S>], add: impl Fn(&mut S, &S, Diff)) {
        for groups in groups.chunks(TOGETHER) {
            let linked = || groups.iter().filter(|group| group.link > 0);
            self.window
                .prefetch_handles(linked().map(|group| group.link - 1));
            self.window.prefetch(linked().map(|group| &group.key));
            for group in linked() {
                let handle = group.link - 1;
                let whole = self.window.group_mut(handle);
                whole.rows -= group.rows;
                add(&mut whole.state, &group.state, -1);
                whole.link -= 1;
                if whole.link == 0 {
                    self.window.forget(handle);
                }
            }
        }
    }

    /// Whether a pane has entered the window in work already: a row in it is late for windows that have been written.
    pub(super) fn has_entered(&self, pane: EventTime) -> bool {
        pane < self.entered
    }

    /// Changes the window in work as a group of a pane in it has been changed.
    #[cold]
    pub(super) fn change(
        &mut self,
        group: &mut Group<K, S>,
        diff: Diff,
        change: impl FnOnce(&mut S),
    ) {
        let whole = link(&mut self.window, group);
        whole.rows += diff;
        change(&mut whole.state);
    }

    /// The groups of the window in work.
    pub(super) fn groups(&self) -> impl Iterator<Item = &Group<K, S>> {
        self.window.groups()
    }

    pub(super) fn keys(&self) -> usize {
        self.window.len()
    }

    pub(super) fn bytes(&self) -> usize {
        self.window.bytes()
    }
}

/// The group of a pane's key in the window in work, which it enters if it has not.
#[inline(always)]
fn link<'a, K: Key, S: Default>(
    window: &'a mut Open<K, S>,
    group: &mut Group<K, S>,
) -> &'a mut Group<K, S> {
    if group.link > 0 {
        return window.group_mut(group.link - 1);
    }
    let handle = window.resolve(&group.key);
    group.link = handle + 1;
    let whole = window.group_mut(handle);
    whole.link += 1;
    whole
}

/// The panes that windows are put together of, where these overlap by a whole number of steps.
pub(super) fn panes_of<K: Key, S: Default>(span: &Span) -> Option<(Span, Overlap<K, S>)> {
    match span {
        Span::Every { width_us, step_us } if width_us > step_us && width_us % step_us == 0 => {
            let pane = Span::Every {
                width_us: *step_us,
                step_us: *step_us,
            };
            Some((pane, Overlap::new(*width_us, *step_us)))
        }
        _ => None,
    }
}
