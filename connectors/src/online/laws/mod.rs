//! The laws of the port, for any store: each adapter runs them on a store of its own.

mod random;

use serde::Serialize;
use thalweg_engine::sink::{Sink, SinkPlace, UpsertSink};
use thalweg_engine::time::{Epoch, EventTime};

use crate::online::version::epoch_of;
use crate::online::{
    Fields, OnlineRow, OnlineSink, OnlineStore, Replaces, Version, View, WriteOutcome,
};

/// Shows every row, expired ones too.
const ANY_TIME: EventTime = EventTime::MIN;

const WRITTEN: WriteOutcome = WriteOutcome {
    written: 1,
    refused_as_older: 0,
};
const REFUSED: WriteOutcome = WriteOutcome {
    written: 0,
    refused_as_older: 1,
};

/// Every law, on views whose names begin with `prefix`.
pub(crate) fn hold(store: &mut impl OnlineStore, prefix: &str) {
    versions_decide(store, &format!("{prefix}.versions"));
    deleted_stays_deleted(store, &format!("{prefix}.deleted"));
    a_row_is_replaced_whole(store, &format!("{prefix}.whole"));
    a_correction_does_not_freeze_its_key(store, &format!("{prefix}.correction"));
    rows_without_a_time_follow_their_table(store, &format!("{prefix}.by_epoch"));
    many_are_read_in_order(store, &format!("{prefix}.many"));
    random::writes_agree_with_the_rule(store, &format!("{prefix}.random"), 7);
    a_later_run_wins_however_it_is_cut_into_epochs(store, &format!("{prefix}.runs"));
}

/// Rows of corrected data came with fewer, larger epochs than the first run's, and were refused as older.
fn a_later_run_wins_however_it_is_cut_into_epochs(store: &mut impl OnlineStore, view: &str) {
    let first = store.begin(view, 1_000).unwrap();
    assert_eq!(
        store.begin(view, 1_000).unwrap(),
        first,
        "another worker of one run"
    );
    let put = |generation, epoch, text| {
        OnlineRow::put("e", at(10, epoch_of(generation, epoch)), value(text))
    };
    let write = |store: &mut dyn OnlineStore, row| store.write(view, None, &[row]).unwrap();
    assert_eq!(write(store, put(first, 80, "as first told")), WRITTEN);
    let second = store.begin(view, 900).unwrap();
    assert_eq!(second, first + 1, "a clock may go back between two runs");
    assert_eq!(write(store, put(second, 3, "corrected")), WRITTEN);
    assert_eq!(write(store, put(first, 81, "a straggler")), REFUSED);
    assert_eq!(read(store, view, "e").as_deref(), Some("corrected"));
    let other = store.begin(&format!("{view}.other"), 1_000).unwrap();
    assert_eq!(other, first, "each view counts on its own");
}

pub(crate) fn at(event_time: EventTime, epoch: Epoch) -> Version {
    Version { event_time, epoch }
}

pub(crate) fn value(text: &str) -> Fields {
    vec![("v".to_owned(), text.to_owned())]
}

pub(crate) fn read(store: &mut dyn OnlineStore, view: &str, entity: &str) -> Option<String> {
    let row = store.get(view, entity, ANY_TIME).unwrap()?;
    Some(row.field("v").unwrap_or("null").to_owned())
}

fn versions_decide(store: &mut impl OnlineStore, view: &str) {
    let mut put = |event_time, epoch, text: &str| {
        let row = OnlineRow::put("e", at(event_time, epoch), value(text));
        let outcome = store.write(view, None, &[row]).unwrap();
        (outcome, read(store, view, "e").unwrap())
    };
    assert_eq!(put(10, 5, "first"), (WRITTEN, "first".into()));
    assert_eq!(
        put(9, 6, "older"),
        (REFUSED, "first".into()),
        "an older event time loses"
    );
    assert_eq!(
        put(10, 4, "earlier"),
        (REFUSED, "first".into()),
        "an earlier epoch loses"
    );
    assert_eq!(
        put(10, 5, "repeated"),
        (WRITTEN, "repeated".into()),
        "an equal version wins"
    );
    assert_eq!(
        put(10, 6, "later"),
        (WRITTEN, "later".into()),
        "a greater epoch wins"
    );
    assert_eq!(
        put(11, 1, "newer"),
        (WRITTEN, "newer".into()),
        "event time comes first"
    );
    // Beyond 2^53, where a store that compares floats would take neighbours for equals.
    assert_eq!(put(1 << 60, u64::MAX - 1, "big"), (WRITTEN, "big".into()));
    assert_eq!(put(1 << 60, u64::MAX - 2, "less"), (REFUSED, "big".into()));
    assert_eq!(
        put((1 << 60) - 1, u64::MAX, "less"),
        (REFUSED, "big".into())
    );
    assert_eq!(put(1 << 60, u64::MAX, "most"), (WRITTEN, "most".into()));
}

fn deleted_stays_deleted(store: &mut impl OnlineStore, view: &str) {
    let mut write = |row: OnlineRow| {
        let outcome = store.write(view, None, &[row]).unwrap();
        (outcome, read(store, view, "e"))
    };
    assert_eq!(
        write(OnlineRow::put("e", at(-5, 1), value("a"))),
        (WRITTEN, Some("a".into()))
    );
    assert_eq!(
        write(OnlineRow::delete("e", at(-6, 2))),
        (REFUSED, Some("a".into()))
    );
    assert_eq!(write(OnlineRow::delete("e", at(-5, 2))), (WRITTEN, None));
    assert_eq!(
        write(OnlineRow::put("e", at(-5, 1), value("a"))),
        (REFUSED, None)
    );
    assert_eq!(
        write(OnlineRow::put("e", at(-6, 3), value("b"))),
        (REFUSED, None)
    );
    let insertion = OnlineRow {
        replaces: Replaces::Nothing,
        ..OnlineRow::put(
            "e",
            at(-6, 1 << 32),
            value("replayed by the next generation"),
        )
    };
    assert_eq!(write(insertion), (REFUSED, None));
    assert_eq!(
        write(OnlineRow::put("e", at(-4, 3), value("c"))),
        (WRITTEN, Some("c".into()))
    );
    assert_eq!(write(OnlineRow::delete("never seen", at(0, 1))).0, WRITTEN);
    assert_eq!(
        write(OnlineRow::put("never seen", at(-1, 1), value("late"))).0,
        REFUSED
    );
}

fn a_row_is_replaced_whole(store: &mut impl OnlineStore, view: &str) {
    let pair = |name: &str, text: &str| (name.to_owned(), text.to_owned());
    let mut put = |epoch, fields: Fields| {
        store
            .write(view, None, &[OnlineRow::put("e", at(1, epoch), fields)])
            .unwrap();
        let mut read = store.get(view, "e", ANY_TIME).unwrap().unwrap();
        assert_eq!((read.version, read.row_time), (at(1, epoch), 1));
        read.fields.sort();
        read.fields
    };
    let both = vec![pair("a", "1"), pair("b", "")];
    assert_eq!(put(1, both.clone()), both);
    let other = vec![pair("b", "x\r\n\0 y"), pair("c", "ü")];
    assert_eq!(
        put(2, other.clone()),
        other,
        "a field that became null is gone"
    );
    assert_eq!(put(3, Vec::new()), Vec::new(), "a row of nulls is a row");
}

/// Walks `a@10`, `−a +b@5`, `−b +c@6`, `−c`, `+d@3` in one generation: the engine's order is the truth, whether a store is
/// told what each row replaces or not.
fn a_correction_does_not_freeze_its_key(store: &mut impl OnlineStore, view: &str) {
    type Epochs = [(
        &'static [(&'static str, EventTime, i64)],
        Option<&'static str>,
    ); 5];
    let changes: Epochs = [
        (&[("a", 10, 1)], Some("a")),
        (&[("b", 5, 1), ("a", 10, -1)], Some("b")),
        (&[("b", 5, -1), ("c", 6, 1)], Some("c")),
        (&[("c", 6, -1)], None),
        (&[("d", 3, 1)], Some("d")),
    ];
    let new_rows: Epochs = [
        (&[("a", 10, 1)], Some("a")),
        (&[("b", 5, 1)], Some("b")),
        (&[("c", 6, 1)], Some("c")),
        (&[("c", 6, -1)], None),
        (&[("d", 3, 1)], Some("d")),
    ];
    walk(store, &format!("{view}.changes"), |sink| sink, changes);
    walk(
        store,
        &format!("{view}.new_rows"),
        OnlineSink::told_new_rows,
        new_rows,
    );

    #[derive(Serialize)]
    struct Row {
        v: &'static str,
        at: EventTime,
    }

    fn walk(
        store: &mut impl OnlineStore,
        view: &str,
        told: impl Fn(OnlineSink<Row>) -> OnlineSink<Row>,
        epochs: Epochs,
    ) {
        let declared = View::new(view)
            .key(|_: &Row| "e".into())
            .version(|row| row.at);
        let recorder = Recorder::default();
        let sink = told(OnlineSink::new(declared, {
            let recorder = recorder.clone();
            move |_| Ok(Box::new(recorder.clone()) as Box<dyn OnlineStore>)
        }));
        let mut writer = sink.open(SinkPlace::alone()).unwrap();
        let first_epoch: Epoch = (3 << 32) + 1;
        let mut height = EventTime::MIN;
        for (epoch, (rows, expected)) in (first_epoch..).zip(epochs) {
            let rows = rows
                .iter()
                .map(|(v, at, diff)| (Row { v, at: *at }, epoch, *diff));
            writer.write(epoch, rows.collect()).unwrap();
            let rows = recorder.take();
            assert_eq!(
                store.write(view, None, &rows).unwrap(),
                WRITTEN,
                "{expected:?}"
            );
            assert_eq!(read(store, view, "e").as_deref(), expected);
            if let Some(read) = store.get(view, "e", ANY_TIME).unwrap() {
                assert!(read.version.event_time >= height, "the version went back");
                height = read.version.event_time;
                assert_eq!(read.row_time.to_string(), read.field("at").unwrap());
            }
        }
    }
}

/// Walks a graph feature that rises, falls, goes and comes again, over three epochs and a run; what a run wrote before is
/// refused once a later one has begun.
fn rows_without_a_time_follow_their_table(store: &mut impl OnlineStore, view: &str) {
    #[derive(Serialize)]
    struct Row {
        v: &'static str,
    }
    let declared = View::new(view).key(|_: &Row| "e".into()).by_epoch();
    let recorder = Recorder::default();
    let sink = OnlineSink::new(declared, {
        let recorder = recorder.clone();
        move |_| Ok(Box::new(recorder.clone()) as Box<dyn OnlineStore>)
    });
    let mut writer = sink.open(SinkPlace::alone()).unwrap();
    let epochs: [(&[(&str, i64)], Option<&str>); 5] = [
        (&[("1", 1)], Some("1")),
        (&[("2", 1), ("1", -1)], Some("2")),
        (&[("0", 1), ("2", -1)], Some("0")),
        (&[("0", -1)], None),
        (&[("1", 1)], Some("1")),
    ];
    let mut first = Vec::new();
    for (epoch, (rows, expected)) in (1..).zip(epochs) {
        let rows = rows.iter().map(|(v, diff)| (Row { v }, epoch, *diff));
        writer.write(epoch, rows.collect()).unwrap();
        first = recorder.take();
        let outcome = store.write(view, None, &first).unwrap();
        assert_eq!(outcome, WRITTEN, "{expected:?}");
        assert_eq!(read(store, view, "e").as_deref(), expected);
    }
    let later = OnlineRow::put("e", at(0, epoch_of(4, 1)), value("of a later run"));
    assert_eq!(store.write(view, None, &[later]).unwrap(), WRITTEN);
    assert_eq!(store.write(view, None, &first).unwrap(), REFUSED);
    assert_eq!(read(store, view, "e").as_deref(), Some("of a later run"));
}

fn many_are_read_in_order(store: &mut impl OnlineStore, view: &str) {
    let name = |i: usize| format!("user:{i} {{x}}");
    let rows: Vec<_> = (0..1_500)
        .map(|i| OnlineRow::put(name(i), at(1, 1), value(&i.to_string())))
        .collect();
    let outcome = store.write(view, None, &rows).unwrap();
    assert_eq!(
        outcome,
        WriteOutcome {
            written: 1_500,
            refused_as_older: 0
        }
    );
    let asked = [
        name(1_499),
        "absent".to_owned(),
        name(0),
        name(700),
        name(0),
    ];
    let asked: Vec<&str> = asked.iter().map(String::as_str).collect();
    let found = store.get_many(view, &asked, ANY_TIME).unwrap();
    let found: Vec<_> = found
        .iter()
        .map(|row| row.as_ref().and_then(|r| r.field("v")))
        .collect();
    assert_eq!(
        found,
        [Some("1499"), None, Some("0"), Some("700"), Some("0")]
    );
    assert_eq!(store.get_many(view, &[], ANY_TIME).unwrap(), []);
    assert_eq!(
        store
            .get_many(&format!("{view}.other"), &asked[..1], ANY_TIME)
            .unwrap(),
        [None]
    );
    assert_eq!(
        store.write(view, None, &[]).unwrap(),
        WriteOutcome::default()
    );
}

/// A store that keeps what a sink hands it.
#[derive(Clone, Default)]
pub(crate) struct Recorder(std::sync::Arc<std::sync::Mutex<Vec<OnlineRow>>>);

impl Recorder {
    fn take(&self) -> Vec<OnlineRow> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl OnlineStore for Recorder {
    fn begin(&mut self, _: &str, _: EventTime) -> Result<u64, crate::online::OnlineError> {
        Ok(3)
    }

    fn write(
        &mut self,
        _view: &str,
        _ttl: Option<std::time::Duration>,
        rows: &[OnlineRow],
    ) -> Result<WriteOutcome, thalweg_engine::sink::SinkError> {
        self.0.lock().unwrap().extend_from_slice(rows);
        Ok(WriteOutcome {
            written: rows.len(),
            refused_as_older: 0,
        })
    }

    fn get_many(
        &mut self,
        _view: &str,
        entities: &[&str],
        _now: EventTime,
    ) -> Result<Vec<Option<crate::online::StoredRow>>, crate::online::OnlineError> {
        Ok(vec![None; entities.len()])
    }
}
