use std::{
    sync::mpsc::{self, RecvTimeoutError, Sender},
    thread::{self, JoinHandle},
    time::Duration,
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::Stage;

/// What takes less is over before somebody wonders.
const PATIENCE: Duration = Duration::from_millis(500);
const TICK: Duration = Duration::from_millis(100);

/// A line on standard error that says what is being done, for as long as this lives. There is none before the run is slow,
/// and nothing is left of it.
#[derive(Debug)]
pub(super) struct Progress {
    drawing: Option<(Sender<()>, JoinHandle<()>)>,
}

impl Progress {
    /// Shows `stage`, where `visible`.
    pub(super) fn new(stage: &Stage, visible: bool, unicode: bool) -> Self {
        if !visible {
            return Self { drawing: None };
        }
        Self::on(ProgressDrawTarget::stderr(), stage, PATIENCE, unicode)
    }

    fn on(target: ProgressDrawTarget, stage: &Stage, patience: Duration, unicode: bool) -> Self {
        let (stop, stopped) = mpsc::channel();
        let stage = stage.clone();
        let draw = move || {
            if stopped.recv_timeout(patience) != Err(RecvTimeoutError::Timeout) {
                return;
            }
            let bar = ProgressBar::with_draw_target(None, target).with_elapsed(patience).with_style(style(unicode));
            while stopped.recv_timeout(TICK) == Err(RecvTimeoutError::Timeout) {
                bar.set_message(stage.name());
                bar.tick();
            }
            bar.finish_and_clear();
        };
        let thread = thread::Builder::new().name("progress".to_owned()).spawn(draw);
        // A run without it is as good.
        Self { drawing: thread.ok().map(|thread| (stop, thread)) }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some((stop, thread)) = self.drawing.take() {
            drop(stop);
            // What comes next may be printed only where the line was.
            let _ = thread.join();
        }
    }
}

fn style(unicode: bool) -> ProgressStyle {
    let style = ProgressStyle::with_template("{spinner} {msg} ({elapsed})");
    let style = style.unwrap_or_else(|_| ProgressStyle::default_spinner());
    if unicode { style } else { style.tick_chars("|/-\\ ") }
}

#[cfg(test)]
mod tests {
    use std::{
        io,
        sync::{Arc, Mutex},
    };

    use indicatif::TermLike;

    use super::*;

    /// A terminal that remembers what it was reported.
    #[derive(Debug, Default, Clone)]
    struct Paper(Arc<Mutex<Vec<String>>>);

    impl Paper {
        fn note(&self, text: &str) -> io::Result<()> {
            self.0.lock().expect("nobody panicked").push(text.to_owned());
            Ok(())
        }

        fn notes(&self) -> Vec<String> {
            self.0.lock().expect("nobody panicked").clone()
        }
    }

    impl TermLike for Paper {
        fn width(&self) -> u16 {
            80
        }
        fn move_cursor_up(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_down(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_right(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_left(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn write_line(&self, text: &str) -> io::Result<()> {
            self.note(text)
        }
        fn write_str(&self, text: &str) -> io::Result<()> {
            self.note(text)
        }
        fn clear_line(&self) -> io::Result<()> {
            self.note("(clear)")
        }
        fn flush(&self) -> io::Result<()> {
            Ok(())
        }
    }

    fn shown(patience: Duration, until: impl Fn(&Paper) -> bool) -> Vec<String> {
        let paper = Paper::default();
        let stage = Stage::default();
        stage.enter("building");
        let target = ProgressDrawTarget::term_like(Box::new(paper.clone()));
        let progress = Progress::on(target, &stage, patience, false);
        while !until(&paper) {
            thread::yield_now();
        }
        drop(progress);
        paper.notes()
    }

    #[test]
    fn a_slow_run_says_what_it_does_and_leaves_nothing() {
        let notes = shown(Duration::ZERO, |paper| paper.notes().iter().any(|note| note.contains("building")));
        assert_eq!(notes.last().map(String::as_str), Some("(clear)"), "{notes:?}");
        assert!(notes.iter().all(|note| note.is_ascii()), "{notes:?}");
    }

    #[test]
    fn a_quick_run_shows_nothing() {
        assert_eq!(shown(Duration::from_secs(3600), |_| true), Vec::<String>::new());
    }
}
