//! What to do when a hosted kernel cannot be reached.

use std::path::Path;

use netgraph::Errno;

use crate::failure::Failure;

/// Adds what the path has to do with it.
pub fn explain(failure: Failure, path: &Path) -> Failure {
    let Failure::Netgraph { error, hints } = failure else {
        return failure;
    };
    let own = error.errno().and_then(|errno| hint(errno, &path.display().to_string()));
    let hints = own.map_or(hints, |hint| vec![hint]);
    Failure::Netgraph { error, hints }
}

fn hint(errno: Errno, path: &str) -> Option<String> {
    match errno {
        Errno::ECONNREFUSED => Some(format!(
            "no hosted kernel is served at {path}; `hostkernd --socket {path}` starts one"
        )),
        Errno::ECONNRESET => Some(format!(
            "the hosted kernel at {path} went away, and the graph with it; hostkernd's standard error says why"
        )),
        Errno::EACCES => Some(format!("{path} is for the user who started hostkernd")),
        Errno::EPROTO => Some(format!("the hostkernd at {path} is of another version than this ng")),
        _ => None,
    }
}
