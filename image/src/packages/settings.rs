//! `key = value;` and `key: value` lines, as pkg(8) writes meta.conf and fingerprints: the part of UCL that they use.

use std::collections::BTreeMap;

/// Keys and values in lower-case keys; quotation marks and comments are left out.
pub fn parse(text: &str) -> BTreeMap<String, String> {
    let lines = text.split(['\n', ';']).map(|line| line.split('#').next().unwrap_or(""));
    let pairs = lines.filter_map(|line| line.split_once([':', '=']));
    let clean = |text: &str| text.trim().trim_matches(['"', '\'']).to_string();
    pairs
        .map(|(key, value)| (clean(key).to_ascii_lowercase(), clean(value)))
        .collect()
}

/// Whether this is one name in a folder, and neither the folder itself nor the one above.
pub fn is_file_name(word: &str) -> bool {
    !matches!(word, "" | "." | "..")
        && !word.contains(['/', '\\', '?', '#', '\0'])
        && !word.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn meta_conf_as_pkg_repo_writes_it() {
        let table = parse("version = 2;\npacking_format = \"tzst\";\n# comment\nmanifests = \"packagesite.yaml\";\n");
        assert_eq!(table["version"], "2");
        assert_eq!(table["packing_format"], "tzst");
        assert_eq!(table.len(), 3);
    }

    #[test]
    fn file_names() {
        assert!(is_file_name("a-1.0~b.pkg"));
        for word in ["", ".", "..", "a/b", "a\0", "a?b", "a\n"] {
            assert!(!is_file_name(word), "{word:?}");
        }
    }
}
