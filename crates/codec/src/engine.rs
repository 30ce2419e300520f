//! The sandbox: one engine with one script in it, and calls into it that end in time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use city_decode::Frame;
use rquickjs::{Array, Context, Ctx, Error, Function, Object, Runtime, Value};

use crate::busy::busy;
use crate::failure::{Failure, Place};
use crate::flatten::Flattener;
use crate::realm::{Form, Program, clean, run_top};
use crate::{Limits, Report};

/// How much may be allocated before the engine looks for circular garbage. Each frame leaves
/// some, because a script's functions refer to each other; collecting more of it at once is
/// cheaper.
const COLLECT_AFTER: usize = 2 << 20;

/// How many times the limit of a call compiling may take; it happens once.
pub(crate) const LOADING: u32 = 20;

/// One engine, made for one script. It belongs to the thread that made it.
pub(crate) struct Engine<'s> {
    runtime: Runtime,
    program: Program<'s>,
    /// The realm that all frames are decoded in; without one, each frame gets its own, which takes
    /// much longer.
    shared: Option<Context>,
    deadline: Arc<Deadline>,
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

impl<'s> Engine<'s> {
    /// Makes an engine and compiles the script in it.
    pub(crate) fn start(file: &'s str, source: &'s str, limits: Limits) -> Result<Self, Failure> {
        let runtime = Runtime::new().map_err(|_| Failure::Memory { limit: limits.memory })?;
        runtime.set_memory_limit(limits.memory);
        runtime.set_max_stack_size(limits.stack);
        runtime.set_gc_threshold(COLLECT_AFTER.min(limits.memory / 4));
        let deadline =
            Arc::new(Deadline { end: AtomicU64::new(u64::MAX), passed: AtomicBool::new(false) });
        let asked = deadline.clone();
        runtime.set_interrupt_handler(Some(Box::new(move || asked.is_over())));
        let program = Program::new(file, source);
        let mut engine = Self { runtime, program, shared: None, deadline, limits };
        engine.load()?;
        Ok(engine)
    }

    /// Finds out whether one realm will do for all frames.
    fn load(&mut self) -> Result<(), Failure> {
        self.deadline.start(self.limits.time * LOADING);
        let alone = self.program.looks_itself_up().then(|| self.works_alone());
        if let Some(Ok(())) = alone {
            return Ok(());
        }
        match self.shared() {
            Ok(context) => self.shared = Some(context),
            Err(failure) if failure.is_a_limit() || alone.is_some() => return Err(failure),
            // Whatever it is that cannot be done twice: each frame will be the first one.
            Err(failure) => self.works_alone().map_err(|_| failure)?,
        }
        Ok(())
    }

    /// A realm for all frames, if the file can be run in it again and again.
    fn shared(&self) -> Result<Context, Failure> {
        let context = self.context()?;
        context.with(|ctx| {
            let kit = self.prepare(&ctx, Form::Function)?;
            let again = clean(&ctx).and_then(|()| run_top(&kit));
            let again = again.and_then(|usable| clean(&ctx).map(|()| usable));
            match again.map_err(|error| self.failure(&ctx, Some(&kit), &error))? {
                _ if self.deadline.is_over() => Err(self.out_of_time()),
                true => ctx.store_userdata(kit).map(drop).map_err(|_| Failure::NoFunction),
                false => Err(Failure::NoFunction),
            }
        })?;
        Ok(context)
    }

    /// Whether the file can be run in a realm that is made for it.
    fn works_alone(&self) -> Result<(), Failure> {
        self.context()?.with(|ctx| self.prepare(&ctx, Form::Script).map(drop))
    }

    /// An empty realm. Realms refer to themselves: those before it must be looked for.
    fn context(&self) -> Result<Context, Failure> {
        self.runtime.run_gc();
        Context::full(&self.runtime).map_err(|_| Failure::Memory { limit: self.limits.memory })
    }

    /// Makes a realm ready for calls.
    fn prepare<'js>(&self, ctx: &Ctx<'js>, form: Form) -> Result<Object<'js>, Failure> {
        let kit = self.program.kit(ctx).map_err(|error| self.failure(ctx, None, &error))?;
        let usable = self.program.load(ctx, &kit, form);
        match usable.map_err(|error| self.failure(ctx, Some(&kit), &error))? {
            _ if self.deadline.is_over() => Err(self.out_of_time()),
            true => Ok(kit),
            false => Err(Failure::NoFunction),
        }
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
        let Some(shared) = &self.shared else {
            return self.context()?.with(|ctx| {
                let kit = self.prepare(&ctx, Form::Script)?;
                // Making the realm takes none of the frame's time.
                self.deadline.start(self.limits.time);
                self.decode(&ctx, &kit, frame, variables, listen, report)
            });
        };
        shared.with(|ctx| {
            let kit = ctx.userdata::<Object<'_>>().ok_or(Failure::NoFunction)?.clone();
            let result = self.decode(&ctx, &kit, frame, variables, listen, report);
            clean(&ctx).map_err(|_| Failure::Memory { limit: self.limits.memory })?;
            result
        })
    }

    fn decode<'js>(
        &self,
        ctx: &Ctx<'js>,
        kit: &Object<'js>,
        frame: &Frame<'_>,
        variables: Option<&str>,
        listen: bool,
        report: &mut Report,
    ) -> Result<(), Failure> {
        let result = run(ctx, kit, frame, variables, listen);
        if listen {
            report.console = console(kit).unwrap_or_default();
        }
        let read = result.and_then(|result| Flattener::new(kit, report).read(&result));
        let read = read.map_err(|failure| match failure {
            Failure::Thrown(error) => self.failure(ctx, Some(kit), &error),
            other => other,
        });
        // Work that the script put off would be done in another device's name.
        while ctx.execute_pending_job() && !self.deadline.is_over() {}
        match read {
            // A script can run out of time in its last step, between two questions.
            _ if self.deadline.is_over() => Err(self.out_of_time()),
            read => read,
        }
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
        let place = Place::first_of(self.program.file, stack.as_deref().unwrap_or_default());
        Failure::Script { place, message }
    }

    fn out_of_time(&self) -> Failure {
        Failure::Time { limit: self.limits.time }
    }
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

fn console(kit: &Object<'_>) -> Result<Vec<String>, Error> {
    kit.get::<_, Function<'_>>("lines")?.call(())
}
