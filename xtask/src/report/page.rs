//! The page: one file without scripts, links to pictures or fonts, or anything else from outside.

use base64ct::{Base64, Encoding};
use ngforge_image::areas::Area;
use ngforge_image::hosted;
use sha2::{Digest, Sha256};

use super::html::{escaped, folded, section};
use super::run::SmokeRun;
use super::{Facts, tests_section, treemap};
use crate::image::size;

/// The style sheet.
const STYLE: &str = include_str!("page.css");
/// The last bytes of the serial log that are shown.
const SERIAL: usize = 512 * 1024;

/// All of it.
pub fn page(facts: &Facts) -> String {
    let name = escaped(&facts.manifest.name);
    // Nothing but this style sheet and pictures inside of the page itself; no script at all.
    let hash = Base64::encode_string(&Sha256::digest(STYLE));
    let policy =
        format!("default-src 'none'; style-src 'sha256-{hash}'; img-src data:; base-uri 'none'; form-action 'none'");
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>{name}: build and smoke run</title>\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<style>{STYLE}</style>\n</head>\n<body>\n\
         <header>\n{}</header>\n<main>\n{}</main>\n</body>\n</html>\n",
        head(facts),
        [
            graph(facts),
            boot(facts),
            space(&facts.manifest.areas),
            tests(facts),
            serial(facts),
            files(facts)
        ]
        .concat()
    )
}

fn head(facts: &Facts) -> String {
    let manifest = &facts.manifest;
    let what = match &manifest.system {
        Some(system) => hosted::introduction(system, &manifest.release),
        None => format!("FreeBSD {}", manifest.release),
    };
    format!(
        "<h1>{}</h1>\n<p class=\"quiet\">{}</p>\n<ul class=\"cards\">\n{}</ul>\n",
        escaped(&manifest.name),
        escaped(&what),
        cards(facts)
    )
}

fn cards(facts: &Facts) -> String {
    let mut cards = Vec::new();
    if let Ok(run) = &facts.run {
        let failed = run.count("failed") + run.count("not_run");
        let (class, word) = match (failed, &run.ended_early, run.count("passed")) {
            (0, None, 1..) => ("passed", "proven".to_owned()),
            (0, ..) => ("failed", "not proven".to_owned()),
            (failed, ..) => ("failed", format!("{failed} failed")),
        };
        let skipped = run.count("skipped");
        cards.push(format!(
            "<b class=\"{class}\">{word}</b> {} passed, {skipped} skipped",
            run.count("passed")
        ));
        if let Some(seconds) = run.boot_seconds {
            cards.push(format!("<b>{seconds:.1} s</b> from power-on to SSH"));
        }
    }
    let total: u64 = facts.manifest.areas.iter().map(|area| area.bytes).sum();
    if total > 0 {
        let files: u64 = facts.manifest.areas.iter().map(|area| area.files).sum();
        cards.push(format!("<b>{}</b> in {files} files", size(total)));
    }
    cards.push(format!("<b>{}</b> network cards", facts.manifest.nics));
    cards.into_iter().map(|card| format!("<li>{card}</li>\n")).collect()
}

fn graph(facts: &Facts) -> String {
    let body = match &facts.picture {
        Ok(svg) => {
            let newer = match facts.picture_is_newer {
                true => "<p class=\"failed\">The graph's file has changed since this image was built.</p>\n",
                false => "",
            };
            // As a picture of its own, so that its styles stay its own.
            let data = Base64::encode_string(svg.as_bytes());
            let words = svg
                .split_once("<desc id=\"desc\">")
                .and_then(|(_, rest)| rest.split_once("</desc>"));
            let words = words.map_or("The declared graph", |(words, _)| words);
            format!(
                "{newer}<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"Picture of the graph\"><img class=\"graph\" alt=\"{words}\" src=\"data:image/svg+xml;base64,{data}\"></div>\n"
            )
        }
        Err(why) => format!("<p>No picture: {}</p>\n", escaped(why)),
    };
    section("graph", "The graph", &body)
}

fn boot(facts: &Facts) -> String {
    let run = match &facts.run {
        Ok(run) => run,
        Err(why) => return section("boot", "The boot", &format!("<p>{}</p>\n", escaped(why))),
    };
    let mut body = format!(
        "<p>{}, by {}.</p>\n",
        escaped(&run.introduction),
        escaped(&run.accelerator)
    );
    if run.image != facts.manifest.name {
        body += &format!(
            "<p class=\"failed\">The smoke run was of another image: {}.</p>\n",
            escaped(&run.image)
        );
    }
    body += &match run.stages().is_empty() {
        true => "<p class=\"failed\">SSH was never reached.</p>\n".to_owned(),
        false => timeline(run),
    };
    if let Some(reason) = &run.ended_early {
        body += &format!("<p class=\"failed\">The run ended early: {}</p>\n", escaped(reason));
    }
    section("boot", "The boot", &body)
}

fn timeline(run: &SmokeRun) -> String {
    let stages = run.stages();
    let total: f64 = stages.iter().map(|stage| stage.seconds.max(0.0)).sum();
    let (mut at, mut bars, mut rows) = (0.0, String::new(), String::new());
    for (number, stage) in stages.iter().enumerate() {
        let (class, name, seconds) = (number % 5, escaped(&stage.name), stage.seconds.max(0.0));
        let width = if total > 0.0 { seconds / total * 960.0 } else { 0.0 };
        bars += &format!(
            "<rect class=\"s{class}\" x=\"{at:.1}\" y=\"0\" width=\"{width:.1}\" height=\"36\"><title>{name} {seconds:.1} s</title></rect>\n"
        );
        rows += &format!(
            "<tr><td><svg class=\"key\" viewBox=\"0 0 8 8\" aria-hidden=\"true\"><rect class=\"s{class}\" width=\"8\" height=\"8\"/></svg>\
             {name}</td><td class=\"number\">{seconds:.1} s</td></tr>\n"
        );
        at += width;
    }
    format!(
        "<svg class=\"timeline\" viewBox=\"0 0 960 36\" role=\"img\" aria-label=\"How long each stage of the boot took; the table \
         below has the same in numbers\">\n{bars}</svg>\n<table>\n<thead><tr><th scope=\"col\">Stage</th><th scope=\"col\" \
         class=\"number\">Time</th></tr></thead>\n<tbody>\n{rows}</tbody>\n</table>\n"
    )
}

fn space(areas: &[Area]) -> String {
    if areas.is_empty() {
        return section(
            "space",
            "Space",
            "<p>The manifest does not tell. Build the image again.</p>\n",
        );
    }
    let row = |area: &Area| {
        format!(
            "<tr><td>{}</td><td class=\"number\">{}</td><td class=\"number\">{}</td></tr>\n",
            escaped(&area.name),
            size(area.bytes),
            area.files
        )
    };
    let rows: String = areas.iter().map(row).collect();
    let table = format!(
        "<table>\n<thead><tr><th scope=\"col\">Area</th><th scope=\"col\" class=\"number\">Size</th><th scope=\"col\" \
         class=\"number\">Files</th></tr></thead>\n<tbody>\n{rows}</tbody>\n</table>\n"
    );
    let map = treemap::svg(areas);
    let map =
        format!("<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"Map of the space\">{map}</div>\n");
    section("space", "Space", &(map + &table))
}

fn tests(facts: &Facts) -> String {
    match &facts.run {
        Ok(run) => section("tests", "Tests", &tests_section::section(run)),
        Err(_) => String::new(),
    }
}

fn serial(facts: &Facts) -> String {
    let Some(serial) = &facts.serial else {
        return String::new();
    };
    let shown = &serial[serial.len().saturating_sub(SERIAL)..];
    let text = String::from_utf8_lossy(shown).replace("\r\n", "\n");
    let head = format!("What the guest wrote: {} lines", text.lines().count());
    let body = format!("<pre tabindex=\"0\">{}</pre>\n", escaped(&text));
    section("serial", "Serial console", &folded(&head, &body, false))
}

fn files(facts: &Facts) -> String {
    let manifest = &facts.manifest;
    let sum = |sum: &str| format!("<td><code>{}</code></td>", escaped(sum));
    let made: String = { manifest.files.iter() }
        .map(|file| {
            let name = escaped(&file.path.to_string_lossy());
            let (size, sum) = (size(file.size), sum(&file.sha256));
            format!("<tr><td>{name}</td><td class=\"number\">{size}</td>{sum}</tr>\n")
        })
        .collect();
    let from: String = { manifest.inputs.iter() }
        .map(|(name, input)| format!("<tr><td>{}</td>{}</tr>\n", escaped(name), sum(input)))
        .collect();
    let links: String = facts.links.iter().map(link).collect();
    let body = format!(
        "<ul>\n{links}</ul>\n{}{}",
        checksums("Made", "<th scope=\"col\" class=\"number\">Size</th>", &made),
        checksums("From", "", &from)
    );
    section("files", "Files and checksums", &body)
}

fn checksums(label: &str, more: &str, rows: &str) -> String {
    format!(
        "<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"{label}\"><table>\n<thead><tr><th scope=\"col\">{label}</th>\
         {more}<th scope=\"col\">SHA-256</th></tr></thead>\n<tbody>\n{rows}</tbody>\n</table></div>\n"
    )
}

/// A file beside the page, which is led to if it lies below the page's own folder and its name needs no explaining.
fn link((label, path): &(&'static str, String)) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-' | b'/');
    let is_below = !path.starts_with(['/', '.']) && path.bytes().all(plain);
    match is_below {
        true => format!("<li>{label}: <a href=\"{path}\"><code>{path}</code></a></li>\n"),
        false => format!("<li>{label}: <code>{}</code></li>\n", escaped(path)),
    }
}

#[cfg(test)]
#[path = "page_tests.rs"]
mod tests;
