//! Writers behind a poll: on a thread of their own in a real run, called in place in a simulation.

use std::collections::VecDeque;
use std::thread::Thread;

use crossbeam::channel::{Receiver, Sender, unbounded};

use crate::error::JobError;
use crate::sim::{Dice, Trace};
use crate::sink::{SinkError, Writer};
use crate::time::Epoch;
use crate::update::Updates;

/// What the driver tells a writer's thread.
enum Order<D> {
    Write(Epoch, Updates<D>),
    Finish,
}

/// What a writer's thread answers.
enum Answer {
    Written(Epoch, usize),
    Finished,
    Failed(SinkError),
}

/// One worker's writer as the driver sees it: offered epochs come back acknowledged, in order.
pub(crate) trait WriterPort<D> {
    /// Hands over a whole epoch; never blocks.
    fn offer(&mut self, epoch: Epoch, rows: Updates<D>);
    /// The next acknowledged epoch with its number of updates, if there is one.
    fn poll(&mut self) -> Result<Option<(Epoch, usize)>, SinkError>;
    /// Asks to publish; called once, when everything was acknowledged.
    fn finish(&mut self);
    /// Whether publishing is done.
    fn is_finished(&mut self) -> Result<bool, SinkError>;
}

/// A writer on its own thread. Its channels need no bound: at most four epochs are in flight.
struct OnThread<D> {
    orders: Sender<Order<D>>,
    answers: Receiver<Answer>,
}

impl<D> OnThread<D> {
    fn answer(&mut self) -> Result<Option<Answer>, SinkError> {
        match self.answers.try_recv() {
            Ok(Answer::Failed(error)) => Err(error),
            Ok(answer) => Ok(Some(answer)),
            Err(crossbeam::channel::TryRecvError::Empty) => Ok(None),
            Err(crossbeam::channel::TryRecvError::Disconnected) => Err(SinkError::Failed(
                "the writer's thread has ended: it panicked".into(),
            )),
        }
    }
}

/// Starts the writer's thread; it wakes `worker` at every answer.
pub(crate) fn spawn<D: Send + 'static>(
    name: &str,
    mut writer: Box<dyn Writer<D>>,
    worker: Thread,
) -> Result<Box<dyn WriterPort<D>>, JobError> {
    let (orders, inbox) = unbounded::<Order<D>>();
    let (outbox, answers) = unbounded();
    std::thread::Builder::new()
        .name(format!("write {name}"))
        .spawn(move || {
            for order in inbox {
                let answer = match order {
                    Order::Write(epoch, rows) => {
                        let count = rows.len();
                        writer
                            .write(epoch, rows)
                            .map(|()| Answer::Written(epoch, count))
                    }
                    Order::Finish => writer.finish().map(|()| Answer::Finished),
                };
                let failed = answer.is_err();
                let gone = outbox.send(answer.unwrap_or_else(Answer::Failed)).is_err();
                worker.unpark();
                if failed || gone {
                    break;
                }
            }
        })
        .map_err(|error| JobError::System(format!("could not start a writer thread: {error}")))?;
    Ok(Box::new(OnThread { orders, answers }))
}

impl<D> WriterPort<D> for OnThread<D> {
    fn offer(&mut self, epoch: Epoch, rows: Updates<D>) {
        // A writer that has failed has said so on the other channel; its orders need not arrive.
        let _ = self.orders.send(Order::Write(epoch, rows));
    }

    fn poll(&mut self) -> Result<Option<(Epoch, usize)>, SinkError> {
        Ok(match self.answer()? {
            Some(Answer::Written(epoch, count)) => Some((epoch, count)),
            _ => None,
        })
    }

    fn finish(&mut self) {
        let _ = self.orders.send(Order::Finish);
    }

    fn is_finished(&mut self) -> Result<bool, SinkError> {
        Ok(matches!(self.answer()?, Some(Answer::Finished)))
    }
}

/// A writer that is called in the worker's own thread, when the dice say so.
struct InPlace<D> {
    writer: Box<dyn Writer<D>>,
    waiting: VecDeque<(Epoch, Updates<D>)>,
    finishing: bool,
    dice: Dice,
    trace: Trace,
}

pub(crate) fn in_place<D: 'static>(
    writer: Box<dyn Writer<D>>,
    dice: Dice,
    trace: Trace,
) -> Box<dyn WriterPort<D>> {
    Box::new(InPlace {
        writer,
        waiting: VecDeque::new(),
        finishing: false,
        dice,
        trace,
    })
}

impl<D> WriterPort<D> for InPlace<D> {
    fn offer(&mut self, epoch: Epoch, rows: Updates<D>) {
        self.waiting.push_back((epoch, rows));
    }

    fn poll(&mut self) -> Result<Option<(Epoch, usize)>, SinkError> {
        if self.dice.chance(40) {
            return Ok(None);
        }
        let Some((epoch, rows)) = self.waiting.pop_front() else {
            return Ok(None);
        };
        let count = rows.len();
        self.trace.note(&[epoch, count as u64]);
        self.writer.write(epoch, rows)?;
        Ok(Some((epoch, count)))
    }

    fn finish(&mut self) {
        self.finishing = true;
    }

    fn is_finished(&mut self) -> Result<bool, SinkError> {
        if std::mem::take(&mut self.finishing) {
            self.writer.finish()?;
        }
        Ok(true)
    }
}
