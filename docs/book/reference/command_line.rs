//! Every command, its options, and what the program exits with.

use kubeops::cli::{CommandHelp, EXIT_CODES, OptionHelp, Program, describe};

use super::markdown::{code, codes, plain, sentence, table};

const INTRODUCTION: &str = "\
# Command line

What every operator understands; `<operator> --help` says the same. Here it is called `guestbook`. `dev` is there with the crate's feature
`dev`.
";

pub(crate) fn page() -> String {
    let program = Program { name: "guestbook", version: "", about: "" };
    let mut page = INTRODUCTION.to_owned();
    for command in describe(program) {
        page += &if command.path.is_empty() { of_all(&command) } else { section(&command) };
    }
    page + &exit_codes()
}

/// What stands with the program itself: the options of all commands.
fn of_all(program: &CommandHelp) -> String {
    format!("\n## Options of every command\n\n{}", options(&program.options))
}

fn section(command: &CommandHelp) -> String {
    let CommandHelp { path, about, notes, options: own, .. } = command;
    let mut section = format!("\n## {path}\n\n{}\n", plain(&sentence(about)));
    if !own.is_empty() {
        section += &format!("\n{}", options(own));
    }
    if !notes.is_empty() {
        section += &format!("\n{}\n", plain(notes));
    }
    section
}

fn options(options: &[OptionHelp]) -> String {
    table(["Option", "Meaning"], options.iter().map(row))
}

fn row(option: &OptionHelp) -> [String; 2] {
    let OptionHelp { forms, help, choices, default, .. } = option;
    let choices = if choices.is_empty() { String::new() } else { format!(": {}", codes(choices)) };
    let default = if default.is_empty() { String::new() } else { format!(" (default {})", code(default)) };
    [codes(forms), format!("{}{choices}{default}", plain(help))]
}

fn exit_codes() -> String {
    let rows = EXIT_CODES.iter().map(|(code, meaning)| [code.to_string(), (*meaning).to_owned()]);
    format!("\n## Exit codes\n\n{}", table(["Code", "Meaning"], rows))
}
