//! Each label with its user's newest payment as of the label: at once, and again where a late payment changes it.
//!
//! Rows are worked on in batches, as the job works on epochs: payments first, then labels. Payments that a label to come
//! may still ask for lie with their user in one cache line, those of busy users in a list; labels wait for an hour, in
//! lists by user, because a late payment may be theirs. A batch writes each change once: what a label had with −1, what
//! it has with +1. Users are found by a hash, as the job finds them; slots and lines of coming rows are prefetched.

use thalweg::engine::state::prefetch;

use crate::asof::{is_label, label_of};
use crate::data::{LATENESS_US, Payment};
use crate::loops::Out;
use crate::loops::handles::Handles;

/// Rows of a batch: as many as the job's epochs have.
const BATCH: usize = 8_192;
/// How far ahead of its use a user's line is asked for, in rows.
const AHEAD: usize = 12;
/// Marks the end of a list, and that there is none.
const NONE: u32 = u32::MAX;
/// Payments in a line.
const FEW: usize = 3;

/// A moment and an amount.
type Seen = (i64, i64);
/// User, moment, amount: the same row as the job's.
type Row = (u64, i64, i64);

/// A user's payments, by time, and the user's first label that waits.
#[derive(Clone)]
#[repr(align(64))]
struct Line {
    seen: [Seen; FEW],
    count: u32,
    busy: u32,
    label: u32,
}

/// A user of whom nothing is known.
const EMPTY: Line = Line {
    seen: [(0, 0); FEW],
    count: 0,
    busy: NONE,
    label: NONE,
};

/// A label that waits.
struct Label {
    row: Row,
    found: Option<Seen>,
    /// What was written of it, where that is not what it has.
    written: Option<Option<Seen>>,
    line: u32,
    next: u32,
}

struct Users {
    handles: Handles,
    /// By handle.
    lines: Vec<Line>,
    busy: Vec<Vec<Seen>>,
    labels: Vec<Label>,
    free: Vec<u32>,
    waiting: Vec<u32>,
    changed: Vec<u32>,
    out: Out<(Row, Option<Row>, i64)>,
    digest: i64,
}

impl Users {
    /// The handles of some rows' users.
    #[inline(always)]
    fn find(&mut self, rows: &[Payment], found: &mut Vec<u32>) {
        found.clear();
        for (i, row) in rows.iter().enumerate() {
            if let Some(ahead) = rows.get(i + AHEAD) {
                self.handles.prefetch(ahead.user);
            }
            let (handle, is_new) = self.handles.of(row.user);
            if is_new {
                self.lines.push(EMPTY);
            }
            found.push(handle);
        }
    }

    /// Takes a payment in; no row to come is older than `watermark`.
    #[inline(always)]
    fn insert(&mut self, handle: u32, row: &Payment, watermark: i64) {
        let line = &mut self.lines[handle as usize];
        let seen = (row.at, row.cents);
        if line.busy != NONE {
            insert_busy(&mut self.busy[line.busy as usize], seen, watermark);
        } else {
            let mut count = line.count as usize;
            if count == FEW {
                let spent = spent(&line.seen, watermark);
                line.seen.copy_within(spent.., 0);
                count -= spent;
            }
            if count < FEW {
                let place = line.seen[..count].iter().rposition(|other| *other <= seen);
                let place = place.map_or(0, |place| place + 1);
                line.seen.copy_within(place..count.min(FEW - 1), place + 1);
                line.seen[place] = seen;
                line.count = count as u32 + 1;
            } else {
                let mut all = line.seen.to_vec();
                insert_busy(&mut all, seen, watermark);
                line.busy = self.busy.len() as u32;
                self.busy.push(all);
            }
        }
        if line.label != NONE {
            self.repair(handle, seen);
        }
    }

    /// Gives a payment to the labels for which it is newer than what they have.
    #[inline(never)]
    fn repair(&mut self, handle: u32, seen: Seen) {
        let mut place = self.lines[handle as usize].label;
        while place != NONE {
            let label = &mut self.labels[place as usize];
            if seen.0 <= label.row.1 && label.found.is_none_or(|found| found < seen) {
                if label.written.is_none() {
                    label.written = Some(label.found);
                    self.changed.push(place);
                }
                label.found = Some(seen);
            }
            place = label.next;
        }
    }

    /// Writes what the batch's payments have changed.
    fn write_changed(&mut self) {
        let mut changed = std::mem::take(&mut self.changed);
        for place in changed.drain(..) {
            let label = &mut self.labels[place as usize];
            let (row, found) = (label.row, label.found);
            if let Some(written) = label.written.take() {
                self.write(row, written, -1);
                self.write(row, found, 1);
            }
        }
        self.changed = changed;
    }

    #[inline(always)]
    fn write(&mut self, label: Row, found: Option<Seen>, sign: i64) {
        self.digest += found.map_or(0, |found| found.1) * sign;
        let found = found.map(|(at, cents)| (label.0, at, cents));
        self.out.push((label, found, sign));
    }

    /// Writes a label's payment; the label waits if a payment may come that is as old.
    #[inline(always)]
    fn ask(&mut self, handle: u32, label: &Payment, watermark: i64) {
        let line = &self.lines[handle as usize];
        let seen = match line.busy {
            NONE => &line.seen[..line.count as usize],
            busy => &self.busy[busy as usize][..],
        };
        let found = seen.iter().rev().find(|seen| seen.0 <= label.at).copied();
        let row = (label.user, label.at, label.cents);
        self.write(row, found, 1);
        if label.at >= watermark {
            self.wait(handle, row, found);
        }
    }

    #[inline(never)]
    fn wait(&mut self, handle: u32, row: Row, found: Option<Seen>) {
        let line = &mut self.lines[handle as usize];
        let label = Label {
            row,
            found,
            written: None,
            line: handle,
            next: line.label,
        };
        let place = self.free.pop().unwrap_or(self.labels.len() as u32);
        line.label = place;
        if place as usize == self.labels.len() {
            self.labels.push(label);
        } else {
            self.labels[place as usize] = label;
        }
        self.waiting.push(place);
    }

    /// Lets go of the labels that nothing can change any more.
    fn let_go(&mut self, watermark: i64) {
        let mut waiting = std::mem::take(&mut self.waiting);
        waiting.retain(|place| {
            let Label {
                row, line, next, ..
            } = self.labels[*place as usize];
            if row.1 >= watermark {
                return true;
            }
            let mut before = self.lines[line as usize].label;
            if before == *place {
                self.lines[line as usize].label = next;
            } else {
                while self.labels[before as usize].next != *place {
                    before = self.labels[before as usize].next;
                }
                self.labels[before as usize].next = next;
            }
            self.free.push(*place);
            false
        });
        self.waiting = waiting;
    }
}

/// How many of the oldest payments no label can ask for: all before the newest one below the watermark.
fn spent(seen: &[Seen], watermark: i64) -> usize {
    let passed = seen.iter().take_while(|seen| seen.0 < watermark).count();
    passed.saturating_sub(1)
}

#[inline(never)]
fn insert_busy(all: &mut Vec<Seen>, seen: Seen, watermark: i64) {
    if all.len() == all.capacity() {
        all.drain(..spent(all, watermark));
    }
    let place = all.iter().rposition(|other| *other <= seen);
    all.insert(place.map_or(0, |place| place + 1), seen);
}

/// Runs the loop; the digest is the sum of the amounts that were found.
#[must_use]
pub fn asof(rows: &[Payment]) -> (u64, f64) {
    let mut users = Users {
        handles: Handles::new(),
        lines: Vec::new(),
        busy: Vec::new(),
        labels: Vec::new(),
        free: Vec::new(),
        waiting: Vec::new(),
        changed: Vec::new(),
        out: Out::new(),
        digest: 0,
    };
    let (mut labels, mut newest) = (Vec::with_capacity(BATCH), i64::MIN);
    let mut handles = Vec::with_capacity(BATCH);
    for batch in rows.chunks(BATCH) {
        let watermark = newest.saturating_sub(LATENESS_US);
        users.find(batch, &mut handles);
        for (i, row) in batch.iter().enumerate() {
            if let Some(ahead) = handles.get(i + AHEAD) {
                prefetch(&users.lines, *ahead as usize);
            }
            newest = newest.max(row.at);
            users.insert(handles[i], row, watermark);
            if is_label(row) {
                labels.push(label_of(row));
            }
        }
        users.write_changed();
        let passed = newest - LATENESS_US;
        users.find(&labels, &mut handles);
        for (i, label) in labels.iter().enumerate() {
            if let Some(ahead) = handles.get(i + AHEAD) {
                prefetch(&users.lines, *ahead as usize);
            }
            users.ask(handles[i], label, passed);
        }
        labels.clear();
        users.let_go(passed);
    }
    (users.out.written(), users.digest as f64)
}
