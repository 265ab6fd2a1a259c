//! Rows on their way to the workers that own their keys.
//!
//! ```text
//!                         ┌─ hand for worker 0 ── full, or the epoch's end ──▶ worker 0
//! (row, epoch, ±n) ─ owner ┤
//!                         └─ hand for worker 1 ─────────────────────────────▶ worker 1
//! ```
//!
//! Hands hold as many rows as move between operators of one worker: timely's own are of 8 KiB, and a message a fiftieth
//! of an epoch. A single worker's containers are passed on as they are.

use timely::communication::Push;
use timely::dataflow::channels::Message;
use timely::dataflow::channels::pact::DistributorPact;
use timely::dataflow::channels::pushers::exchange::Distributor;
use timely::progress::Stamp;

use crate::column::Column;
use crate::key::owner;
use crate::update::{Update, container_rows};

/// What sends each row to the worker that owns its tag.
pub(crate) fn by_tag<D>(tags: Column<D, u64>) -> DistributorPact<impl FnOnce(usize) -> Dealer<D>> {
    DistributorPact(move |workers| Dealer {
        hands: std::iter::repeat_with(Vec::new).take(workers).collect(),
        tags,
        in_hand: Vec::new(),
    })
}

/// Deals rows to workers.
pub(crate) struct Dealer<D> {
    hands: Vec<Vec<Update<D>>>,
    tags: Column<D, u64>,
    /// Those of the rows in hand.
    in_hand: Vec<u64>,
}

impl<D> Distributor<Vec<Update<D>>> for Dealer<D> {
    fn partition<E: Clone, P: Push<Message<E, Vec<Update<D>>>>>(
        &mut self,
        container: &mut Vec<Update<D>>,
        stamp: &Stamp<E>,
        pushers: &mut [P],
    ) {
        self.tags.of(container, &mut self.in_hand);
        for (update, tag) in container.drain(..).zip(&self.in_hand) {
            let to = owner(*tag, pushers.len());
            let hand = &mut self.hands[to];
            if hand.capacity() == 0 {
                hand.reserve_exact(container_rows::<D>());
            }
            hand.push(update);
            if hand.len() >= container_rows::<D>() {
                Message::push_at(hand, stamp.clone(), &mut pushers[to]);
                hand.clear();
            }
        }
    }

    fn flush<E: Clone, P: Push<Message<E, Vec<Update<D>>>>>(
        &mut self,
        stamp: &Stamp<E>,
        pushers: &mut [P],
    ) {
        for (hand, pusher) in self.hands.iter_mut().zip(pushers) {
            if !hand.is_empty() {
                Message::push_at(hand, stamp.clone(), pusher);
                hand.clear();
            }
        }
    }
}
