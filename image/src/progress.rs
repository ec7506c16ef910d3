//! How a build tells what it is doing, without printing anything itself.

/// Receives what a build is doing. Called from several threads.
pub trait Progress: Sync {
    /// A task begins; `total` is in bytes, if known. The task is over when the returned value is dropped.
    fn begin(&self, task: &str, total: Option<u64>) -> Box<dyn Task + '_>;
    /// Something worth a line: what was skipped, what was found in the cache.
    fn note(&self, line: &str);
    /// A task that need not be done, since the cache has its result.
    fn cached(&self, task: &str) {
        self.note(&format!("{task}: in the cache"));
    }
}

/// One running task.
pub trait Task: Send + Sync {
    /// So many bytes more are done.
    fn advance(&self, bytes: u64);
}

/// Says nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {
    fn begin(&self, _: &str, _: Option<u64>) -> Box<dyn Task + '_> {
        Box::new(*self)
    }

    fn note(&self, _: &str) {}
}

impl Task for Silent {
    fn advance(&self, _: u64) {}
}
