//! What a package says of itself: manifests, the scripts in them, versions, fingerprints.
//!
//! Whatever a script says, no line of master.passwd(5) or group(5) may come of it that has another number of fields, and
//! no path may lead out of the root.

use std::cmp::Ordering;

use arbitrary::{Arbitrary, Result, Unstructured};
use ngforge_image::packages::manifest::{self, Manifest};
use ngforge_image::packages::{Accounts, scripts, settings, signature, version};

/// What scripts are made of.
const WORDS: [&str; 24] = [
    "${PW} ",
    "useradd ",
    "groupadd ",
    "groupmod ",
    "usershow ",
    "a ",
    "b ",
    "-u ",
    "-g ",
    "-c ",
    "-d ",
    "-s ",
    "-m ",
    "100 ",
    "0 ",
    "\"",
    "'",
    "$(x)",
    "\n",
    ":",
    ";",
    "a,b ",
    "if ",
    "\\\n",
];

#[derive(Debug, Arbitrary)]
struct Input<'a> {
    words: Vec<u8>,
    odd: &'a str,
    versions: [&'a str; 3],
    json: &'a [u8],
    names: [u8; 2],
}

fn script(words: &[u8], odd: &str) -> String {
    let word = |index: &u8| WORDS.get(usize::from(*index) % 26).copied().unwrap_or(odd);
    words.iter().map(word).collect()
}

fn run(u: &mut Unstructured<'_>) -> Result<()> {
    let input = Input::arbitrary(u)?;
    let text = script(&input.words, input.odd);
    let name = |index: u8| match index {
        0..=127 => "a".to_string(),
        128..=200 => "b".to_string(),
        _ => input.odd.to_string(),
    };
    let manifest = Manifest {
        name: "p".into(),
        version: "1".into(),
        prefix: input.odd.into(),
        users: vec![name(input.names[0])],
        groups: vec![name(input.names[1])],
        scripts: [("pre-install".to_string(), text.clone())].into(),
        lua_scripts: [(
            "post-install".to_string(),
            vec![format!("-- args: {text}\npkg.copy sample")],
        )]
        .into(),
        ..Manifest::default()
    };
    accounts(&manifest);
    fate(&manifest);
    versions(input.versions);
    let _ = Manifest::parse(input.json);
    let _ = manifest::read_data(input.json, &mut |_| Ok(()));
    let _ = (settings::parse(input.odd), signature::fingerprint(input.odd));
    let _ = signature::verify(input.json, input.json, input.odd);
    Ok(())
}

fn accounts(manifest: &Manifest) {
    let mut accounts = Accounts::default();
    accounts.add(manifest);
    let (passwd, group) = ("root:*:0:0::0:0::/root:/bin/sh\n", "wheel:*:0:root\n");
    let texts = accounts.apply(passwd, group);
    assert!(texts.passwd.starts_with(passwd), "{}", texts.passwd);
    assert!(texts.group.starts_with("wheel:*:0:root"), "{}", texts.group);
    for (text, fields) in [(&texts.passwd, 10), (&texts.group, 4)] {
        assert!(text.lines().all(|line| line.split(':').count() == fields), "{text}");
    }
    let zero = |line: &&str| line.split(':').nth(2) == Some("0");
    assert_eq!(texts.passwd.lines().filter(zero).count(), 1, "{}", texts.passwd);
}

fn fate(manifest: &Manifest) {
    let fate = scripts::decide(manifest);
    for (from, to) in &fate.samples {
        for path in [from, to] {
            let parts = path.split(|byte| *byte == b'/');
            assert!(
                parts.clone().all(|part| !matches!(part, b"" | b"." | b"..")),
                "{path:?}"
            );
        }
    }
    assert!(fate.deferred.iter().all(|(_, text)| text.starts_with("#!/bin/sh\n")));
}

/// The order is one: it can be turned round, and passed on.
fn versions([a, b, c]: [&str; 3]) {
    assert_eq!(version::compare(a, b), version::compare(b, a).reverse());
    assert_eq!(version::compare(a, a), Ordering::Equal);
    if version::compare(a, b).is_le() && version::compare(b, c).is_le() {
        assert!(version::compare(a, c).is_le(), "{a} {b} {c}");
    }
}

/// One execution.
pub fn execute(data: &[u8]) {
    // Too little data is no use, and no mistake.
    let _ = run(&mut Unstructured::new(data));
}
