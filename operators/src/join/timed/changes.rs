//! Changes of the output that wait for the end of their epoch, because others may undo them.

use thalweg_engine::keyed::Emitter;
use thalweg_engine::update::Diff;

struct Change<L, R> {
    handle: u32,
    left: L,
    right: Option<R>,
    diff: Diff,
}

/// What waits.
pub(in crate::join) struct Changes<L, R>(Vec<Change<L, R>>);

impl<L: Ord, R: Ord> Changes<L, R> {
    pub(in crate::join) fn new() -> Self {
        Self(Vec::new())
    }

    pub(in crate::join) fn push(&mut self, handle: u32, left: L, right: Option<R>, diff: Diff) {
        self.0.push(Change {
            handle,
            left,
            right,
            diff,
        });
    }

    /// Adds up what waits, and writes what is left of it.
    pub(in crate::join) fn write(&mut self, out: &mut Emitter<'_, (L, Option<R>)>) {
        self.0.sort_unstable_by(|a, b| {
            let by_left = a.handle.cmp(&b.handle).then_with(|| a.left.cmp(&b.left));
            by_left.then_with(|| a.right.cmp(&b.right))
        });
        let mut changes = self.0.drain(..).peekable();
        while let Some(mut change) = changes.next() {
            let is_same = |next: &Change<L, R>| {
                (next.handle, &next.left, &next.right)
                    == (change.handle, &change.left, &change.right)
            };
            let mut more = 0;
            while let Some(same) = changes.next_if(is_same) {
                more += same.diff;
            }
            change.diff += more;
            if change.diff != 0 {
                out.emit((change.left, change.right), change.diff);
            }
        }
    }
}
