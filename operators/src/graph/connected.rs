//! Flagged nodes in each node's component: what falls when the edge to them goes.
//!
//! ```text
//! components ─ (node, label) ─┬───────────────────────────────────┐
//! flagged ─▶ hop over (node, label) ─▶ (label, flagged node) ─────┴─ by label ─▶ (node, flagged) ─ distinct ─▶ rows
//! ```
//!
//! # Invariants
//! 1. After every epoch each node with an edge has one row: how many flagged nodes other than itself are in its
//!    component.
//! 2. A node whose number did not change writes nothing, even where its component got another label.
//!
//! # Cost
//! Beyond that of components: a flag that comes or goes costs the members of its component, whose rows all change.

use std::collections::{BTreeMap, BTreeSet};

use thalweg_engine::keyed::{Emitter, EpochTime, KeyGroup, PairedState, StateError, StateSize};
use thalweg_engine::table::Table;
use thalweg_engine::update::Updates;

use crate::codec;
use crate::graph::hop::{change, first, hop, of};
use crate::graph::{Flagged, Undirected, distinct_pairs, own_labels};
use crate::table_ops::TableOps;

type Pair = (u64, u64);

impl<'s> Undirected<'s> {
    /// How many flagged nodes other than itself each node hangs together with.
    #[must_use]
    pub fn flagged_connected(&self, flagged: &Table<'s, u64>) -> Table<'s, Flagged> {
        let name = self.named("flagged connected");
        let labels = self.components().map(|row| (row.node, row.label));
        let flags = hop(&own_labels(flagged, &name), &labels, &name);
        let flags = distinct_pairs(&flags, &name);
        let members = labels.map(|(node, label)| (label, node));
        let counts = members.keyed_with(&name, first(), &flags, first(), Members::default());
        // A node that moves between components of the same number is taken out by one and put in by the other.
        distinct_pairs(&counts, &name).map(|(node, flagged)| Flagged { node, flagged })
    }
}

/// The keyed state of components by label: who is in them, and who of these is flagged.
#[derive(Default)]
struct Members {
    members: BTreeSet<Pair>,
    flags: BTreeSet<Pair>,
    counts: BTreeMap<u64, u64>,
}

impl Members {
    /// The number of a member of a component.
    fn number(&self, (label, node): Pair) -> Option<u64> {
        self.members.contains(&(label, node)).then(|| {
            let own = u64::from(self.flags.contains(&(label, node)));
            self.counts.get(&label).copied().unwrap_or(0) - own
        })
    }

    fn flag(&mut self, flag: Pair, diff: i64) {
        change(&mut self.flags, flag, diff);
        let count = self.counts.entry(flag.0).or_insert(0);
        *count = count.saturating_add_signed(diff);
        if *count == 0 {
            self.counts.remove(&flag.0);
        }
    }

    /// The members whose number an epoch may change.
    fn touched(&self, members: &Updates<Pair>, flags: &Updates<Pair>) -> BTreeSet<Pair> {
        let mut touched: BTreeSet<Pair> = members.iter().map(|update| update.0).collect();
        let mut changes: BTreeMap<u64, i64> = BTreeMap::new();
        for ((label, node), _, diff) in flags {
            touched.insert((*label, *node));
            *changes.entry(*label).or_insert(0) += diff;
        }
        for (label, _) in changes.iter().filter(|(_, diff)| **diff != 0) {
            touched.extend(of(&self.members, *label).map(|node| (*label, node)));
        }
        touched
    }
}

impl PairedState for Members {
    type Left = Pair;
    type Right = Pair;
    type Out = Pair;
    const FORMAT: u32 = 1;

    fn epoch(
        &mut self,
        _: &EpochTime,
        members: Updates<Pair>,
        flags: Updates<Pair>,
        out: &mut Emitter<'_, Pair>,
    ) {
        let touched = self.touched(&members, &flags);
        let before: Vec<Option<u64>> = touched.iter().map(|pair| self.number(*pair)).collect();
        for (member, _, diff) in members {
            change(&mut self.members, member, diff);
        }
        for (flag, _, diff) in flags {
            self.flag(flag, diff);
        }
        for (pair, before) in touched.into_iter().zip(before) {
            let row = |number| (pair.1, number);
            out.replace(before.map(row), self.number(pair).map(row));
        }
    }

    fn save(&self, group: KeyGroup, into: &mut Vec<u8>) -> Result<(), StateError> {
        let ours = |table: &BTreeSet<Pair>| -> Vec<Pair> {
            let rows = table.iter().copied();
            rows.filter(|(label, _)| group.holds(*label)).collect()
        };
        codec::encode(&(ours(&self.members), ours(&self.flags)), into)
    }

    fn load(&mut self, bytes: &[u8]) -> Result<(), StateError> {
        let (members, flags): (Vec<Pair>, Vec<Pair>) = codec::decode(bytes)?;
        self.members.extend(members);
        flags.into_iter().for_each(|flag| self.flag(flag, 1));
        Ok(())
    }

    fn size(&self) -> StateSize {
        let pairs = self.members.len() + self.flags.len();
        StateSize {
            keys: self.counts.len(),
            events: pairs,
            // A B-tree's leaves are two thirds full, as far as one can tell from outside.
            bytes: (pairs + self.counts.len()) * size_of::<Pair>() * 3 / 2,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::testing::clean_log;
    use crate::laws::{Side, Sided, assert_continues, side_tag};

    #[test]
    fn saved_members_continue_as_if_never_interrupted() {
        for seed in 0..40 {
            let (members, flags) = (clean_log(seed), clean_log(seed + 40));
            let both = members
                .into_iter()
                .zip(flags)
                .map(|((time, left), (_, right))| {
                    let left = left
                        .into_iter()
                        .map(|(row, diff)| (Side::Left(row.0, row), diff));
                    let right = right
                        .into_iter()
                        .map(|(row, diff)| (Side::Right(row.0, row), diff));
                    (time, left.chain(right).collect())
                });
            assert_continues(|| Sided(Members::default()), side_tag, &both.collect());
        }
    }
}
