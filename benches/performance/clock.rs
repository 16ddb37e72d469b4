//! What the system says of a process: time on a processor and memory. Both are known on Linux alone.

use std::{
    fs,
    time::{Duration, Instant},
};

/// A point in the life of this thread.
pub(crate) struct Clock {
    wall: Instant,
    processor: Option<Duration>,
}

impl Clock {
    /// Starts now.
    pub(crate) fn start() -> Self {
        Self { processor: of_this_thread(), wall: Instant::now() }
    }

    /// The time of this thread on a processor since then, in seconds; what passed on the wall where that is not known.
    pub(crate) fn seconds(&self) -> f64 {
        let wall = self.wall.elapsed();
        let processor = self.processor.zip(of_this_thread()).map(|(from, to)| to.saturating_sub(from));
        processor.unwrap_or(wall).as_secs_f64()
    }

    /// What passed on the wall, in seconds.
    pub(crate) fn wall(&self) -> f64 {
        self.wall.elapsed().as_secs_f64()
    }
}

/// How long this thread was on a processor.
fn of_this_thread() -> Option<Duration> {
    // The kernel adds what a thread used when it lets another one run.
    std::thread::yield_now();
    let text = fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split_whitespace().next()?.parse().ok().map(Duration::from_nanos)
}

/// How long all processes that this one waited for were on a processor, in seconds, to a hundredth.
pub(crate) fn of_children() -> Option<f64> {
    let text = fs::read_to_string("/proc/self/stat").ok()?;
    // The name of the program stands in parentheses, and may hold any sign.
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |index: usize| fields.get(index)?.parse::<f64>().ok();
    Some((ticks(13)? + ticks(14)?) / 100.0)
}

/// The most memory that this process had so far, in bytes.
pub(crate) fn peak() -> Option<f64> {
    let text = fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<f64>().ok()? * 1024.0)
}
