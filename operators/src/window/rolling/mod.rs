//! Rolling windows: trailing windows of any widths, exact to the microsecond, over late and retracted data.
//!
//! ```text
//!          ├──────── width ────────┤
//!   ───────[═══════════════════════]──────▶ event time
//!      at − width                 at        closed at both ends: the row and its peers of equal time are inside
//! ```
//!
//! The same boundary holds online and offline. An event at `e` leaves the online value when the watermark passes
//! `e + width`.
//!
//! Events are stored in sixteen bytes each, whatever they are ([`Wide`]), or with [`Rolling::compact`] in eight where
//! they are whole milliseconds and small numbers ([`Compact`]). Windows that are asked for no extremes
//! ([`WithoutExtremes`]) hold less and cost less.

mod at;
#[cfg(test)]
pub(super) mod brute;
mod busy;
pub(crate) mod calendar;
mod corrections;
mod debts;
mod event;
mod extremes;
mod finals;
mod form;
mod latest;
mod lines;
mod open_rows;
pub(crate) mod order;
pub(in crate::window) mod queue;
pub(in crate::window) mod repair;
pub(in crate::window) mod silences;
mod stack;
pub(in crate::window) mod store;
pub(crate) mod timers;
mod turns;
pub(crate) mod wheel;
pub(crate) mod widths;

use std::rc::Rc;

use thalweg_engine::error::JobError;
use thalweg_engine::key::Key;
use thalweg_engine::table::Table;
use thalweg_engine::time::EventTime;
use thalweg_engine::update::Data;

pub use event::{Event, Rolled, Windows};
pub use finals::Final;
pub use form::{Compact, Form, Wide, WithoutExtremes};
pub use latest::Expiry;

use crate::array::Array;
use crate::table_ops::TableOps;
use crate::upserts::Upserts;
use crate::value::Lane;
use widths::Widths;

type KeyOf<D, K> = Rc<dyn Fn(&D) -> K>;
type AtOf<D> = Rc<dyn Fn(&D) -> EventTime>;
type LanesOf<D, const N: usize> = Rc<dyn Fn(&D) -> [i64; N]>;

/// Rolling moments, declared but not yet running: choose a mode.
#[derive(Clone)]
pub struct Rolling<'s, D: Data, K: Key, L: Lane, const N: usize, const W: usize, F: Form = Wide> {
    pub(crate) table: Table<'s, D>,
    pub(crate) key: KeyOf<D, K>,
    pub(crate) at: AtOf<D>,
    pub(crate) lanes: LanesOf<D, N>,
    pub(crate) widths: Widths<W>,
    pub(crate) name: String,
    pub(crate) expiry: Expiry,
    pub(crate) lane: std::marker::PhantomData<(L, F)>,
}

impl<'s, D: Data, K: Key, L: Lane, const N: usize, const W: usize, F: Form>
    Rolling<'s, D, K, L, N, W, F>
{
    /// Stores an event in eight bytes instead of sixteen: for states of many keys whose event times are whole
    /// milliseconds, whose windows are narrower than 49 days, and whose numbers fit 32 bits (cents to ±21 million; floats
    /// that are exact as `f32`).
    ///
    /// Results are the same to the bit: a key that has an event which does not fit is kept wide until it is forgotten, at
    /// more than the wide form's cost. A job may turn to this and back between runs; what it has saved is read either way.
    #[must_use]
    pub fn compact(self) -> Rolling<'s, D, K, L, N, W, F::Short> {
        self.of_form()
    }

    /// The same windows in another form.
    pub(crate) fn of_form<G: Form>(self) -> Rolling<'s, D, K, L, N, W, G> {
        Rolling {
            table: self.table,
            key: self.key,
            at: self.at,
            lanes: self.lanes,
            widths: self.widths,
            name: self.name,
            expiry: self.expiry,
            lane: std::marker::PhantomData,
        }
    }

    /// Whether rows of [`Rolling::latest`] fall as time passes; they do unless told otherwise.
    #[must_use]
    pub fn expiry(mut self, expiry: Expiry) -> Self {
        self.expiry = expiry;
        self
    }

    /// One row per key, replaced as events come, change and expire: for an online store.
    #[must_use]
    pub fn latest(&self) -> Table<'s, Rolled<K, L, N, W>> {
        let events = self.events(|_| ());
        events.keyed(
            &format!("{} latest", self.name),
            Event::tags(),
            latest::Latest::<_, _, N, W, F>::new(self.widths, self.expiry),
        )
    }

    /// The same rows for a store that keeps one per key and replaces it: without the old ones, a quarter of the work.
    #[must_use]
    pub fn upserts(&self) -> Upserts<'s, Rolled<K, L, N, W>> {
        let state = latest::Latest::<_, _, N, W, F>::new(self.widths, self.expiry).replacing();
        let name = format!("{} upserts", self.name);
        Upserts::new(self.events(|_| ()).keyed(&name, Event::tags(), state))
    }

    /// One row per event once the watermark has passed it, never changed again: for offline stores and training.
    /// `payload` is what the row carries along of its event.
    #[must_use]
    pub fn finals<P: Data + Ord>(
        &self,
        payload: impl Fn(&D) -> P + 'static,
    ) -> Table<'s, Final<P, K, L, N, W>> {
        let events = self.events(payload);
        events.keyed(
            &format!("{} final", self.name),
            Event::tags(),
            finals::Finals::<_, _, _, N, W, F>::new(self.widths),
        )
    }

    /// One row per event at once, over what is known so far, and repaired as events come late or are taken back, until
    /// the watermark has passed it. `payload` is what the row carries along of its event: rows are told apart by it.
    #[must_use]
    pub fn corrections<P: Data + Ord>(
        &self,
        payload: impl Fn(&D) -> P + 'static,
    ) -> Table<'s, Final<P, K, L, N, W>> {
        let events = self.events(payload);
        events.keyed(
            &format!("{} corrections", self.name),
            Event::tags(),
            corrections::Corrections::<_, _, _, N, W, F>::new(self.widths),
        )
    }

    /// Projects the rows to what the operator stores.
    fn events<P: Data>(&self, payload: impl Fn(&D) -> P + 'static) -> Table<'s, Event<K, N, P>> {
        self.project(move |row, event| Event {
            key: event.key,
            at: event.at,
            lanes: event.lanes,
            payload: payload(row),
        })
    }

    /// Projects the rows to what an operator sees of them and of their events.
    fn project<E: Data>(&self, see: impl Fn(&D, Event<K, N, ()>) -> E + 'static) -> Table<'s, E> {
        let (key, at, lanes) = (
            Rc::clone(&self.key),
            Rc::clone(&self.at),
            Rc::clone(&self.lanes),
        );
        self.table
            .map_ref(&format!("{} project", self.name), move |row| {
                let event = Event {
                    key: key(row),
                    at: at(row),
                    lanes: Array(lanes(row)),
                    payload: (),
                };
                see(row, event)
            })
    }
}

/// Checks a set of widths.
pub(crate) fn checked<const W: usize>(
    widths: [std::time::Duration; W],
) -> Result<Widths<W>, JobError> {
    Widths::new(widths)
}
