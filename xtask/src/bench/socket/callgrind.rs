//! What callgrind has counted: its output format, as far as it is needed here.
//!
//! Code that was loaded by no loader that callgrind knows of belongs to the object `???`. That is the module and, beside
//! it, the jumps that the hosted kernel's loader puts between the module and the kernel. Which functions a call was made
//! to is known; how many calls there were is not, since calls are counted before collection begins, too. But a jump is one
//! instruction.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use anyhow::{Context, Result};

/// The object of code that came from no file.
const UNKNOWN: &str = "???";

/// Instructions that were collected.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Profile {
    /// All of them.
    pub total: u64,
    /// Those of the module, by address.
    pub module: BTreeMap<u64, u64>,
    /// How often the module called a function of the kernel, by its name.
    pub calls: BTreeMap<String, u64>,
}

impl Profile {
    /// Reads callgrind's output, made with `--dump-instr=yes`.
    ///
    /// # Errors
    /// It is not callgrind's.
    pub fn parse(text: &str) -> Result<Self> {
        let mut reader = Reader::default();
        for (number, line) in text.lines().enumerate() {
            reader
                .line(line)
                .with_context(|| format!("line {} of callgrind's output is not understood: {line}", number + 1))?;
        }
        Ok(reader.finish())
    }

    /// The module's instructions.
    pub fn in_module(&self) -> u64 {
        self.module.values().sum()
    }

    /// The module's calls of the kernel.
    pub fn kernel_calls(&self) -> u64 {
        self.calls.values().sum()
    }
}

/// A function in an unknown object.
#[derive(Debug, Default)]
struct Function {
    /// Its own instructions by address.
    costs: BTreeMap<u64, u64>,
    /// Functions of other objects that it called or jumped to.
    callees: BTreeSet<String>,
}

impl Function {
    /// The kernel's function that a jump beside the module leads to.
    fn jump_target(&self) -> Option<&String> {
        self.callees.first().filter(|_| self.costs.len() == 1)
    }
}

/// What the next line of numbers is about.
#[derive(Debug, Default, PartialEq, Eq)]
enum Line {
    /// Instructions of the function itself.
    #[default]
    Own,
    /// Those of a function it called.
    Callee,
}

#[derive(Debug, Default)]
struct Reader {
    /// Names are written out once, by kind and number.
    names: HashMap<(Kind, String), String>,
    object: String,
    function: String,
    callee_object: Option<String>,
    callee: String,
    address: u64,
    next: Line,
    total: u64,
    functions: BTreeMap<String, Function>,
}

/// Objects and functions are numbered separately.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Object,
    Function,
}

impl Reader {
    fn line(&mut self, line: &str) -> Result<()> {
        let first = line.bytes().next().unwrap_or(b' ');
        if first.is_ascii_digit() || b"+-*".contains(&first) {
            return self.numbers(line);
        }
        match line.split_once('=') {
            Some(("ob", name)) => self.object = self.name(Kind::Object, name)?,
            Some(("fn", name)) => self.function = self.name(Kind::Function, name)?,
            Some(("cob", name)) => self.callee_object = Some(self.name(Kind::Object, name)?),
            Some(("cfn", name)) => self.callee = self.name(Kind::Function, name)?,
            Some(("calls", _)) => self.call(),
            // The header and source files.
            _ => {}
        }
        Ok(())
    }

    /// `(number) name`, or `(number)` alone after the first time.
    fn name(&mut self, kind: Kind, text: &str) -> Result<String> {
        let end = text.find(')').context("a name without its number")?;
        let key = (kind, text[..=end].to_owned());
        if let Some(name) = text.get(end + 2..) {
            self.names.insert(key, name.to_owned());
            return Ok(name.to_owned());
        }
        self.names
            .get(&key)
            .cloned()
            .context("a number that stands for no name yet")
    }

    fn call(&mut self) {
        self.next = Line::Callee;
        // Without an object of its own, the function called is in the caller's.
        let object = self.callee_object.take().unwrap_or_else(|| self.object.clone());
        if self.object == UNKNOWN && object != UNKNOWN {
            let function = self.functions.entry(self.function.clone()).or_default();
            function.callees.insert(self.callee.clone());
        }
    }

    /// Address, line of source, instructions.
    fn numbers(&mut self, line: &str) -> Result<()> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [address, _, cost] = words[..] else {
            anyhow::bail!("not three numbers");
        };
        self.address = position(address, self.address).context("the address")?;
        let cost: u64 = cost.parse()?;
        if std::mem::take(&mut self.next) == Line::Callee {
            return Ok(());
        }
        self.total += cost;
        if self.object == UNKNOWN {
            let function = self.functions.entry(self.function.clone()).or_default();
            *function.costs.entry(self.address).or_default() += cost;
        }
        Ok(())
    }

    fn finish(self) -> Profile {
        let mut profile = Profile {
            total: self.total,
            ..Profile::default()
        };
        for function in self.functions.values() {
            let Some(target) = function.jump_target() else {
                for (address, cost) in &function.costs {
                    *profile.module.entry(*address).or_default() += cost;
                }
                continue;
            };
            let jumps: u64 = function.costs.values().sum();
            *profile.calls.entry(target.clone()).or_default() += jumps;
            profile.total -= jumps;
        }
        profile
    }
}

/// A number: hexadecimal or decimal, or relative to the one before.
fn position(text: &str, before: u64) -> Option<u64> {
    let number = |text: &str| match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    };
    match text.as_bytes().first()? {
        b'*' => Some(before),
        b'+' => before.checked_add(number(&text[1..])?),
        b'-' => before.checked_sub(number(&text[1..])?),
        _ => number(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The program calls the module, which calls malloc by a jump, and a function of its own.
    const OUTPUT: &str = "\
version: 1
positions: instr line
events: Ir
summary: 999

ob=(1) /bin/sockbench
fl=(1) main.rs
fn=(1) measured_operation
0x1000 7 10
cob=(2) ???
cfi=(2) ???
cfn=(2) 0x0000000004840340
calls=42 0x4840340 0
+5 * 700

ob=(2)
fl=(2)
fn=(2)
0x4840340 0 20
+4 * 20
cfn=(3) 0x0000000004841000
calls=30 0x4841000 0
+2 0 500
cfn=(4) 0x0000000004840400
calls=30 0x4840400 0
* 0 60

fn=(4)
0x4840400 0 6

fn=(3)
0x4841000 0 10
cob=(1)
cfi=(1)
cfn=(5) hostkern_malloc
calls=30 0x2000 9
* 0 450

ob=(1)
fl=(1)
fn=(5)
0x2000 9 450
";

    #[test]
    fn instructions_are_attributed() {
        let profile = Profile::parse(OUTPUT).unwrap();
        let module = [(0x484_0340, 20), (0x484_0344, 20), (0x484_0400, 6)];
        assert_eq!(profile.module, BTreeMap::from(module));
        assert_eq!(profile.in_module(), 46);
        assert_eq!(profile.calls, BTreeMap::from([("hostkern_malloc".to_owned(), 10)]));
        assert_eq!(profile.kernel_calls(), 10);
        // All but the ten jumps, which FreeBSD has not.
        assert_eq!(profile.total, 10 + 46 + 450);
    }

    #[test]
    fn positions_are_relative_or_not() {
        let cases = [
            ("0x10", 16),
            ("12", 12),
            ("+0x2", 102),
            ("+2", 102),
            ("-3", 97),
            ("*", 100),
        ];
        for (text, expected) in cases {
            assert_eq!(position(text, 100), Some(expected), "{text}");
        }
        for wrong in ["-101", "+", "x", ""] {
            assert_eq!(position(wrong, 100), None, "{wrong}");
        }
    }

    #[test]
    fn what_is_not_understood_is_named() {
        for (output, hint) in [
            ("0x10 5", "line 1"),
            ("\n0x10 5 y", "line 2"),
            ("fn=(7)", "stands for no name"),
        ] {
            let error = format!("{:#}", Profile::parse(output).unwrap_err());
            assert!(error.contains(hint), "{error}");
        }
    }
}
