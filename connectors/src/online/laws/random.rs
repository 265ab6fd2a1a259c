//! Random writes: what is stored, and what is refused, as the rule of versions says.

use std::collections::BTreeMap;

use super::{ANY_TIME, at, value};
use crate::online::{Fields, OnlineRow, OnlineStore, Replaces, Stored, WriteOutcome};

/// The oracle: [`Version::against`] on a map.
pub(super) fn writes_agree_with_the_rule(store: &mut impl OnlineStore, view: &str, seed: u64) {
    let mut model: BTreeMap<String, (Stored, Option<Fields>)> = BTreeMap::new();
    let mut draw = seed;
    let mut below = |n: u64| {
        draw = draw
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (draw >> 33) % n
    };
    let times = [
        i64::MIN,
        -100,
        -99,
        -9,
        -1,
        0,
        1,
        9,
        10,
        11,
        100,
        i64::MAX - 1,
        i64::MAX,
    ];
    let epochs = [
        0,
        1,
        2,
        9,
        10,
        1 << 32,
        (1 << 32) + 1,
        5 << 32,
        u64::MAX - 1,
        u64::MAX,
    ];
    let mut refused = 0;
    for step in 0..400 {
        let mut batch: BTreeMap<String, OnlineRow> = BTreeMap::new();
        for _ in 0..8 {
            let mut time = || times[usize::try_from(below(13)).unwrap()];
            let (event_time, row_time, old) = (time(), time(), time());
            let version = at(event_time, epochs[usize::try_from(below(10)).unwrap()]);
            let replaces = [
                Replaces::Unknown,
                Replaces::Nothing,
                Replaces::Row(old),
                Replaces::Generation,
            ][usize::try_from(below(4)).unwrap()];
            let fields = (below(4) > 0).then(|| value(&step.to_string()));
            let entity = below(40).to_string();
            let row = OnlineRow {
                entity: entity.clone(),
                version,
                row_time,
                replaces,
                fields,
            };
            batch.insert(entity, row);
        }
        let batch: Vec<_> = batch.into_values().collect();
        let mut expected = WriteOutcome::default();
        for row in &batch {
            let stored = model.get(&row.entity).map(|(stored, _)| *stored);
            match row.version.against(row.replaces, stored) {
                Some(version) => {
                    let row_time = row.fields.is_some().then_some(row.row_time);
                    let stored = Stored { version, row_time };
                    model.insert(row.entity.clone(), (stored, row.fields.clone()));
                    expected.written += 1;
                }
                None => expected.refused_as_older += 1,
            }
        }
        refused += expected.refused_as_older;
        assert_eq!(
            store.write(view, None, &batch).unwrap(),
            expected,
            "step {step}, seed {seed}"
        );
    }
    assert!(
        refused > 100,
        "the test refused only {refused} writes: it proves nothing"
    );
    for (entity, (stored, fields)) in model {
        let row = store.get(view, &entity, ANY_TIME).unwrap();
        let found = row.map(|row| (row.version, row.row_time, row.fields));
        let expected = fields.map(|f| (stored.version, stored.row_time.unwrap(), f));
        assert_eq!(found, expected, "entity {entity}, seed {seed}");
    }
}
