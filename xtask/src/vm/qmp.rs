//! QEMU's machine protocol: one JSON object per line over a Unix socket.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

/// QEMU answers at once or not at all.
const PATIENCE: Duration = Duration::from_secs(10);

/// A connection on which commands can be given.
#[derive(Debug)]
pub struct Qmp {
    reader: BufReader<UnixStream>,
}

impl Qmp {
    /// Connects and leaves the negotiation mode that QEMU greets with.
    ///
    /// # Errors
    /// There is no such socket yet, or the other end is not QEMU.
    pub fn connect(socket: &Path) -> Result<Self> {
        let stream = UnixStream::connect(socket).context("could not reach QEMU's control socket")?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let mut qmp = Self {
            reader: BufReader::new(stream),
        };
        let greeting = qmp.line()?;
        if greeting.get("QMP").is_none() {
            bail!("QEMU's control socket greets with `{greeting}` instead of QMP");
        }
        qmp.execute("qmp_capabilities", &json!({}))?;
        Ok(qmp)
    }

    /// Gives a command and returns its result.
    ///
    /// # Errors
    /// QEMU refuses the command, or does not answer.
    pub fn execute(&mut self, command: &str, arguments: &Value) -> Result<Value> {
        let request = json!({ "execute": command, "arguments": arguments }).to_string() + "\n";
        // In one piece: QEMU obeys at the last brace, and may have ended before a line feed that comes after it.
        let sent = self.reader.get_mut().write_all(request.as_bytes());
        sent.with_context(|| format!("could not send `{command}` to QEMU"))?;
        loop {
            let mut answer = self.line()?;
            if let Some(error) = answer.get("error") {
                bail!("QEMU refuses `{command}`: {}", error["desc"]);
            }
            if let Some(result) = answer.get_mut("return") {
                return Ok(result.take());
            }
        }
    }

    /// Gives a command of the human monitor and returns its text.
    ///
    /// # Errors
    /// As [`Qmp::execute`].
    pub fn monitor(&mut self, command: &str) -> Result<String> {
        let result = self.execute("human-monitor-command", &json!({ "command-line": command }))?;
        Ok(result.as_str().unwrap_or_default().to_owned())
    }

    /// The loopback port that QEMU forwards to the guest's port 22.
    ///
    /// # Errors
    /// QEMU forwards none.
    pub fn forwarded_ssh_port(&mut self) -> Result<u16> {
        let table = self.monitor("info usernet")?;
        match ssh_port_in(&table) {
            Some(port) => Ok(port),
            None => bail!("QEMU forwards no port to the guest's SSH; `info usernet` says:\n{table}"),
        }
    }

    fn line(&mut self) -> Result<Value> {
        let mut line = String::new();
        let read = self.reader.read_line(&mut line).context("QEMU does not answer")?;
        if read == 0 {
            bail!("QEMU closed its control socket");
        }
        serde_json::from_str(&line).with_context(|| format!("QEMU answers with `{}`, not JSON", line.trim()))
    }
}

/// Finds `TCP[HOST_FORWARD] fd 127.0.0.1 PORT guest 22 ...`.
fn ssh_port_in(table: &str) -> Option<u16> {
    let rows = table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let mut forwards = rows.filter(|row| row.first() == Some(&"TCP[HOST_FORWARD]") && row.get(5) == Some(&"22"));
    forwards.next()?.get(3)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use super::*;

    #[test]
    fn the_forwarded_port_is_read_from_the_table() {
        let table = "Hub -1 (n0):\r\n  Protocol[State]    FD  Source Address  Port   Dest. Address  Port RecvQ SendQ\r\n  \
                     TCP[HOST_FORWARD]   8       127.0.0.1 36419       10.0.2.15    22     0     0\r\n";
        assert_eq!(ssh_port_in(table), Some(36419));
        assert_eq!(ssh_port_in("Hub -1 (n0):\r\n"), None);
    }

    /// A stand-in for QEMU that says `lines`, one per line it is sent.
    fn fake(lines: &'static [&'static str]) -> (tempfile::TempDir, std::path::PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("qmp");
        let listener = UnixListener::bind(&path).unwrap();
        std::thread::spawn(move || {
            let (stream, _) = listener.accept().unwrap();
            let mut reader = BufReader::new(stream);
            for line in lines {
                writeln!(reader.get_mut(), "{line}").unwrap();
                let mut request = String::new();
                reader.read_line(&mut request).unwrap();
            }
        });
        (dir, path)
    }

    #[test]
    fn events_between_request_and_answer_are_passed_over() {
        let (_dir, path) = fake(&[
            r#"{"QMP": {}}"#,
            r#"{"return": {}}"#,
            "{\"event\": \"RESUME\"}\n{\"return\": \"text\"}",
        ]);
        let mut qmp = Qmp::connect(&path).unwrap();
        assert_eq!(qmp.monitor("info usernet").unwrap(), "text");
    }

    #[test]
    fn refusals_and_strangers_are_reported() {
        let (_dir, path) = fake(&[r#"{"QMP": {}}"#, r#"{"error": {"desc": "no such thing"}}"#]);
        let error = Qmp::connect(&path).unwrap_err().to_string();
        assert!(error.contains("no such thing"), "{error}");
        let (_dir, path) = fake(&["SSH-2.0-OpenSSH"]);
        let error = Qmp::connect(&path).unwrap_err().to_string();
        assert!(error.contains("not JSON"), "{error}");
    }
}
