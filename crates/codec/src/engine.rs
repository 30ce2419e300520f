//! The sandbox: one engine with one script in it, and calls into it that end in time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use city_decode::Frame;
use rquickjs::context::EvalOptions;
use rquickjs::object::Filter;
use rquickjs::{Array, Atom, Context, Ctx, Error, Function, Object, Runtime, Value};

use crate::busy::busy;
use crate::failure::{Failure, Place};
use crate::flatten::Flattener;
use crate::{Limits, Report};

const DRIVER: &str = include_str!("driver.js");

/// What the engine calls the driver in its stacks.
const DRIVER_FILE: &str = "citybrain";

/// How much may be allocated before the engine looks for circular garbage. Each frame leaves
/// some, because a script's functions refer to each other; collecting more of it at once is
/// cheaper.
const COLLECT_AFTER: usize = 2 << 20;

/// How many times the limit of a call compiling may take; it happens once.
pub(crate) const LOADING: u32 = 20;

/// One engine, made for one script. It belongs to the thread that made it.
pub(crate) struct Engine {
    context: Context,
    deadline: Arc<Deadline>,
    file: Box<str>,
    limits: Limits,
}

/// When the call that is running must end; asked by the engine every few thousand steps, and once
/// more after the call. It counts the time that the engine's thread has a core: what a busy machine
/// takes away is not the script's.
struct Deadline {
    /// Nanoseconds of the thread's time.
    end: AtomicU64,
    passed: AtomicBool,
}

impl Deadline {
    fn start(&self, limit: Duration) {
        self.end.store((busy() + limit).as_nanos() as u64, Ordering::Relaxed);
        self.passed.store(false, Ordering::Relaxed);
    }

    fn is_over(&self) -> bool {
        let over = busy().as_nanos() as u64 > self.end.load(Ordering::Relaxed);
        if over {
            self.passed.store(true, Ordering::Relaxed);
        }
        over
    }

    fn has_passed(&self) -> bool {
        self.passed.load(Ordering::Relaxed)
    }
}

impl Engine {
    /// Makes an engine and compiles the script in it.
    pub(crate) fn start(file: &str, source: &str, limits: Limits) -> Result<Self, Failure> {
        let runtime = Runtime::new().map_err(|_| Failure::Memory { limit: limits.memory })?;
        runtime.set_memory_limit(limits.memory);
        runtime.set_max_stack_size(limits.stack);
        runtime.set_gc_threshold(COLLECT_AFTER.min(limits.memory / 4));
        let deadline =
            Arc::new(Deadline { end: AtomicU64::new(u64::MAX), passed: AtomicBool::new(false) });
        let asked = deadline.clone();
        runtime.set_interrupt_handler(Some(Box::new(move || asked.is_over())));
        let context =
            Context::full(&runtime).map_err(|_| Failure::Memory { limit: limits.memory })?;
        let engine = Self { context, deadline, file: file.into(), limits };
        engine.load(source)?;
        Ok(engine)
    }

    fn load(&self, source: &str) -> Result<(), Failure> {
        self.deadline.start(self.limits.time * LOADING);
        self.context.with(|ctx| {
            let kit: Object<'_> = eval(&ctx, DRIVER, DRIVER_FILE)
                .map_err(|error| self.failure(&ctx, None, &error))?;
            let script: Function<'_> = eval(&ctx, &wrapped(source), &self.file)
                .map_err(|error| self.failure(&ctx, Some(&kit), &error))?;
            let loaded = keep(&ctx, &kit, script);
            let usable = loaded.map_err(|error| self.failure(&ctx, Some(&kit), &error))?;
            self.clean(&ctx)?;
            match usable {
                _ if self.deadline.is_over() => Err(self.out_of_time()),
                true => Ok(()),
                false => Err(Failure::NoFunction),
            }
        })
    }

    /// Decodes one frame.
    pub(crate) fn call(
        &self,
        frame: &Frame<'_>,
        variables: Option<&str>,
        listen: bool,
        report: &mut Report,
    ) -> Result<(), Failure> {
        self.deadline.start(self.limits.time);
        self.context.with(|ctx| {
            let kit = ctx.userdata::<Object<'_>>().ok_or(Failure::NoFunction)?.clone();
            let result = run(&ctx, &kit, frame, variables, listen);
            if listen {
                report.console = console(&kit).unwrap_or_default();
            }
            let read = result.and_then(|result| Flattener::new(&kit, report).read(&result));
            let read = read.map_err(|failure| match failure {
                Failure::Thrown(error) => self.failure(&ctx, Some(&kit), &error),
                other => other,
            });
            // Work that the script put off would be done in another device's name.
            while ctx.execute_pending_job() && !self.deadline.is_over() {}
            self.clean(&ctx)?;
            match read {
                // A script can run out of time in its last step, between two questions.
                _ if self.deadline.is_over() => Err(self.out_of_time()),
                read => read,
            }
        })
    }

    /// Removes what the script has put into the global object, such as variables that it never
    /// declared, so that the next frame does not find it.
    fn clean(&self, ctx: &Ctx<'_>) -> Result<(), Failure> {
        let globals = ctx.globals();
        let leftover = globals.own_keys::<Atom<'_>>(Filter::new().string().enum_only());
        for name in leftover {
            let removed = name.and_then(|name| globals.remove(name));
            removed.map_err(|_| Failure::Memory { limit: self.limits.memory })?;
        }
        Ok(())
    }

    /// What an exception means.
    fn failure<'js>(&self, ctx: &Ctx<'js>, kit: Option<&Object<'js>>, error: &Error) -> Failure {
        if self.deadline.has_passed() {
            let _ = ctx.catch();
            return self.out_of_time();
        }
        let exception = match error {
            Error::Exception => ctx.catch(),
            Error::Allocation => return Failure::Memory { limit: self.limits.memory },
            other => {
                let message = other.to_string();
                return Failure::Script { place: Place::default(), message };
            }
        };
        let stack: Option<String> = exception.as_object().and_then(|e| e.get("stack").ok());
        let message = kit
            .and_then(|kit| kit.get::<_, Function<'js>>("thrown").ok())
            .and_then(|thrown| thrown.call::<_, String>((exception.clone(),)).ok())
            .unwrap_or_default();
        if self.deadline.has_passed() {
            return self.out_of_time();
        }
        // With no memory left there is none for the exception either: null is thrown. A script that
        // throws null itself starts afresh too, which does it no harm.
        if message == "InternalError: out of memory" || exception.is_null() {
            return Failure::Memory { limit: self.limits.memory };
        }
        let place = Place::first_of(&self.file, stack.as_deref().unwrap_or_default());
        Failure::Script { place, message }
    }

    fn out_of_time(&self) -> Failure {
        Failure::Time { limit: self.limits.time }
    }
}

/// Keeps what calls need where a script cannot reach it; says whether there is a function to
/// call.
fn keep<'js>(ctx: &Ctx<'js>, kit: &Object<'js>, script: Function<'js>) -> Result<bool, Error> {
    let check: Function<'js> = kit.get("check")?;
    let usable = check.call((script.clone(),))?;
    kit.set("script", script)?;
    let stored = ctx.store_userdata(kit.clone());
    stored.map(|_| usable).map_err(|_| Error::Unknown)
}

/// Runs the script on a frame; what it returns is looked at later.
fn run<'js>(
    ctx: &Ctx<'js>,
    kit: &Object<'js>,
    frame: &Frame<'_>,
    variables: Option<&str>,
    listen: bool,
) -> Result<Value<'js>, Failure> {
    let bytes = Array::new(ctx.clone())?;
    for (index, byte) in frame.bytes.iter().enumerate() {
        bytes.set(index, i32::from(*byte))?;
    }
    let port = frame.f_port.map(i32::from);
    let millis = frame.received.millis() as f64;
    let (run, script): (Function<'js>, Function<'js>) = (kit.get("run")?, kit.get("script")?);
    Ok(run.call((script, bytes, port, millis, variables, listen))?)
}

/// The script as a function that makes everything anew whenever it is called. All of it stays on
/// its own lines, so that errors name the right ones, and a directive at its start stays one.
fn wrapped(source: &str) -> String {
    let source = source.strip_prefix('\u{feff}').unwrap_or(source);
    let found = ["decodeUplink", "Decode", "Decoder"]
        .map(|name| format!("{name}: typeof {name} === \"function\" ? {name} : undefined"))
        .join(", ");
    format!(
        "(function (exports, module, require) {{ return (function () {{{source}\n;return {{ \
         {found} }}; }})(); }})"
    )
}

fn eval<'js, V: rquickjs::FromJs<'js>>(
    ctx: &Ctx<'js>,
    source: &str,
    file: &str,
) -> Result<V, Error> {
    let mut options = EvalOptions::default();
    options.strict = false;
    options.filename = Some(file.to_owned());
    ctx.eval_with_options(source, options)
}

fn console(kit: &Object<'_>) -> Result<Vec<String>, Error> {
    kit.get::<_, Function<'_>>("lines")?.call(())
}
