//! What is saved: every number of the state, always in the same order.

/// Is shown each number in turn; may read or replace it.
pub(super) type Visit<'v> = dyn FnMut(&mut f32) + 'v;

/// A part of the state that shows its numbers, so that saving and restoring cannot differ.
pub(super) trait State {
    /// Shows every number.
    fn visit(&mut self, visit: &mut Visit<'_>);
}

impl<S: State, const N: usize> State for [S; N] {
    fn visit(&mut self, visit: &mut Visit<'_>) {
        for part in self {
            part.visit(visit);
        }
    }
}

impl State for f32 {
    fn visit(&mut self, visit: &mut Visit<'_>) {
        visit(self);
    }
}
