//! Which function of a module an address belongs to, when the hosted kernel has loaded it.

use std::collections::{BTreeMap, HashMap};

use anyhow::{Context, Result};
use object::{Object, ObjectSection, ObjectSymbol, SectionFlags, SymbolKind, elf};

/// The functions of a module by their offset from the beginning of its code.
#[derive(Debug)]
pub struct Functions(BTreeMap<u64, String>);

impl Functions {
    /// Reads a module. Its sections of code lie one behind the other, as the hosted kernel's loader puts them.
    ///
    /// # Errors
    /// It is no ELF file.
    pub fn of(module: &[u8]) -> Result<Self> {
        let file = object::File::parse(module).context("the module is no ELF file")?;
        let mut starts = HashMap::new();
        let mut end = 0u64;
        for section in file.sections().filter(is_code) {
            let start = end.next_multiple_of(section.align().max(1));
            starts.insert(section.index(), start);
            end = start + section.size();
        }
        let functions = file.symbols().filter(|symbol| symbol.kind() == SymbolKind::Text);
        let place = |symbol: object::Symbol<'_, '_>| {
            let start = starts.get(&symbol.section_index()?)?;
            Some((start + symbol.address(), plain(symbol.name().ok()?)))
        };
        Ok(Self(functions.filter_map(place).collect()))
    }

    /// Sums costs by address up by function, the dearest first.
    pub fn sum(&self, base: u64, costs: &BTreeMap<u64, u64>) -> Vec<(&str, u64)> {
        let mut sums: BTreeMap<&str, u64> = BTreeMap::new();
        for (address, cost) in costs {
            let offset = address.wrapping_sub(base);
            let function = self.0.range(..=offset).next_back();
            *sums.entry(function.map_or("?", |(_, name)| name)).or_default() += cost;
        }
        let mut sums: Vec<_> = sums.into_iter().collect();
        sums.sort_by_key(|(_, cost)| std::cmp::Reverse(*cost));
        sums
    }
}

/// Whether the processor is to execute what is in the section.
fn is_code<'file>(section: &impl ObjectSection<'file>) -> bool {
    let code = elf::SHF_ALLOC | elf::SHF_EXECINSTR;
    matches!(section.flags(), SectionFlags::Elf { sh_flags, .. } if sh_flags & code == code)
}

/// A name as its author wrote it.
fn plain(name: &str) -> String {
    format!("{:#}", rustc_demangle::demangle(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn costs_belong_to_the_function_before_them() {
        let functions = Functions(BTreeMap::from([(0, "send".to_owned()), (0x40, "receive".to_owned())]));
        let costs = BTreeMap::from([(0x1000, 5), (0x103f, 6), (0x1040, 100)]);
        assert_eq!(functions.sum(0x1000, &costs), [("receive", 100), ("send", 11)]);
    }

    #[test]
    fn rust_names_are_readable() {
        assert_eq!(plain("ngs_rcvdata"), "ngs_rcvdata");
        assert_eq!(plain("_RNvCs1234_7mycrate3foo"), "mycrate::foo");
    }

    #[test]
    fn other_files_are_refused() {
        assert!(Functions::of(b"no module").is_err());
    }
}
