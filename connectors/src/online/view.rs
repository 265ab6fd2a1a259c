//! A declared view: its name, which entity a row belongs to, its event time or that it has none, how long it lives.

use std::sync::Arc;
use std::time::Duration;

use thalweg_engine::column::Column;
use thalweg_engine::key::tag_bytes;
use thalweg_engine::time::EventTime;

/// The event time of all rows of a view by epoch: the same, so that epochs alone tell them apart.
const NO_TIME: EventTime = 0;

type KeyOf<D> = Arc<dyn Fn(&D) -> String + Send + Sync>;
type EventTimeOf<D> = Arc<dyn Fn(&D) -> EventTime + Send + Sync>;

/// What a sink writes to an online store. The table behind it holds at most one row per key.
///
/// The fields come from serde: see [`fields_of`](crate::online::fields_of).
pub struct View<D> {
    name: String,
    key: Option<KeyOf<D>>,
    version: Option<VersionOf<D>>,
    ttl: Option<Duration>,
}

/// What tells the newer of two rows of an entity.
enum VersionOf<D> {
    EventTime(EventTimeOf<D>),
    Epoch,
}

impl<D> Clone for VersionOf<D> {
    fn clone(&self) -> Self {
        match self {
            Self::EventTime(at) => Self::EventTime(Arc::clone(at)),
            Self::Epoch => Self::Epoch,
        }
    }
}

impl<D> Clone for View<D> {
    fn clone(&self) -> Self {
        Self {
            name: self.name.clone(),
            key: self.key.clone(),
            version: self.version.clone(),
            ttl: self.ttl,
        }
    }
}

impl<D> View<D> {
    /// A view with this name: letters, digits, `_`, `.` and `-`.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            key: None,
            version: None,
            ttl: None,
        }
    }

    /// Says which entity a row belongs to. Two keys must never share a text.
    #[must_use]
    pub fn key(mut self, key: impl Fn(&D) -> String + Send + Sync + 'static) -> Self {
        self.key = Some(Arc::new(key));
        self
    }

    /// Says where the event time stands, in µs since 1970 UTC: a row with an older one replaces a newer only where the table
    /// says so, whose newer row was taken back. A view has one sink in a job: of two, neither knows what the other's table
    /// says.
    #[must_use]
    pub fn version(mut self, at: impl Fn(&D) -> EventTime + Send + Sync + 'static) -> Self {
        self.version = Some(VersionOf::EventTime(Arc::new(at)));
        self
    }

    /// Says that rows have no event time, as those of graph features, of lifetime aggregates and of fitted transforms:
    /// the row of the later epoch stands, and that of a later run before that of any earlier one.
    ///
    /// So two jobs must not write such a view at once: nothing says whose row is the newer, and that of the run that
    /// began later stands. It takes no TTL, for rows have no time to count from; [`StoredRow::row_time`] is 0.
    ///
    /// ```
    /// use thalweg_connectors::online::View;
    ///
    /// #[derive(serde::Serialize)]
    /// struct Risk { user: u64, connected_flagged_accounts: u64 }
    ///
    /// let view = View::new("risk").key(|row: &Risk| row.user.to_string()).by_epoch();
    /// assert!(view.check().is_ok());
    /// ```
    ///
    /// [`StoredRow::row_time`]: crate::online::StoredRow::row_time
    #[must_use]
    pub fn by_epoch(mut self) -> Self {
        self.version = Some(VersionOf::Epoch);
        self
    }

    /// How long a row lives. Each store says what it counts from: the embedded one from the row's event time,
    /// Redis from the moment of the last write. Without this call rows live until they are deleted.
    #[must_use]
    pub fn ttl(mut self, ttl: Duration) -> Self {
        self.ttl = Some(ttl);
        self
    }

    /// The view's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether the declaration is whole; a sink asks before anything runs.
    ///
    /// # Errors
    /// [`ViewError`] for a bad name, a missing key or version, a TTL below 1 ms, or one of rows without an event time.
    ///
    /// ```
    /// use thalweg_connectors::online::{View, ViewError};
    /// let view = View::<u64>::new("spend/user");
    /// assert_eq!(view.check(), Err(ViewError::Name { name: "spend/user".into(), character: '/' }));
    /// ```
    pub fn check(&self) -> Result<(), ViewError> {
        self.declared().map(|_| ())
    }

    pub(crate) fn declared(&self) -> Result<Declared<D>, ViewError> {
        check_name(&self.name)?;
        let name = self.name.clone();
        if let Some(ttl) = self.ttl.filter(|ttl| ttl.as_millis() == 0) {
            return Err(ViewError::Ttl { name, ttl });
        }
        let key = self
            .key
            .clone()
            .ok_or_else(|| ViewError::NoKey { name: name.clone() })?;
        let version = self
            .version
            .clone()
            .ok_or_else(|| ViewError::NoVersion { name: name.clone() })?;
        let event_time: EventTimeOf<D> = match (version, self.ttl) {
            (VersionOf::EventTime(at), _) => at,
            (VersionOf::Epoch, None) => Arc::new(|_| NO_TIME),
            (VersionOf::Epoch, Some(ttl)) => return Err(ViewError::TtlWithoutTime { name, ttl }),
        };
        Ok(Declared {
            name,
            key,
            event_time,
            ttl: self.ttl,
        })
    }
}

impl<D: 'static> View<D> {
    /// By what rows are dealt to writers: by their entity.
    pub(crate) fn dealt_by(&self) -> Option<Column<D, u64>> {
        let key = Arc::clone(self.key.as_ref()?);
        Some(Column::new(move |row| tag_bytes(key(row).as_bytes())))
    }
}

/// A view that was checked.
pub(crate) struct Declared<D> {
    pub(crate) name: String,
    pub(crate) key: KeyOf<D>,
    pub(crate) event_time: EventTimeOf<D>,
    pub(crate) ttl: Option<Duration>,
}

/// Refuses names that could be mistaken for another view's keys.
pub(crate) fn check_name(name: &str) -> Result<(), ViewError> {
    if name.is_empty() {
        return Err(ViewError::EmptyName);
    }
    let allowed = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    match name.chars().find(|c| !allowed(c)) {
        Some(character) => Err(ViewError::Name {
            name: name.to_owned(),
            character,
        }),
        None => Ok(()),
    }
}

/// What is wrong with the declaration of a view.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ViewError {
    /// No name.
    #[error("a view needs a name, got an empty one")]
    EmptyName,
    /// A name with a character that keys and table names cannot hold safely.
    #[error("view name {name:?} holds {character:?}; use letters, digits, '_', '.' and '-' only")]
    Name {
        /// The name.
        name: String,
        /// The first character that is not allowed.
        character: char,
    },
    /// No key.
    #[error("view {name:?} does not say which entity a row belongs to; call .key(|row| …)")]
    NoKey {
        /// The view.
        name: String,
    },
    /// No version.
    #[error(
        "view {name:?} does not say where the event time stands; call .version(|row| …), or .by_epoch() where rows have none"
    )]
    NoVersion {
        /// The view.
        name: String,
    },
    /// A TTL that no store can keep.
    #[error("view {name:?} has a time to live of {ttl:?}; it must be at least 1 ms")]
    Ttl {
        /// The view.
        name: String,
        /// The time to live asked for.
        ttl: Duration,
    },
    /// A TTL of rows that have no time to count it from.
    #[error(
        "view {name:?} has a time to live of {ttl:?}, but its rows have no event time to count from; call .version(|row| …) in place of .by_epoch(), or leave .ttl(…) out"
    )]
    TtlWithoutTime {
        /// The view.
        name: String,
        /// The time to live asked for.
        ttl: Duration,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_view_is_refused_until_it_is_whole() {
        let view = View::<u64>::new("spend.by-user_1");
        assert!(matches!(view.check(), Err(ViewError::NoKey { .. })));
        let view = view.key(u64::to_string);
        assert!(matches!(view.check(), Err(ViewError::NoVersion { .. })));
        let view = view.version(|_| 0);
        assert_eq!(view.check(), Ok(()));
        assert!(matches!(
            view.ttl(Duration::ZERO).check(),
            Err(ViewError::Ttl { .. })
        ));
        let view = View::<u64>::new("risk").key(u64::to_string).by_epoch();
        assert_eq!(view.check(), Ok(()));
        assert_eq!(
            view.clone().ttl(Duration::from_secs(1)).check(),
            Err(ViewError::TtlWithoutTime {
                name: "risk".into(),
                ttl: Duration::from_secs(1)
            })
        );
        let timed = view.version(|_| 7).ttl(Duration::from_secs(1));
        assert_eq!(timed.check(), Ok(()), "the last word counts");
        assert_eq!(View::<u64>::new("").check(), Err(ViewError::EmptyName));
        for name in ["a:b", "a b", "ä", "a/b", "a*"] {
            assert!(
                matches!(View::<u64>::new(name).check(), Err(ViewError::Name { .. })),
                "{name}"
            );
        }
    }
}
