//! Tumbling 5 min per user, count and sum: an open-addressing table per open window.

use std::collections::VecDeque;

use crate::data::{LATENESS_US, Payment, START_US};
use crate::digest::weight;
use crate::loops::Out;

const WIDTH_US: i64 = 300_000_000;

#[derive(Clone, Copy)]
struct Slot {
    user: u64,
    count: u32,
    sum: i64,
}

const EMPTY: Slot = Slot {
    user: 0,
    count: 0,
    sum: 0,
};

struct Window {
    slots: Vec<Slot>,
    used: Vec<u32>,
}

impl Window {
    fn new() -> Self {
        Self {
            slots: vec![EMPTY; 256],
            used: Vec::new(),
        }
    }

    #[inline(always)]
    fn add(&mut self, user: u64, count: u32, sum: i64) {
        let mask = self.slots.len() - 1;
        let mut place = (user.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32) as usize & mask;
        loop {
            let slot = &mut self.slots[place];
            if slot.count == 0 {
                *slot = Slot { user, count, sum };
                self.used.push(place as u32);
                if self.used.len() * 2 > mask {
                    self.grow();
                }
                return;
            }
            if slot.user == user {
                slot.count += count;
                slot.sum += sum;
                return;
            }
            place = (place + 1) & mask;
        }
    }

    #[cold]
    fn grow(&mut self) {
        let doubled = self.slots.len() * 2;
        let old = std::mem::replace(&mut self.slots, vec![EMPTY; doubled]);
        self.used.clear();
        old.into_iter()
            .filter(|slot| slot.count > 0)
            .for_each(|s| self.add(s.user, s.count, s.sum));
    }
}

/// Runs the loop; the digest is the sum of counts and sums, weighted by windows.
#[must_use]
pub fn tumbling(rows: &[Payment]) -> (u64, f64) {
    let (mut open, mut spare) = (VecDeque::<Window>::new(), Vec::<Window>::new());
    let (mut first, mut newest) = (0, i64::MIN);
    let mut out = Out::<(u64, i64, u32, i64)>::new();
    let mut digest = 0;
    let mut close = |window: &mut Window, start: i64| {
        let weight = weight(START_US + start * WIDTH_US);
        for place in window.used.drain(..) {
            let slot = std::mem::replace(&mut window.slots[place as usize], EMPTY);
            digest += (i64::from(slot.count) + slot.sum) * weight;
            out.push((slot.user, start, slot.count, slot.sum));
        }
    };
    for row in rows {
        let index = (row.at - START_US) / WIDTH_US;
        if row.at > newest {
            newest = row.at;
            while !open.is_empty() && first < (newest - LATENESS_US - START_US) / WIDTH_US {
                if let Some(mut window) = open.pop_front() {
                    close(&mut window, first);
                    spare.push(window);
                }
                first += 1;
            }
        }
        while (open.len() as i64) <= index - first {
            open.push_back(spare.pop().unwrap_or_else(Window::new));
        }
        open[(index - first) as usize].add(row.user, 1, row.cents);
    }
    open.iter_mut()
        .enumerate()
        .for_each(|(i, window)| close(window, first + i as i64));
    (out.written(), digest as f64)
}
