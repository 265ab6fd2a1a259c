//! The connection: made when needed, dropped when it fails, and asked again until a limit.

use std::time::Duration;

use redis::{Client, Connection, ErrorKind, RedisError, ServerErrorKind};

use crate::clock::{Stopwatch, pause};
use crate::online::OnlineError;
use crate::redis::config::RedisConfig;
use crate::redis::script::UPSERT;

/// The first pause between two attempts; each is twice as long as the one before.
const PAUSE_MIN: Duration = Duration::from_millis(10);

/// The longest pause between two attempts.
const PAUSE_MAX: Duration = Duration::from_secs(1);

/// A server with at most one connection to it.
pub(crate) struct Link {
    config: RedisConfig,
    client: Client,
    connection: Option<Connection>,
    /// Requests since the link was made.
    pub(crate) requests: u64,
    /// Requests that were repeated because of an outage.
    pub(crate) retries: u64,
}

/// Why no answer came within the limit.
pub(crate) struct Lost {
    /// The last error, without the address.
    pub(crate) reason: String,
    /// Whether Redis may have acted on a request whose answer was lost.
    pub(crate) outcome_unknown: bool,
    /// How often it was tried.
    pub(crate) attempts: u32,
    /// Whether it was given up at once, because trying again cannot help.
    pub(crate) hopeless: bool,
}

impl Link {
    pub(crate) fn new(config: &RedisConfig) -> Result<Self, OnlineError> {
        let client = Client::open(config.connection()?)
            .map_err(|error| OnlineError::Wrong(format!("{}: {error}", config.address())))?;
        Ok(Self {
            config: config.clone(),
            client,
            connection: None,
            requests: 0,
            retries: 0,
        })
    }

    pub(crate) fn config(&self) -> &RedisConfig {
        &self.config
    }

    /// Asks until it succeeds, until `total_ms` have passed, or until an error that no patience heals.
    ///
    /// The limit is looked at between attempts: the last one may run over by its own timeouts.
    pub(crate) fn ask<T>(
        &mut self,
        total_ms: u64,
        mut request: impl FnMut(&mut Connection) -> Result<T, RedisError>,
    ) -> Result<T, Lost> {
        let total = Duration::from_millis(total_ms);
        let watch = Stopwatch::start();
        let mut next_pause = PAUSE_MIN;
        let mut lost = Lost {
            reason: String::new(),
            outcome_unknown: false,
            attempts: 0,
            hopeless: false,
        };
        let mut script_loads = 0;
        loop {
            lost.attempts = lost.attempts.saturating_add(1);
            let (error, sent) = match self.attempt(&mut request) {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            lost.reason = error.to_string();
            let verdict = verdict(&error);
            lost.outcome_unknown |= sent && !refused_whole(&error);
            match verdict {
                Verdict::Reconnect => self.connection = None,
                Verdict::Wait => {}
                Verdict::LoadScript if script_loads < 3 => {
                    script_loads += 1;
                    if self.load_script().is_ok() {
                        continue;
                    }
                    self.connection = None;
                }
                Verdict::LoadScript | Verdict::Hopeless => {
                    lost.hopeless = true;
                    return Err(lost);
                }
            }
            let Some(rest) = total
                .checked_sub(watch.elapsed())
                .filter(|rest| !rest.is_zero())
            else {
                return Err(lost);
            };
            self.retries = self.retries.saturating_add(1);
            pause(next_pause.min(rest));
            next_pause = (next_pause * 2).min(PAUSE_MAX);
        }
    }

    fn attempt<T>(
        &mut self,
        request: &mut impl FnMut(&mut Connection) -> Result<T, RedisError>,
    ) -> Result<T, (RedisError, bool)> {
        let connection = match &mut self.connection {
            Some(connection) => connection,
            slot => {
                slot.insert(connect(&self.client, &self.config).map_err(|error| (error, false))?)
            }
        };
        self.requests = self.requests.saturating_add(1);
        request(connection).map_err(|error| (error, true))
    }

    fn load_script(&mut self) -> Result<(), RedisError> {
        match &mut self.connection {
            Some(connection) => redis::cmd("SCRIPT")
                .arg("LOAD")
                .arg(UPSERT)
                .exec(connection),
            None => Ok(()),
        }
    }
}

fn connect(client: &Client, config: &RedisConfig) -> Result<Connection, RedisError> {
    let connection = client.get_connection_with_timeout(config.connect_timeout())?;
    connection.set_read_timeout(Some(config.reply_timeout()))?;
    connection.set_write_timeout(Some(config.reply_timeout()))?;
    Ok(connection)
}

/// What to do after an error.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Reconnect,
    Wait,
    LoadScript,
    Hopeless,
}

fn verdict(error: &RedisError) -> Verdict {
    match error.kind() {
        ErrorKind::Io => Verdict::Reconnect,
        // After half an answer the connection is of no use; a new one may be.
        ErrorKind::Parse => Verdict::Reconnect,
        ErrorKind::Server(ServerErrorKind::NoScript) => Verdict::LoadScript,
        ErrorKind::Server(
            ServerErrorKind::BusyLoading | ServerErrorKind::TryAgain | ServerErrorKind::MasterDown,
        ) => Verdict::Wait,
        // A server that was demoted: a new connection may find another one behind the same name.
        ErrorKind::Server(ServerErrorKind::ReadOnly) => Verdict::Reconnect,
        _ => match code_of(error).as_str() {
            "OOM" | "MISCONF" | "BUSY" | "NOREPLICAS" => Verdict::Wait,
            "ERR" if error.to_string().contains("max number of clients") => Verdict::Reconnect,
            _ => Verdict::Hopeless,
        },
    }
}

/// Whether the server refused the request before it looked at it.
fn refused_whole(error: &RedisError) -> bool {
    use ServerErrorKind::{BusyLoading, MasterDown, NoPerm, NoScript, ReadOnly};
    let refused = [BusyLoading, MasterDown, NoPerm, NoScript, ReadOnly];
    refused.map(ErrorKind::Server).contains(&error.kind())
}

/// The server's error code; of a pipeline, that of the first call that failed.
fn code_of(error: &RedisError) -> String {
    let failed = error.clone().into_server_errors();
    let first = failed.as_ref().and_then(|errors| errors.first());
    first
        .map_or(error.code(), |(_, error)| Some(error.code()))
        .unwrap_or_default()
        .to_owned()
}
