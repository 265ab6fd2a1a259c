//! The global watermark: the minimum over all partitions of all workers, as data.
//!
//! ```text
//! (partition, watermark) @ epoch ─▶ worker 0: minimum once the epoch is complete ─▶ (epoch, watermark) to all
//! ```
//!
//! Once all partitions have ended there are two of an epoch: the greatest moment that any partition's watermark was,
//! which is what rows are as of, then the end. (The minimum just before the end would depend on who ended first.)
//!
//! It says: no row with an event time below it will come in a later epoch. It never goes back, and it is the same on
//! every worker in every epoch: a worker's own watermark gave results that depend on the number of workers.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};

use timely::container::CapacityContainerBuilder;
use timely::dataflow::channels::pact::Exchange as ByHash;
use timely::dataflow::operators::generic::operator::Operator;
use timely::dataflow::operators::{Capability, Exchange};
use timely::dataflow::{InputHandle, Stream};

use crate::shared::Shared;
use crate::time::{Epoch, EventTime, WATERMARK_END, WATERMARK_NONE};

/// What partitions report: their number in the job and their own watermark.
pub(crate) type Mark = (usize, EventTime);

/// The input that a driver reports through.
pub(crate) type MarkHandle = InputHandle<Epoch, CapacityContainerBuilder<Vec<Mark>>>;

/// A risen watermark, with the worker that the copy is for.
pub(crate) type Risen = (u64, EventTime);

/// The watermarks as they rise, at the epoch from which they hold; epochs in which nothing rose have none.
pub(crate) fn global_watermark<'s>(
    marks: Stream<'s, Epoch, Vec<Mark>>,
    shared: Arc<Shared>,
) -> Stream<'s, Epoch, Vec<Risen>> {
    let peers = marks.scope().peers() as u64;
    let to_first_worker = ByHash::new(|_: &Mark| 0);
    let minimum = marks.unary_frontier::<CapacityContainerBuilder<Vec<Risen>>, _, _, _>(
        to_first_worker,
        "watermark",
        move |capability, _| {
            drop(capability);
            let mut stash: BTreeMap<Epoch, (Capability<Epoch>, Vec<Mark>)> = BTreeMap::new();
            let mut known: BTreeMap<usize, EventTime> = BTreeMap::new();
            let mut last = WATERMARK_NONE;
            let mut greatest = WATERMARK_NONE;
            move |(input, frontier), output| {
                input.for_each(|capability, marks| {
                    if let Some(capability) = capability.retain_least(output.output_index()) {
                        let epoch = *capability.time();
                        stash
                            .entry(epoch)
                            .or_insert_with(|| (capability, Vec::new()))
                            .1
                            .append(marks);
                    }
                });
                while let Some(entry) = stash.first_entry() {
                    if frontier.frontier().less_equal(entry.key()) {
                        break;
                    }
                    let (_, (capability, marks)) = entry.remove_entry();
                    let moments = marks.iter().map(|mark| mark.1);
                    let moments = moments.filter(|mark| *mark != WATERMARK_END);
                    greatest = moments.max().unwrap_or(greatest).max(greatest);
                    known.extend(marks);
                    if known.len() < shared.partitions.load(SeqCst) {
                        continue;
                    }
                    let lowest = known.values().copied().min().unwrap_or(WATERMARK_NONE);
                    if lowest > last {
                        last = lowest;
                        shared.metrics.watermark.store(last, Relaxed);
                        let mut session = output.session(&capability);
                        if last == WATERMARK_END && greatest != WATERMARK_NONE {
                            session.give_iterator((0..peers).map(|worker| (worker, greatest)));
                        }
                        session.give_iterator((0..peers).map(|worker| (worker, last)));
                    }
                }
            }
        },
    );
    minimum.exchange(|risen: &Risen| risen.0)
}
