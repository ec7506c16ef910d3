//! Fonts and colours.

use std::fmt::Write as _;

use super::{DETAIL_SIZE, HOOK_SIZE, NAME_SIZE};

/// Fonts of equal width, of which every system has one.
const FONTS: &str =
    "ui-monospace, SFMono-Regular, Menlo, Consolas, \"DejaVu Sans Mono\", \"Liberation Mono\", monospace";

/// What is painted, and its colours in the light and in the dark. Not all programs know variables in style sheets.
const COLOURS: [(&str, &str, &str, &str); 11] = [
    (".ground", "fill", "#ffffff", "#0f172a"),
    (".name", "fill", "#0f172a", "#f1f5f9"),
    (".type", "fill", "#475569", "#a9b6c8"),
    (".hook", "fill", "#334155", "#cbd5e1"),
    (".link path", "stroke", "#7b8ba1", "#7b8ba1"),
    (".interface rect", "fill", "#dbeafe", "#172f5c"),
    (".interface rect", "stroke", "#2563eb", "#60a5fa"),
    (".switch rect", "fill", "#dcfce7", "#123b27"),
    (".switch rect", "stroke", "#15803d", "#4ade80"),
    (".socket rect, .other rect", "fill", "#f8fafc", "#1e293b"),
    (".socket rect, .other rect", "stroke", "#64748b", "#94a3b8"),
];

/// The style sheet.
pub fn sheet() -> String {
    let mut sheet = format!(
        "text {{ font-family: {FONTS}; text-anchor: middle }}\n\
         .name {{ font-size: {NAME_SIZE}px; font-weight: bold }}\n\
         .type {{ font-size: {DETAIL_SIZE}px }}\n\
         .hook {{ font-size: {HOOK_SIZE}px; text-anchor: start }}\n\
         .end {{ text-anchor: end }}\n\
         .node rect {{ stroke-width: 1.5 }}\n\
         .switch rect {{ stroke-width: 2.5 }}\n\
         .socket rect {{ stroke-dasharray: 5 4 }}\n\
         .link path {{ fill: none; stroke-width: 1.5 }}\n\
         .link:hover path {{ stroke-width: 3.5 }}\n"
    );
    colour(&mut sheet, |(_, _, light, _)| light);
    sheet.push_str("@media (prefers-color-scheme: dark) {\n");
    colour(&mut sheet, |(_, _, _, dark)| dark);
    sheet.push_str("}\n");
    sheet
}

fn colour(
    sheet: &mut String,
    choose: impl Fn((&'static str, &'static str, &'static str, &'static str)) -> &'static str,
) {
    for row in COLOURS {
        // Writing to a string cannot fail.
        let _ = writeln!(sheet, "{} {{ {}: {} }}", row.0, row.1, choose(row));
    }
}
