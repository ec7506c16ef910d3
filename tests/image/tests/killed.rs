//! Builds that are killed at any moment: what stands under a final name is whole, and the next build succeeds.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fs;
use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use image_tests::fixture::{Fixture, names};
use ngforge_image::hash;
use ngforge_image::manifest::Manifest;

/// Builds in a process of its own.
const GENERATION: &str = env!("CARGO_BIN_EXE_generation");
const KILLS: usize = 30;
/// A build that takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(120);

/// Two images that are built in turns, and the sums of all that belongs to each.
struct Drill {
    fixture: Fixture,
    sums: [BTreeMap<String, String>; 2],
    /// What the longest of the first builds took.
    usual: Duration,
}

impl Drill {
    fn prepare() -> Self {
        let fixture = Fixture::small();
        let mut drill = Self {
            fixture,
            sums: Default::default(),
            usual: Duration::ZERO,
        };
        for generation in [0, 1] {
            let folder = drill.fixture.at(&format!("rootfs-{generation}/etc"));
            fs::create_dir_all(&folder).unwrap();
            let text = format!("{generation}").repeat(1 + generation * 3_000_000);
            fs::write(folder.join("text"), text).unwrap();
            drill.forget("out");
            let since = Instant::now();
            drill.complete(generation);
            drill.usual = drill.usual.max(since.elapsed());
            drill.sums[generation] = sums(&drill.fixture.at("out"));
        }
        drill
    }

    fn forget(&self, name: &str) {
        let _ = fs::remove_dir_all(self.fixture.at(name));
    }

    fn start(&self, generation: usize) -> Child {
        let mut command = Command::new(GENERATION);
        command.arg(self.fixture.folder.path()).arg(generation.to_string());
        command.spawn().unwrap()
    }

    fn complete(&self, generation: usize) {
        let mut child = self.start(generation);
        let deadline = Instant::now() + PATIENCE;
        loop {
            match child.try_wait().unwrap() {
                Some(status) => return assert!(status.success(), "the build after a kill: {status}"),
                None if Instant::now() > deadline => {
                    child.kill().unwrap();
                    panic!("a build hangs");
                }
                None => std::thread::sleep(Duration::from_millis(2)),
            }
        }
    }

    /// Each file is the one of either image, and a manifest vouches for nothing but what is there.
    fn check(&self, when: &str) {
        let out = self.fixture.at("out");
        for (name, sum) in sums(&out) {
            let known = self.sums.iter().any(|sums| sums.get(&name) == Some(&sum));
            assert!(known, "{name} is of neither image, {when}");
        }
        let Ok(text) = fs::read(out.join("test.json")) else {
            return;
        };
        let manifest: Manifest = serde_json::from_slice(&text).unwrap();
        for file in manifest.files.iter().chain(&manifest.accounts) {
            let found = hash::of_file(&out.join(&file.path)).unwrap();
            assert_eq!(found, file.sha256, "{:?}, {when}", file.path);
        }
    }
}

/// SHA-256 of each file with a final name.
fn sums(out: &Path) -> BTreeMap<String, String> {
    let finals = names(out).into_iter().filter(|name| !name.starts_with('.'));
    finals
        .map(|name| (name.clone(), hash::of_file(&out.join(name)).unwrap()))
        .collect()
}

/// Numbers from a seed: the one in NGFORGE_SEED, or always the same.
struct Dice(u64);

impl Dice {
    fn new() -> Self {
        let seed = env::var("NGFORGE_SEED")
            .ok()
            .and_then(|text| text.parse().ok())
            .unwrap_or(6);
        eprintln!("NGFORGE_SEED={seed}");
        Self(seed ^ 0x9e37_79b9_7f4a_7c15)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit.max(1)
    }
}

#[test]
fn thirty_killed_builds_leave_nothing_broken() {
    let drill = Drill::prepare();
    let mut dice = Dice::new();
    let mut killed = 0;
    let mut round = 0;
    let mut left: BTreeSet<usize> = BTreeSet::new();
    while killed < KILLS {
        round += 1;
        assert!(round < 10 * KILLS, "builds end before they can be killed");
        let generation = round % 2;
        if dice.below(3) == 0 {
            drill.forget("cache");
        }
        if dice.below(5) == 0 {
            drill.forget("out");
        }
        let mut child = drill.start(generation);
        let moment = Duration::from_micros(dice.below(drill.usual.as_micros() as u64));
        std::thread::sleep(moment);
        let ended = child.try_wait().unwrap().is_some();
        child.kill().unwrap();
        child.wait().unwrap();
        killed += usize::from(!ended);
        let when = format!("round {round}, killed after {moment:?}");
        drill.check(&when);
        left.insert(names(&drill.fixture.at("out")).len());
        drill.complete(generation);
        drill.check(&format!("{when}, built again"));
        assert_eq!(sums(&drill.fixture.at("out")), drill.sums[generation], "{when}");
        let parts = names(&drill.fixture.at("out"))
            .into_iter()
            .filter(|name| name.ends_with(".part"));
        assert_eq!(parts.collect::<Vec<_>>(), [""; 0], "{when}");
    }
    assert!(left.len() > 1, "the moments all looked the same: {left:?}");
}
