//! Writers behind a poll: on a thread of their own, or called in place where they never wait, and in a simulation.

use std::collections::VecDeque;
use std::thread::Thread;

use crossbeam::channel::{Receiver, Sender, select_biased, unbounded};

use crate::error::JobError;
use crate::sim::{Dice, Trace};
use crate::sink::lifeline::Tie;
use crate::sink::{Ending, Published, SinkError, Writer};
use crate::time::Epoch;
use crate::update::Updates;

/// What the driver tells a writer's thread.
enum Order<D> {
    Write(Epoch, Updates<D>),
    Finish(Ending),
}

/// What a writer's thread answers.
enum Answer {
    Written(Epoch, usize),
    Finished(Published),
    Failed(SinkError),
}

/// One worker's writer as the driver sees it: offered epochs come back acknowledged, in order.
pub(crate) trait WriterPort<D> {
    /// Hands over a whole epoch; never blocks.
    fn offer(&mut self, epoch: Epoch, rows: Updates<D>);
    /// The next acknowledged epoch with its number of updates, if there is one.
    fn poll(&mut self) -> Result<Option<(Epoch, usize)>, SinkError>;
    /// Asks to publish; called once, when everything was acknowledged.
    fn finish(&mut self, ending: Ending);
    /// What was published, once that is done.
    fn finished(&mut self) -> Result<Option<Published>, SinkError>;
}

/// A writer on its own thread. Its channels need no bound: at most two epochs are in flight.
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

/// Starts the writer's thread; it wakes `worker` at every answer, and ends with the run at the latest.
pub(crate) fn spawn<D: Send + 'static>(
    name: &str,
    writer: Box<dyn Writer<D>>,
    worker: Thread,
    tie: Tie,
) -> Result<Box<dyn WriterPort<D>>, JobError> {
    let (orders, inbox) = unbounded::<Order<D>>();
    let (outbox, answers) = unbounded();
    std::thread::Builder::new()
        .name(format!("write {name}"))
        .spawn(move || {
            // By value: also where it panics, the writer is gone before the tie is.
            serve(writer, &inbox, &outbox, &tie, &worker);
        })
        .map_err(|error| JobError::System(format!("could not start a writer thread: {error}")))?;
    Ok(Box::new(OnThread { orders, answers }))
}

/// Carries out orders until there are no more, one fails, or the run is over.
fn serve<D>(
    mut writer: Box<dyn Writer<D>>,
    inbox: &Receiver<Order<D>>,
    outbox: &Sender<Answer>,
    tie: &Tie,
    worker: &Thread,
) {
    while let Some(order) = next_order(inbox, tie) {
        let answer = match order {
            Order::Write(epoch, rows) => {
                let count = rows.len();
                writer
                    .write(epoch, rows)
                    .map(|()| Answer::Written(epoch, count))
            }
            Order::Finish(ending) => publish(&mut *writer, ending).map(Answer::Finished),
        };
        let failed = answer.is_err();
        let gone = outbox.send(answer.unwrap_or_else(Answer::Failed)).is_err();
        worker.unpark();
        if failed || gone {
            break;
        }
    }
}

/// The next order; none once the run is over, whatever still waits.
fn next_order<D>(inbox: &Receiver<Order<D>>, tie: &Tie) -> Option<Order<D>> {
    select_biased! {
        recv(tie.over) -> _ => None,
        recv(inbox) -> order => order.ok(),
    }
}

fn publish<D>(writer: &mut dyn Writer<D>, ending: Ending) -> Result<Published, SinkError> {
    match ending {
        Ending::Whole => writer.finish().map(|()| Published::Rows),
        Ending::Early => writer.finish_early(),
    }
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

    fn finish(&mut self, ending: Ending) {
        let _ = self.orders.send(Order::Finish(ending));
    }

    fn finished(&mut self) -> Result<Option<Published>, SinkError> {
        Ok(match self.answer()? {
            Some(Answer::Finished(published)) => Some(published),
            _ => None,
        })
    }
}

/// A writer that is called in the worker's own thread; in a simulation when the dice say so.
struct InPlace<D> {
    writer: Box<dyn Writer<D>>,
    waiting: VecDeque<(Epoch, Updates<D>)>,
    ending: Ending,
    simulated: Option<(Dice, Trace)>,
}

pub(crate) fn in_place<D: 'static>(
    writer: Box<dyn Writer<D>>,
    simulated: Option<(Dice, Trace)>,
) -> Box<dyn WriterPort<D>> {
    Box::new(InPlace {
        writer,
        waiting: VecDeque::new(),
        ending: Ending::Whole,
        simulated,
    })
}

impl<D> WriterPort<D> for InPlace<D> {
    fn offer(&mut self, epoch: Epoch, rows: Updates<D>) {
        self.waiting.push_back((epoch, rows));
    }

    fn poll(&mut self) -> Result<Option<(Epoch, usize)>, SinkError> {
        if let Some((dice, _)) = &self.simulated
            && dice.chance(40)
        {
            return Ok(None);
        }
        let Some((epoch, rows)) = self.waiting.pop_front() else {
            return Ok(None);
        };
        let count = rows.len();
        if let Some((_, trace)) = &self.simulated {
            trace.note(&[epoch, count as u64]);
        }
        self.writer.write(epoch, rows)?;
        Ok(Some((epoch, count)))
    }

    fn finish(&mut self, ending: Ending) {
        self.ending = ending;
    }

    fn finished(&mut self) -> Result<Option<Published>, SinkError> {
        publish(&mut *self.writer, self.ending).map(Some)
    }
}
