//! The command line as data, for documentation.

use clap::{Arg, Command as Clap};

use super::arguments::{Program, definition};

/// A command of an operator, and what may stand behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CommandHelp {
    /// As it is typed, without the program: `generate manifests`. Empty for the program itself.
    pub path: String,
    /// What it does, in one line.
    pub about: String,
    /// What else there is to know: paragraphs, or nothing.
    pub notes: String,
    /// Its options, without those that every command takes, which are listed with the program itself.
    pub options: Vec<OptionHelp>,
}

/// An option.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OptionHelp {
    /// Every way to write it: `--yes`, `-y`, with what follows it: `--out <DIR>`.
    pub forms: Vec<String>,
    /// What it does.
    pub help: String,
    /// What it may be, if that is a choice.
    pub choices: Vec<String>,
    /// What it is if it is not given; empty if that is nothing.
    pub default: String,
}

/// All commands of an operator in the order of its help, the program itself first. With the feature `dev`, `dev` is among them.
#[must_use]
pub fn describe(program: Program) -> Vec<CommandHelp> {
    let mut tree = definition(program);
    tree.build();
    let common: Vec<&str> = tree.get_arguments().map(|argument| argument.get_id().as_str()).collect();
    let of_all = tree.get_arguments().map(OptionHelp::of).collect();
    let mut found = vec![CommandHelp::of(&tree, String::new(), of_all)];
    add_below(&tree, "", &common, &mut found);
    found
}

fn add_below(command: &Clap, path: &str, common: &[&str], found: &mut Vec<CommandHelp>) {
    for below in command.get_subcommands() {
        let path = format!("{path} {}", below.get_name()).trim_start().to_owned();
        let own = below.get_arguments().filter(|argument| !common.contains(&argument.get_id().as_str()));
        if !below.is_subcommand_required_set() {
            found.push(CommandHelp::of(below, path.clone(), own.map(OptionHelp::of).collect()));
        }
        add_below(below, &path, common, found);
    }
}

impl CommandHelp {
    fn of(command: &Clap, path: String, options: Vec<OptionHelp>) -> Self {
        let about = command.get_about().map(ToString::to_string).unwrap_or_default();
        // clap's long text begins with the short one.
        let long = command.get_long_about().map(ToString::to_string).unwrap_or_default();
        let rest = long.split_once("\n\n").map_or("", |(_, rest)| rest);
        let after = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        let notes = [rest, &after].into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join("\n\n");
        Self { path, about, notes, options }
    }
}

impl OptionHelp {
    fn of(argument: &Arg) -> Self {
        let full = argument.to_string();
        let long = argument.get_long().map(|long| format!("--{long}")).unwrap_or_default();
        let value = full.strip_prefix(&long).unwrap_or_default();
        let aliases = argument.get_visible_aliases().unwrap_or_default();
        let mut forms = vec![full.clone()];
        forms.extend(aliases.into_iter().map(|alias| format!("--{alias}{value}")));
        forms.extend(argument.get_short().map(|short| format!("-{short}")));
        let takes_value = argument.get_action().takes_values();
        let choices = argument.get_possible_values().into_iter().filter(|choice| takes_value && !choice.is_hide_set());
        let defaults: Vec<_> = argument.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
        Self {
            forms,
            help: argument.get_help().map(ToString::to_string).unwrap_or_default(),
            choices: choices.map(|choice| choice.get_name().to_owned()).collect(),
            default: if takes_value { defaults.join(" ") } else { String::new() },
        }
    }
}
