//! Files and standard output: checked before the run, in place only when complete.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

#[cfg(unix)]
use super::args::Watch;
use super::args::{Check, Format, RuleFiles};
use super::shown;
use crate::report::model::{FlowList, Report};
use crate::report::{self, FlowFormat, FlowLine, Hashed, html};

/// A file that appears under its name only when it is complete. A device or a pipe is no file and
/// takes what it is given at once; a link stays, and what it points to is replaced.
#[derive(Debug)]
pub(super) struct Pending {
    path: PathBuf,
    /// Where the file lies until it is complete, and where it goes then.
    places: Option<(PathBuf, PathBuf)>,
    file: BufWriter<File>,
}

impl Pending {
    /// Opens a file beside `path`, so that a bad path fails before a long run and not after it.
    pub(super) fn create(path: &Path) -> Result<Self, String> {
        let unwritable = |error| format!("cannot write `{}`: {error}", shown(path));
        let (file, places) = if is_stream(path) {
            (File::options().write(true).open(path), None)
        } else {
            let place = true_path(path).map_err(unwritable)?;
            let unfinished = unfinished_name(&place)?;
            (File::create(&unfinished), Some((unfinished, place)))
        };
        let file = BufWriter::new(file.map_err(unwritable)?);
        Ok(Pending { path: path.to_owned(), places, file })
    }

    /// Writes the content and gives the file its name.
    pub(super) fn finish(
        mut self,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<(), String> {
        let written = write(&mut self.file).and_then(|()| self.file.flush());
        let placed = written.and_then(|()| match &self.places {
            Some((unfinished, place)) => fs::rename(unfinished, place),
            None => Ok(()),
        });
        placed.map_err(|error| format!("cannot write `{}`: {error}", shown(&self.path)))
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        if let Some((unfinished, _)) = &self.places {
            // Gone already when the file was finished.
            let _ = fs::remove_file(unfinished);
        }
    }
}

/// The name under which a file is written.
fn unfinished_name(path: &Path) -> Result<PathBuf, String> {
    if path.is_dir() {
        return Err(format!("cannot write `{}`: it is a folder; name a file in it", shown(path)));
    }
    let Some(name) = path.file_name() else {
        return Err(format!("cannot write `{}`: it names no file", shown(path)));
    };
    let mut name = name.to_owned();
    name.push(".unfinished");
    Ok(path.with_file_name(name))
}

/// Whether a path leads to something that is written as it is: a device, a pipe, a socket.
fn is_stream(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|found| !found.is_file() && !found.is_dir())
}

/// The true path of a file that may not exist yet, in a folder that must.
fn true_path(path: &Path) -> io::Result<PathBuf> {
    fs::canonicalize(path).or_else(|_| {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = fs::canonicalize(folder.unwrap_or(Path::new(".")))?;
        Ok(folder.join(path.file_name().unwrap_or_default()))
    })
}

/// A file that the run shall write.
#[derive(Debug)]
struct Output<'a> {
    path: &'a Path,
    /// The true paths of the files that writing it replaces: its own, and that of the unfinished
    /// file. A device or a pipe is not replaced.
    replaced: Vec<PathBuf>,
}

impl<'a> Output<'a> {
    /// `None` for standard output.
    fn of(path: Option<&'a Path>) -> Result<Option<Self>, String> {
        let Some(path) = path.filter(|path| !is_dash(path)) else { return Ok(None) };
        if is_stream(path) {
            return Ok(Some(Output { path, replaced: Vec::new() }));
        }
        // Whatever is wrong with the name itself is told in its own words.
        unfinished_name(path)?;
        let place =
            true_path(path).map_err(|error| format!("cannot write `{}`: {error}", shown(path)))?;
        let unfinished = unfinished_name(&place)?;
        Ok(Some(Output { path, replaced: vec![place, unfinished] }))
    }

    /// Refuses to write over a file that is read.
    fn refuse(&self, what: &str, read: &Path) -> Result<(), String> {
        match fs::canonicalize(read) {
            Ok(read) if self.replaced.contains(&read) => Err(format!(
                "cannot write `{}`: that would replace {what}; choose another name",
                shown(self.path)
            )),
            _ => Ok(()),
        }
    }
}

/// What a run can write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Product {
    /// The JSON report.
    Report,
    /// The page.
    Html,
    /// The list of flows.
    Flows,
}

impl Product {
    fn name(self) -> &'static str {
        match self {
            Product::Report => "report",
            Product::Html => "page",
            Product::Flows => "flows",
        }
    }
}

/// The products of a run, and the files asked for.
type Products<'a> = [(Product, Option<&'a Path>); 3];

fn products(check: &Check) -> Products<'_> {
    [
        (Product::Report, check.report.as_deref()),
        (Product::Html, check.html.as_deref()),
        (Product::Flows, check.flows.as_deref()),
    ]
}

#[cfg(unix)]
fn products_of_watch(watch: &Watch) -> Products<'_> {
    [
        (Product::Report, watch.report.as_deref()),
        (Product::Html, watch.html.as_deref()),
        (Product::Flows, watch.flows.as_deref()),
    ]
}

/// What goes to standard output instead of the summary.
fn on_stdout(check: &Check) -> impl Iterator<Item = Product> {
    let json = check.format == Format::Json;
    products(check).into_iter().filter_map(move |(product, path)| {
        let asked = json && product == Product::Report;
        (asked || path.is_some_and(is_dash)).then_some(product)
    })
}

/// What goes to standard output instead of the summary, if anything does.
pub(super) fn for_stdout(check: &Check) -> Option<Product> {
    on_stdout(check).next()
}

/// Whether a path stands for standard input or output.
pub(super) fn is_dash(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// The files that a run shall write.
#[derive(Debug)]
pub(super) struct Outputs<'a> {
    list: Vec<(Product, Output<'a>)>,
}

/// The same, opened.
#[derive(Debug)]
pub(super) struct Files {
    list: Vec<(Product, Pending)>,
}

impl Files {
    /// The file of a product, if it was asked for and not taken before.
    pub(super) fn take(&mut self, product: Product) -> Option<Pending> {
        let at = self.list.iter().position(|(one, _)| *one == product)?;
        Some(self.list.swap_remove(at).1)
    }
}

impl<'a> Outputs<'a> {
    /// The outputs asked for, if they do not get in each other's way.
    pub(super) fn of(check: &'a Check) -> Result<Self, String> {
        let printed: Vec<_> = on_stdout(check).map(Product::name).collect();
        if let [one, other, ..] = printed.as_slice() {
            return Err(format!("{one} and {other} cannot both go to standard output"));
        }
        Outputs::apart(products(check))
    }

    /// The same for a watch, whose standard output is for events.
    #[cfg(unix)]
    pub(super) fn of_watch(watch: &'a Watch) -> Result<Self, String> {
        let products = products_of_watch(watch);
        let dash = products.iter().find(|(_, path)| path.is_some_and(is_dash));
        if let Some((product, _)) = dash {
            return Err(format!("the {} of a watch goes to a file", product.name()));
        }
        let outputs = Outputs::apart(products)?;
        outputs.refuse_rules(&watch.rules)?;
        watch.replay.iter().try_for_each(|path| outputs.refuse("a capture", path))?;
        Ok(outputs)
    }

    fn apart(products: Products<'a>) -> Result<Self, String> {
        let mut list: Vec<(Product, Output<'_>)> = Vec::new();
        for (product, path) in products {
            let Some(output) = Output::of(path)? else { continue };
            let clash = |other: &&(Product, Output<'_>)| {
                output.replaced.iter().any(|path| other.1.replaced.contains(path))
            };
            if let Some((other, _)) = list.iter().find(clash) {
                let (one, both) = (other.name(), product.name());
                let path = shown(output.path);
                return Err(format!("{one} and {both} cannot both go to `{path}`"));
            }
            list.push((product, output));
        }
        Ok(Outputs { list })
    }

    /// Refuses to write over what the run is made from.
    pub(super) fn refuse_files_read(&self, check: &Check) -> Result<(), String> {
        for capture in check.captures.iter().filter(|path| !is_dash(path)) {
            self.refuse("a capture", capture)?;
        }
        let others = [("the baseline", &check.baseline), ("the key", &check.pseudonymise)];
        for (what, path) in others {
            path.iter().try_for_each(|path| self.refuse(what, path))?;
        }
        self.refuse_rules(&check.rules)
    }

    fn refuse_rules(&self, rules: &RuleFiles) -> Result<(), String> {
        let RuleFiles { site, policy, waivers } = rules;
        for (what, path) in [("the site file", site), ("the waiver file", waivers)] {
            path.iter().try_for_each(|path| self.refuse(what, path))?;
        }
        // An embedded pack is no file, unless a file of that name is in the way.
        policy.iter().try_for_each(|name| self.refuse("a policy file", Path::new(name)))
    }

    /// Refuses to write over a file that the run reads.
    pub(super) fn refuse(&self, what: &str, read: &Path) -> Result<(), String> {
        self.list.iter().try_for_each(|(_, output)| output.refuse(what, read))
    }

    /// Opens the files, so that a bad path fails before a long run.
    pub(super) fn create(&self) -> Result<Files, String> {
        let list = self.list.iter();
        let list = list.map(|(product, output)| Ok((*product, Pending::create(output.path)?)));
        Ok(Files { list: list.collect::<Result<_, String>>()? })
    }
}

/// Writes the flow list, if it was asked for, and tells what the report says of it.
pub(super) fn write_flow_list(
    files: &mut Files,
    format: FlowFormat,
    lines: impl Iterator<Item = FlowLine>,
) -> Result<Option<FlowList>, String> {
    let Some(file) = files.take(Product::Flows) else { return Ok(None) };
    let path = &file.path;
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
    let compressed = path.extension().is_some_and(|extension| extension == "zst");
    let mut list = FlowList {
        file: name,
        format: format.name().to_owned(),
        size: 0,
        sha256: String::new(),
        flows: 0,
    };
    file.finish(|out| {
        let mut out = Hashed::new(out);
        if compressed {
            let mut encoder = zstd::Encoder::new(&mut out, 3)?;
            list.flows = report::write_flows(&mut encoder, format, lines)?;
            encoder.finish()?;
        } else {
            list.flows = report::write_flows(&mut out, format, lines)?;
        }
        (list.size, list.sha256) = out.finish();
        Ok(())
    })?;
    Ok(Some(list))
}

/// Writes the report and the page, so far as they were asked for.
pub(super) fn write_report(mut files: Files, report: &Report) -> Result<(), String> {
    if let Some(file) = files.take(Product::Report) {
        file.finish(|out| report::write(out, report))?;
    }
    if let Some(file) = files.take(Product::Html) {
        file.finish(|out| html::write(out, report, &report::sha256(report)?))?;
    }
    Ok(())
}

/// Writes a file, or to standard output, unless that would replace the file that was read.
pub(super) fn write_beside(
    read: (&str, &Path),
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), String> {
    let Some(output) = Output::of(Some(path))? else { return to_stdout(write) };
    let (what, read) = read;
    output.refuse(what, read)?;
    Pending::create(path)?.finish(write)
}

/// Writes to standard output. A reader that has gone away ends the printing, not the run.
pub(super) fn to_stdout(
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), String> {
    let mut out = BufWriter::new(io::stdout().lock());
    match write(&mut out).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(format!("cannot write to standard output: {error}")),
        Ok(()) => Ok(()),
    }
}
