//! As much of a Dockerfile's language as `generate dockerfile` writes.
//! <https://docs.docker.com/reference/dockerfile/>

use crate::error::Error;

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Dockerfile(Vec<Stage>);

/// What stands below a `FROM`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Stage {
    pub(super) base: String,
    pub(super) name: Option<String>,
    pub(super) instructions: Vec<Instruction>,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Instruction {
    pub(super) keyword: String,
    pub(super) arguments: String,
}

/// A `RUN`, without what is mounted.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Run {
    /// Where caches are mounted.
    pub(super) caches: Vec<String>,
    /// For the shell.
    pub(super) line: String,
}

impl Dockerfile {
    pub(super) fn parse(text: &str) -> Result<Self, Error> {
        let mut stages: Vec<Stage> = Vec::new();
        for Instruction { keyword, arguments } in instructions(text) {
            if keyword == "FROM" {
                let (base, name) =
                    arguments.split_once(" AS ").map_or((&*arguments, None), |(base, name)| (base, Some(name)));
                let name = name.map(str::to_owned);
                stages.push(Stage { base: base.to_owned(), name, instructions: Vec::new() });
            } else if let Some(stage) = stages.last_mut() {
                stage.instructions.push(Instruction { keyword, arguments });
            } else {
                return Err(Error::Dockerfile { problem: format!("{keyword} stands before any FROM") });
            }
        }
        Ok(Self(stages))
    }

    pub(super) fn stages(&self) -> &[Stage] {
        &self.0
    }
}

/// Lines without comments, those that a backslash continues put together.
fn instructions(text: &str) -> Vec<Instruction> {
    let mut instructions = Vec::new();
    let mut line = String::new();
    for part in text.lines().map(str::trim).filter(|part| !part.is_empty() && !part.starts_with('#')) {
        let (part, goes_on) = part.strip_suffix('\\').map_or((part, false), |part| (part.trim_end(), true));
        line = if line.is_empty() { part.to_owned() } else { format!("{line} {part}") };
        if !goes_on {
            let (keyword, arguments) = line.split_once(' ').unwrap_or((&line, ""));
            instructions.push(Instruction { keyword: keyword.to_owned(), arguments: arguments.to_owned() });
            line.clear();
        }
    }
    instructions
}

impl Stage {
    /// What stands behind each of these keywords.
    pub(super) fn arguments<'a>(&'a self, keyword: &'a str) -> impl Iterator<Item = &'a str> {
        let meant = self.instructions.iter().filter(move |instruction| instruction.keyword == keyword);
        meant.map(|instruction| instruction.arguments.as_str())
    }

    /// What stands behind the only one, or the first.
    pub(super) fn argument<'a>(&'a self, keyword: &'a str) -> Option<&'a str> {
        self.arguments(keyword).next()
    }

    /// The words of an instruction in its JSON form, which no shell reads.
    pub(super) fn words(&self, keyword: &str) -> Result<Vec<String>, Error> {
        let text = self.argument(keyword).unwrap_or_default();
        serde_json::from_str(text).map_err(|error| Error::Dockerfile { problem: format!("{keyword} {text}: {error}") })
    }
}

impl Run {
    pub(super) fn parse(arguments: &str) -> Self {
        let (mut caches, mut rest) = (Vec::new(), arguments);
        while let Some((mount, line)) = rest.strip_prefix("--mount=").and_then(|rest| rest.split_once(' ')) {
            caches.extend(mount.split(',').filter_map(|option| option.strip_prefix("target=")).map(str::to_owned));
            rest = line.trim_start();
        }
        Self { caches, line: rest.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"# syntax=docker/dockerfile:1
FROM rust:1 AS build
RUN --mount=type=cache,target=/a --mount=type=cache,target=/b \
    make it \
    # so
    && cp it /bin/it

FROM scratch
EXPOSE 1
EXPOSE 2
CMD ["run", "fast"]
"#;

    #[test]
    fn stages_have_a_base_and_instructions_whose_lines_are_put_together() {
        let Dockerfile(stages) = Dockerfile::parse(TEXT).unwrap();
        let [build, image] = &stages[..] else { panic!("{stages:#?}") };
        assert_eq!((build.base.as_str(), build.name.as_deref()), ("rust:1", Some("build")));
        assert_eq!((image.base.as_str(), image.name.as_deref()), ("scratch", None));
        let run = Run::parse(build.argument("RUN").unwrap());
        let caches = vec!["/a".to_owned(), "/b".to_owned()];
        assert_eq!(run, Run { caches, line: "make it && cp it /bin/it".to_owned() });
        assert_eq!(image.arguments("EXPOSE").collect::<Vec<_>>(), ["1", "2"]);
        assert_eq!(image.words("CMD").unwrap(), ["run", "fast"]);
    }

    #[test]
    fn what_is_in_no_stage_and_what_is_not_json_is_told() {
        assert!(Dockerfile::parse("RUN true\nFROM scratch\n").unwrap_err().to_string().contains("RUN"));
        let Dockerfile(stages) = Dockerfile::parse("FROM scratch\nCMD run\n").unwrap();
        assert!(stages[0].words("CMD").unwrap_err().to_string().contains("CMD run"));
    }
}
