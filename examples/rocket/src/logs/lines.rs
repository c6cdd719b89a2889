//! The form of a line: text for people, or a JSON object for machines.

use std::fmt::{Debug, Write as _};
use std::io::{self, Write as _};
use std::time::SystemTime;

use humantime::format_rfc3339_micros;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use crate::failures::on_one_line;
use crate::problem::push_quoted;

/// What a line has before its fields. A field of the same name stands behind `field.`.
const HEAD: [&str; 4] = ["timestamp", "level", "target", "message"];

#[derive(Clone, Copy)]
pub enum Format {
    Text,
    Json,
}

/// Writes each event as a line, with the fields of the spans that it is in.
pub struct Lines {
    format: Format,
    write: fn(&str),
}

impl Lines {
    /// Writes lines to stdout.
    pub fn new(format: Format) -> Self {
        let write = to_stdout;
        Self { format, write }
    }
}

/// If nobody reads stdout, the service goes on all the same.
fn to_stdout(line: &str) {
    let _ = io::stdout().write_all(line.as_bytes());
}

impl<S> Layer<S> for Lines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if let Some(span) = context.span(id) {
            let mut fields = Fields::new(self.format);
            attributes.record(&mut fields);
            span.extensions_mut().insert(fields);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(fields) = span.extensions_mut().get_mut::<Fields>()
        {
            values.record(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut fields = Fields::new(self.format);
        event.record(&mut fields);
        for span in context.event_scope(event).into_iter().flatten() {
            if let Some(outer) = span.extensions().get::<Fields>() {
                fields.add(outer);
            }
        }
        let time = format_rfc3339_micros(SystemTime::now());
        let (level, target) = (event.metadata().level(), event.metadata().target());
        let line = match self.format {
            Format::Text => fields.text(&format!("{time} {level:5} {target}:")),
            Format::Json => fields.json(&format!(
                r#"{{"timestamp":"{time}","level":"{level}","target":"{target}""#
            )),
        };
        (self.write)(&line);
    }
}

/// What an event says, or a span: its message, and its fields as they are written.
struct Fields {
    format: Format,
    message: String,
    values: Vec<(&'static str, String)>,
}

impl Fields {
    fn new(format: Format) -> Self {
        Self {
            format,
            message: String::new(),
            values: Vec::new(),
        }
    }

    /// Adds the fields of a span around; what is said further in counts.
    fn add(&mut self, outer: &Self) {
        for (name, value) in &outer.values {
            if self.values.iter().all(|(known, _)| known != name) {
                self.values.push((name, value.clone()));
            }
        }
    }

    fn text(&self, head: &str) -> String {
        let mut line = format!("{head} {}", on_one_line(&self.message));
        for (name, value) in &self.values {
            let _ = write!(line, " {}{name}={value}", prefix(name));
        }
        line.push('\n');
        line
    }

    fn json(&self, head: &str) -> String {
        let mut line = format!(r#"{head},"message":"#);
        push_quoted(&mut line, &self.message);
        for (name, value) in &self.values {
            let _ = write!(line, r#","{}{name}":{value}"#, prefix(name));
        }
        line.push_str("}\n");
        line
    }

    /// Records a number or a truth value.
    fn record(&mut self, field: &Field, value: String) {
        let name = field.name();
        // Those say something to the traces alone.
        if !name.starts_with("otel.") {
            self.values.retain(|(known, _)| *known != name);
            self.values.push((name, value));
        }
    }
}

fn prefix(name: &str) -> &'static str {
    if HEAD.contains(&name) { "field." } else { "" }
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "message" {
            value.clone_into(&mut self.message);
            return;
        }
        let mut text = String::new();
        match self.format {
            Format::Json => push_quoted(&mut text, value),
            Format::Text if is_word(value) => text.push_str(value),
            Format::Text => {
                let _ = write!(text, "{value:?}");
            }
        }
        self.record(field, text);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.record_str(field, &format!("{value:?}"));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        if value.is_finite() {
            self.record(field, value.to_string());
        } else {
            self.record_str(field, &value.to_string());
        }
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.record(field, value.to_string());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.record(field, value.to_string());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.record(field, value.to_string());
    }
}

/// Whether a text needs no quotes in a line of text.
fn is_word(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b'"')
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    thread_local! {
        static LINE: RefCell<String> = RefCell::default();
    }

    /// The line of what `say` says, without its time.
    fn line(format: Format, say: impl FnOnce()) -> String {
        let write = |line: &str| LINE.set(line.to_owned());
        let lines = Lines { format, write };
        tracing::subscriber::with_default(tracing_subscriber::registry().with(lines), say);
        LINE.take()
    }

    fn say() {
        let outer = tracing::error_span!(
            "outer",
            id = "outer",
            otel.kind = "server",
            late = tracing::field::Empty
        );
        outer.in_scope(|| {
            outer.record("late", 1);
            let inner = tracing::error_span!("inner", id = "a b");
            inner.in_scope(
                || tracing::warn!(target: "here", part = 0.5, level = true, "1\n2 \"é\""),
            );
        });
    }

    #[test]
    fn text_is_one_line() {
        let line = line(Format::Text, say);
        let (_, line) = line.split_once(' ').unwrap();
        assert_eq!(
            line,
            "WARN  here: 1\\n2 \"é\" part=0.5 field.level=true id=\"a b\" late=1\n"
        );
    }

    #[test]
    fn json_has_each_name_once() {
        let line = line(Format::Json, say);
        let (_, line) = line.split_once(',').unwrap();
        assert_eq!(
            line,
            concat!(
                r#""level":"WARN","target":"here","message":"1\u000a2 \"é\"","#,
                r#""part":0.5,"field.level":true,"id":"a b","late":1}"#,
                "\n"
            )
        );
    }
}
