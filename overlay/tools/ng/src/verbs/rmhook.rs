//! `ng rmhook`.

use clap::Args;
use netgraph::{Address, HookName, RemoveHook, Transport};
use serde::Serialize;

use super::{hook_name, miscounted, usage};
use crate::explain;
use crate::failure::Result;
use crate::session::Session;

/// Break a link
///
/// Breaks the link of HOOK of the node at PATH, or of ng's own node without PATH. Like ngctl's, it succeeds when there is no
/// such hook; ng says so on standard error.
#[derive(Debug, Args)]
#[command(override_usage = "ng rmhook [PATH] <HOOK>")]
pub struct Rmhook {
    /// The usage line has them by name
    #[arg(hide = true)]
    arguments: Vec<String>,
}

#[derive(Serialize)]
struct Output<'a> {
    path: &'a str,
    hook: &'a str,
    was_there: bool,
}

impl Rmhook {
    /// Finds what is wrong with the arguments.
    pub fn check(&self) -> Result<()> {
        self.ends().map(drop)
    }

    fn ends(&self) -> Result<(Address, HookName)> {
        let (path, hook) = match self.arguments.as_slice() {
            [hook] => (".", hook),
            [path, hook] => (path.as_str(), hook),
            other => return Err(miscounted("rmhook", "[PATH] HOOK", other.len())),
        };
        Ok((path.parse().map_err(usage)?, hook_name(hook)?))
    }

    pub fn run<T: Transport>(&self, session: &mut Session<T>) -> Result<()> {
        let (path, hook) = self.ends()?;
        let absent = explain::absent_hook(&mut session.socket, &path, &hook);
        session.request(&path, &RemoveHook(hook.clone()))?;
        if let Some(absent) = &absent {
            session.note(&format!("nothing to break: {absent}"));
        }
        let output = Output {
            path: path.as_str(),
            hook: hook.as_str(),
            was_there: absent.is_none(),
        };
        session.done("rmhook", &output)
    }
}
