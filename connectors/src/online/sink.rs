//! The sink of a view: settles each epoch and hands it to a store in batches.

use std::sync::Arc;

use serde::Serialize;
use thalweg_engine::column::Column;
use thalweg_engine::sink::{Sink, SinkError, SinkPlace, UpsertSink, Writer};
use thalweg_engine::time::Epoch;
use thalweg_engine::update::{Update, Updates};

use crate::online::settle::{Signed, Told, settle};
use crate::online::store::OnlineStore;
use crate::online::version::epoch_of;
use crate::online::view::{Declared, View};
use crate::online::{fields_of, store};

type OpenStore = Arc<
    dyn Fn(&SinkPlace) -> Result<Box<dyn OnlineStore>, store::OnlineError> + Send + Sync + 'static,
>;

/// Writes a view to whatever store `open` yields; made by `Embedded::view` and `Redis::view`.
///
/// # What an acknowledged epoch means
/// Every entity of the epoch was written, or was refused because the store holds a newer version. How safe
/// that is against a power loss is the store's promise. An epoch of more entities than one batch holds may become
/// visible batch by batch; each entity changes at once.
pub struct OnlineSink<D> {
    view: View<D>,
    open: OpenStore,
    told: Told,
}

/// Clones write to the same store: a job makes the sink once and hands a clone to each worker.
impl<D> Clone for OnlineSink<D> {
    fn clone(&self) -> Self {
        Self {
            view: self.view.clone(),
            open: Arc::clone(&self.open),
            told: self.told,
        }
    }
}

impl<D> OnlineSink<D> {
    /// A sink that opens a store per worker.
    pub fn new(
        view: View<D>,
        open: impl Fn(&SinkPlace) -> Result<Box<dyn OnlineStore>, store::OnlineError>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        Self {
            view,
            open: Arc::new(open),
            told: Told::Changes,
        }
    }
}

impl<D: Serialize + 'static> UpsertSink<D> for OnlineSink<D> {
    fn told_new_rows(self) -> Self {
        Self {
            told: Told::NewRows,
            ..self
        }
    }
}

impl<D: Serialize + 'static> Sink<D> for OnlineSink<D> {
    fn open(&self, place: SinkPlace) -> Result<Box<dyn Writer<D>>, SinkError> {
        let view = self
            .view
            .declared()
            .map_err(|error| SinkError::Wrong(error.to_string()))?;
        let mut store = (self.open)(&place)?;
        let generation = store.begin(&view.name, place.started)?;
        Ok(Box::new(ViewWriter {
            view,
            store,
            generation,
            told: self.told,
        }))
    }

    /// All that is said of an entity in an epoch goes to one writer, whichever workers say it: a row that is taken back and the
    /// one in its place may have one version, and then their order alone would tell which stands.
    fn dealt_by(&self) -> Option<Column<D, u64>> {
        self.view.dealt_by()
    }
}

/// The writer of one worker.
struct ViewWriter<D> {
    view: Declared<D>,
    store: Box<dyn OnlineStore>,
    /// The run's number in the store.
    generation: u64,
    told: Told,
}

impl<D: Serialize> ViewWriter<D> {
    fn signed(&self, (row, _, diff): &Update<D>) -> Result<Signed, SinkError> {
        let fields = fields_of(row)
            .map_err(|error| SinkError::Wrong(format!("view {:?}: {error}", self.view.name)))?;
        let (entity, event_time) = ((self.view.key)(row), (self.view.event_time)(row));
        Ok(Signed {
            entity,
            event_time,
            fields,
            diff: *diff,
        })
    }
}

impl<D: Serialize> Writer<D> for ViewWriter<D> {
    fn write(&mut self, epoch: Epoch, rows: Updates<D>) -> Result<(), SinkError> {
        let signed = rows
            .iter()
            .map(|row| self.signed(row))
            .collect::<Result<Vec<_>, _>>()?;
        drop(rows);
        let settled = settle(epoch_of(self.generation, epoch), self.told, signed);
        let batch_len = self.store.batch_entities_max().max(1);
        for (number, batch) in settled.chunks(batch_len).enumerate() {
            let outcome = self.store.write(&self.view.name, self.view.ttl, batch);
            outcome.map_err(|error| match error {
                // Earlier batches of the epoch are in the store: the epoch as a whole did happen in part.
                SinkError::Failed(text) if number > 0 => SinkError::Unknown(text),
                other => other,
            })?;
        }
        Ok(())
    }

    /// Nothing waits: every epoch was written when it was acknowledged.
    fn finish(&mut self) -> Result<(), SinkError> {
        Ok(())
    }
}
