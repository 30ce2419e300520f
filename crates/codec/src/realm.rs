//! A realm: the language's own objects, as scripts are to see them, and the script in it.

use rquickjs::context::EvalOptions;
use rquickjs::object::Filter;
use rquickjs::{Atom, Ctx, Error, FromJs, Function, Object};

const DRIVER: &str = include_str!("driver.js");
const UTC: &str = include_str!("utc.js");
const BUFFER: &str = include_str!("vendored/buffer.js");

/// What the engine calls our own files in its stacks.
const OWN_FILE: &str = "citybrain";

/// How a file is run.
#[derive(Clone, Copy)]
pub(crate) enum Form {
    /// As the body of a function, which makes everything anew whenever it is called.
    Function,
    /// As a script of its own, as network servers do it; once in a realm. Functions at its top are
    /// properties of the global object.
    Script,
}

/// The text of a codec file.
pub(crate) struct Program<'s> {
    pub(crate) file: &'s str,
    source: &'s str,
    /// Whether it may need `Buffer`, which costs memory.
    buffer: bool,
}

impl<'s> Program<'s> {
    pub(crate) fn new(file: &'s str, source: &'s str) -> Self {
        let source = source.strip_prefix('\u{feff}').unwrap_or(source);
        Self { file, source, buffer: has_word(source, "Buffer") }
    }

    /// Whether the file seems to find its own functions by name through the global object, where
    /// only [`Form::Script`] puts them.
    pub(crate) fn looks_itself_up(&self) -> bool {
        ["globalThis[", "this[\"", "this['", "this[`", "new Function("]
            .iter()
            .any(|way| self.source.contains(way))
    }

    /// Makes the language's own objects over, and returns what calls need: the kit.
    pub(crate) fn kit<'js>(&self, ctx: &Ctx<'js>) -> Result<Object<'js>, Error> {
        let kit = eval(ctx, DRIVER, OWN_FILE)?;
        let () = eval(ctx, UTC, OWN_FILE)?;
        if self.buffer {
            let () = eval(ctx, BUFFER, OWN_FILE)?;
        }
        Ok(kit)
    }

    /// Puts the script into the kit, and says whether there is a function to call.
    pub(crate) fn load<'js>(
        &self,
        ctx: &Ctx<'js>,
        kit: &Object<'js>,
        form: Form,
    ) -> Result<bool, Error> {
        let script: Function<'js> = match form {
            Form::Function => eval(ctx, &as_function(self.source), self.file)?,
            Form::Script => {
                kit.get::<_, Function<'js>>("expose")?.call::<_, ()>(())?;
                let () = eval(ctx, self.source, self.file)?;
                eval(ctx, &after_script(), OWN_FILE)?
            }
        };
        kit.set("script", script)?;
        run_top(kit)
    }
}

/// Runs the top of the file once more; says whether there is a function to call.
pub(crate) fn run_top(kit: &Object<'_>) -> Result<bool, Error> {
    let (check, script): (Function<'_>, Function<'_>) = (kit.get("check")?, kit.get("script")?);
    check.call((script,))
}

/// Removes what the script has put into the global object, such as variables that it never
/// declared, so that the next frame does not find it.
pub(crate) fn clean(ctx: &Ctx<'_>) -> Result<(), Error> {
    let globals = ctx.globals();
    for name in globals.own_keys::<Atom<'_>>(Filter::new().string().enum_only()) {
        globals.remove(name?)?;
    }
    Ok(())
}

/// The script as a function of a function. All of it stays on its own lines, so that errors name
/// the right ones, and a directive at its start stays one.
fn as_function(source: &str) -> String {
    let found = found();
    format!(
        "(function (exports, module, require) {{ return function () {{{source}\n;return {found}; \
         }}; }})"
    )
}

/// The same for a script that has already run, with what it exported.
fn after_script() -> String {
    let found = found();
    format!(
        "(function (_, own) {{ own.exports = typeof module === \"object\" && module ? \
         module.exports : {{}}; return function () {{ return {found}; }}; }})"
    )
}

fn found() -> String {
    let found = ["decodeUplink", "Decode", "Decoder"]
        .map(|name| format!("{name}: typeof {name} === \"function\" ? {name} : undefined"));
    format!("{{ {} }}", found.join(", "))
}

fn eval<'js, V: FromJs<'js>>(ctx: &Ctx<'js>, source: &str, file: &str) -> Result<V, Error> {
    let mut options = EvalOptions::default();
    options.strict = false;
    options.filename = Some(file.to_owned());
    ctx.eval_with_options(source, options)
}

/// Whether a word stands in a text, not as a part of a longer one.
fn has_word(text: &str, word: &str) -> bool {
    let in_word = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
    text.match_indices(word).any(|(at, _)| {
        let (before, after) = (&text[..at], &text[at + word.len()..]);
        !before.ends_with(in_word) && !after.starts_with(in_word)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_not_a_part_of_another() {
        for text in ["Buffer", "new Buffer(2)", "(Buffer.from(b))", "ArrayBuffer, Buffer"] {
            assert!(has_word(text, "Buffer"), "{text}");
        }
        for text in ["", "new ArrayBuffer(8)", "Buffers", "$Buffer", "Buffer_", "v.buffer"] {
            assert!(!has_word(text, "Buffer"), "{text}");
        }
    }
}
