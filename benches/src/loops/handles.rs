//! Users by number: an open-addressing table, as a loop needs it whose users are not numbered through.

use thalweg::engine::state::prefetch;

/// Slots in the beginning, a power of two.
const SLOTS: usize = 1 << 16;

/// A user, and its handle plus one; zero where nobody stands.
#[derive(Clone, Copy, Default)]
#[repr(align(16))]
struct Slot {
    user: u64,
    handle: u32,
}

/// Gives each user a handle: 0, 1, 2, as they come.
pub(super) struct Handles {
    slots: Vec<Slot>,
    used: u32,
}

impl Handles {
    pub(super) fn new() -> Self {
        Self {
            slots: vec![Slot::default(); SLOTS],
            used: 0,
        }
    }

    #[inline(always)]
    fn place(&self, user: u64) -> usize {
        (user.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32) as usize & (self.slots.len() - 1)
    }

    /// Asks for the slot of a user.
    #[inline(always)]
    pub(super) fn prefetch(&self, user: u64) {
        prefetch(&self.slots, self.place(user));
    }

    /// The user's handle, and whether it is new.
    #[inline(always)]
    pub(super) fn of(&mut self, user: u64) -> (u32, bool) {
        let mut place = self.place(user);
        loop {
            let slot = self.slots[place];
            if slot.handle == 0 {
                return (self.insert(place, user), true);
            }
            if slot.user == user {
                return (slot.handle - 1, false);
            }
            place = (place + 1) & (self.slots.len() - 1);
        }
    }

    #[inline(never)]
    fn insert(&mut self, place: usize, user: u64) -> u32 {
        self.used += 1;
        self.slots[place] = Slot {
            user,
            handle: self.used,
        };
        if self.used as usize * 2 > self.slots.len() {
            self.grow();
        }
        self.used - 1
    }

    fn grow(&mut self) {
        let doubled = vec![Slot::default(); self.slots.len() * 2];
        let old = std::mem::replace(&mut self.slots, doubled);
        for slot in old.into_iter().filter(|slot| slot.handle > 0) {
            let mut place = self.place(slot.user);
            while self.slots[place].handle > 0 {
                place = (place + 1) & (self.slots.len() - 1);
            }
            self.slots[place] = slot;
        }
    }
}
