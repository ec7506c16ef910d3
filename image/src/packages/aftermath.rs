//! What installed packages leave to do: accounts, configuration files from samples, scripts for the appliance to run.

use super::accounts::Accounts;
use super::scripts::{self, Fate};
use super::unpack::Package;
use crate::build::{Addition, AdditionBody};
use crate::progress::Progress;

/// Where the appliance finds the scripts of packages.
pub const SCRIPTS: &str = "usr/local/libexec/ngforge/firstboot.d";
/// Where the manifests of packages are kept: `+MANIFEST` as pkg(8) would have kept it in its database.
pub const MANIFESTS: &str = "usr/local/share/ngforge/packages";
/// What runs the scripts.
const SERVICE: &str = "etc/rc.d/ngforge_packages";

/// Everything that follows from the manifests of the packages.
#[derive(Debug, Default)]
pub struct Aftermath {
    /// Accounts to add.
    pub accounts: Accounts,
    /// Samples and the files to make of them where there is none, relative to the root.
    pub samples: Vec<(Vec<u8>, Vec<u8>)>,
    /// Manifests, scripts and the service that runs them.
    pub additions: Vec<Addition>,
}

impl Aftermath {
    /// What follows from `packages`, in their order; tells `progress` what will not have been done in the image.
    pub fn of(packages: &[Package], progress: &dyn Progress) -> Self {
        let mut all = Self::default();
        for (package, number) in packages.iter().zip(1..) {
            all.accounts.add(&package.manifest);
            let name = package.manifest.full_name();
            let fate = scripts::decide(&package.manifest);
            let path = format!("{MANIFESTS}/{name}.json");
            all.additions
                .push(Addition::new(&path, 0o644, AdditionBody::Bytes(package.text.clone())));
            all.scripts(&name, number, &fate, progress);
            all.samples.extend(fate.samples);
        }
        if all
            .additions
            .iter()
            .any(|addition| addition.path.starts_with(SCRIPTS.as_bytes()))
        {
            let text = service().into_bytes();
            all.additions
                .push(Addition::new(SERVICE, 0o555, AdditionBody::Bytes(text)));
        }
        all
    }

    fn scripts(&mut self, name: &str, number: usize, fate: &Fate, progress: &dyn Progress) {
        for ((moment, text), step) in fate.deferred.iter().zip(1..) {
            let file = format!("{number:04}-{step}-{name}-{moment}.sh");
            progress.note(&format!(
                "{name}: its {moment} script runs when the appliance boots: /{SCRIPTS}/{file}"
            ));
            let body = AdditionBody::Bytes(text.clone().into_bytes());
            self.additions
                .push(Addition::new(&format!("{SCRIPTS}/{file}"), 0o555, body));
        }
        for script in &fate.dropped {
            progress.note(&format!(
                "{name}: a Lua script is not run ({script}); do by hand what it does, if it matters"
            ));
        }
    }
}

/// The service: each script runs once in the life of /var. With /var in memory, that is at every boot, as it must be,
/// since what the script did in /etc and /var is gone by then; elsewhere, a read-only root lets it do nothing.
fn service() -> String {
    format!(
        r#"#!/bin/sh
#
# Runs the scripts of packages that were installed while the image was built: each one once in the life of /var.
# What they change in /etc and /var lasts as long as those do; the root may be read-only, and then they fail there.

# PROVIDE: ngforge_packages
# REQUIRE: FILESYSTEMS ldconfig
# BEFORE: DAEMON
# KEYWORD: nojail

. /etc/rc.subr

name="ngforge_packages"
desc="Finish the installation of packages"
rcvar="ngforge_packages_enable"
start_cmd="ngforge_packages_start"
stop_cmd=":"

scripts="/{SCRIPTS}"
done_dir="/var/db/ngforge/packages"

ngforge_packages_start()
{{
	mkdir -p "$done_dir" || return 1
	for script in "$scripts"/*.sh; do
		[ -x "$script" ] || continue
		mark="$done_dir/${{script##*/}}"
		[ -e "$mark" ] && continue
		if "$script" >"$mark.log" 2>&1 </dev/null; then
			mv "$mark.log" "$mark"
		else
			warn "${{script##*/}} failed and runs again at the next boot; see $mark.log"
		fi
	done
}}

load_rc_config "$name"
: "${{ngforge_packages_enable:=YES}}"
run_rc_command "$1"
"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_service_is_a_script_that_sh_can_read() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("service");
        std::fs::write(&file, service()).unwrap();
        let status = std::process::Command::new("sh").arg("-n").arg(&file).status().unwrap();
        assert!(status.success());
        assert!(service().contains("scripts=\"/usr/local/libexec/ngforge/firstboot.d\"\n"));
    }
}
