//! Circles in a graph of who waits for whom: what a deadlock is, whatever is waited for.
//!
//! Depth-first from one who waits, as lock managers do it: each other is visited once, so a search costs no more than the graph has
//! arrows. Source: Gray and Reuter, *Transaction Processing* (1993), 7.11.

// region: circle
/// The circle of waiting that somebody is in, beginning with them; `waits_for` tells for whom one waits.
pub fn circle(from: usize, waits_for: impl Fn(usize) -> Vec<usize>) -> Option<Vec<usize>> {
    fn walk(
        path: &mut Vec<usize>,
        seen: &mut Vec<usize>,
        waits_for: &dyn Fn(usize) -> Vec<usize>,
    ) -> bool {
        let Some(&last) = path.last() else {
            return false;
        };
        for next in waits_for(last) {
            if next == path[0] {
                return true;
            }
            if seen.contains(&next) {
                continue;
            }
            seen.push(next);
            path.push(next);
            if walk(path, seen, waits_for) {
                return true;
            }
            path.pop();
        }
        false
    }
    let mut path = vec![from];
    walk(&mut path, &mut vec![from], &waits_for).then_some(path)
}
// endregion
