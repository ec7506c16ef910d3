//! The programs that the commands run: what each is needed for, and how to get it.
//!
//! One table serves two purposes: `doctor` shows all of it, and [`need`] looks one program up just before it is run.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

mod table;

use table::FILES;
pub use table::TOOLS;

/// A program that some command runs.
#[derive(Debug, Clone, Copy)]
pub struct Tool {
    /// Its name, as it is run.
    pub name: &'static str,
    /// Completes "it is needed to …".
    pub purpose: &'static str,
    /// Who cannot do without it.
    pub importance: Importance,
    /// The argument that makes it tell its version.
    pub version: &'static str,
    /// The oldest version that will do, its first two numbers.
    pub minimum: Option<(u32, u32)>,
    /// The package that has it, by system.
    pub packages: Packages,
}

/// Who cannot do without a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Importance {
    /// The main job: build an image, boot it, prove it.
    MainJob,
    /// The tests of ngforge itself.
    Tests,
    /// Nobody; something is better with it.
    Comfort,
}

impl Importance {
    /// The heading of a list of such things.
    pub fn heading(self) -> &'static str {
        match self {
            Self::MainJob => "Needed to build, boot and prove an image",
            Self::Tests => "Needed by the tests of ngforge",
            Self::Comfort => "Good to have",
        }
    }
}

/// The names of a package.
#[derive(Debug, Clone, Copy)]
pub struct Packages {
    /// Debian, Ubuntu and their kin.
    pub debian: &'static str,
    /// Fedora and its kin.
    pub fedora: &'static str,
    /// Arch and its kin.
    pub arch: &'static str,
    /// FreeBSD's packages.
    pub freebsd: &'static str,
}

/// The program, or what is missing, what for, and how to get it.
///
/// # Errors
/// It is not installed.
pub fn need(name: &str) -> Result<PathBuf> {
    match find(name) {
        Some(path) => Ok(path),
        None => bail!("{}", missing(name)),
    }
}

/// The message about a program that is not there.
pub fn missing(name: &str) -> String {
    let purpose = TOOLS
        .iter()
        .find(|tool| tool.name == name)
        .map_or("go on", |tool| tool.purpose);
    format!(
        "could not find {name}, which is needed to {purpose}\nhint: install it with `{}`",
        install_command(name)
    )
}

/// Where a program is: in the search path or in the folders for administrators, which users often lack.
pub fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let administrators = ["/usr/local/sbin", "/usr/sbin", "/sbin"].map(PathBuf::from);
    find_in(name, std::env::split_paths(&path).chain(administrators))
}

fn find_in(name: &str, folders: impl Iterator<Item = PathBuf>) -> Option<PathBuf> {
    folders.map(|folder| folder.join(name)).find(|file| is_executable(file))
}

fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

/// Families of systems that name and install packages alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    Debian,
    Fedora,
    Arch,
    FreeBsd,
}

/// The command that installs a program here.
pub fn install_command(name: &str) -> String {
    let release = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
    install_command_on(family(&release), name)
}

fn install_command_on(family: Family, name: &str) -> String {
    let tools = TOOLS.iter().map(|tool| (tool.name, tool.packages));
    let found = tools.chain(FILES.iter().copied()).find(|(known, _)| *known == name);
    let package = |pick: fn(&Packages) -> &'static str| found.map_or(name, |(_, packages)| pick(&packages));
    match family {
        Family::Debian => match package(|packages| packages.debian) {
            bracketed if bracketed.starts_with('(') => bracketed.trim_matches(['(', ')']).to_owned(),
            package => format!("apt-get install {package}"),
        },
        Family::Fedora => format!("dnf install {}", package(|packages| packages.fedora)),
        Family::Arch => format!("pacman -S {}", package(|packages| packages.arch)),
        Family::FreeBsd => format!("pkg install {}", package(|packages| packages.freebsd)),
    }
}

/// Reads os-release; what is unknown is taken for Debian.
fn family(release: &str) -> Family {
    let mut words = release
        .lines()
        .filter_map(|line| line.strip_prefix("ID=").or_else(|| line.strip_prefix("ID_LIKE=")))
        .flat_map(|value| value.trim_matches('"').split_whitespace());
    let known = words.find_map(|word| match word {
        "debian" | "ubuntu" => Some(Family::Debian),
        "fedora" | "rhel" => Some(Family::Fedora),
        "arch" => Some(Family::Arch),
        "freebsd" => Some(Family::FreeBsd),
        _ => None,
    });
    known.unwrap_or(Family::Debian)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_program_is_reported_with_purpose_and_remedy() {
        let message = missing("qemu-system-x86_64");
        assert!(
            message.starts_with("could not find qemu-system-x86_64, which is needed to boot the image"),
            "{message}"
        );
        assert!(message.contains("hint: install it with `"), "{message}");
        assert!(need("no-such-program-anywhere").is_err());
    }

    #[test]
    fn each_system_has_its_command() {
        let cases = [
            ("ID=debian\n", "apt-get install qemu-utils"),
            (
                "NAME=x\nID=linuxmint\nID_LIKE=\"ubuntu debian\"\n",
                "apt-get install qemu-utils",
            ),
            ("ID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"\n", "dnf install qemu-img"),
            ("ID=arch\n", "pacman -S qemu-img"),
            ("ID=freebsd\n", "pkg install qemu-tools"),
            ("", "apt-get install qemu-utils"),
        ];
        for (release, expected) in cases {
            assert_eq!(install_command_on(family(release), "qemu-img"), expected, "{release}");
        }
        assert_eq!(
            install_command_on(Family::Debian, "cargo-nextest"),
            "cargo install cargo-nextest"
        );
        assert_eq!(install_command_on(Family::Fedora, "ovmf"), "dnf install edk2-ovmf");
    }

    #[test]
    fn only_executable_files_count() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("thing");
        std::fs::write(&file, "").unwrap();
        let folders = || [dir.path().to_owned()].into_iter();
        assert_eq!(find_in("thing", folders()), None);
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(find_in("thing", folders()), Some(file));
    }

    #[test]
    fn names_in_the_table_are_unique() {
        let mut names: Vec<_> = TOOLS.iter().map(|tool| tool.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), TOOLS.len());
    }
}
