//! Feeds of a social network: who follows whom, which posts lie in whose inbox, and the page that is merged of lists at the last
//! moment.
//!
//! A post has a number, later posts a greater one (as of [`crate::snowflake`]). A number is copied to a reader's inbox when it is
//! written, or fetched from its author's outbox when the reader looks. Which of the two is cheaper is decided for each pair of author
//! and reader: Silberstein, Terrace, Cooper, Ramakrishnan, "Feeding Frenzy: Selectively Materializing Users' Event Feeds" (SIGMOD
//! 2010), section 3. Bounded inboxes of numbers: Krikorian, "Timelines at Scale" (QCon 2012), and Mastodon, which both keep 800.

use crate::hash::mix64;
use std::collections::BinaryHeap;
use std::rc::Rc;

/// A user.
pub type User = u16;
/// A post; who wrote later has the greater number.
pub type Number = u32;

/// Who follows whom.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Graph {
    follows: Vec<Vec<User>>,
    followers: Vec<Vec<User>>,
}

impl Graph {
    /// One user for each entry, with so many followers drawn from all others; at most all of them.
    pub fn draw(sizes: &[usize], salt: u64) -> Graph {
        let users = sizes.len();
        let mut graph = Graph {
            follows: vec![Vec::new(); users],
            followers: vec![Vec::new(); users],
        };
        for (author, size) in sizes.iter().enumerate() {
            // The first of a shuffled deck: more followers are these and others.
            let mut deck: Vec<User> = (0..users as User)
                .filter(|it| usize::from(*it) != author)
                .collect();
            for i in 0..(*size).min(deck.len()) {
                let dice = mix64(salt ^ mix64((author as u64) << 20 | i as u64));
                let other = i + (dice % (deck.len() - i) as u64) as usize;
                deck.swap(i, other);
                graph.follow(deck[i], author as User);
            }
        }
        graph
    }

    /// How many users there are.
    pub fn users(&self) -> usize {
        self.follows.len()
    }

    /// Who follows an author, ascending.
    pub fn followers(&self, author: User) -> &[User] {
        self.followers.get(usize::from(author)).map_or(&[], |it| it)
    }

    /// Whom a reader follows, ascending.
    pub fn follows(&self, reader: User) -> &[User] {
        self.follows.get(usize::from(reader)).map_or(&[], |it| it)
    }

    /// Whether a reader follows an author.
    pub fn is_followed(&self, reader: User, author: User) -> bool {
        self.follows(reader).binary_search(&author).is_ok()
    }

    /// A reader follows an author from now on; false if that was so, or cannot be.
    pub fn follow(&mut self, reader: User, author: User) -> bool {
        let users = self.users();
        let there = usize::from(reader) < users && usize::from(author) < users;
        if !there || reader == author || self.is_followed(reader, author) {
            return false;
        }
        add(&mut self.follows[usize::from(reader)], author);
        add(&mut self.followers[usize::from(author)], reader);
        true
    }

    /// A reader follows an author no longer; false if that was so.
    pub fn unfollow(&mut self, reader: User, author: User) -> bool {
        if !self.is_followed(reader, author) {
            return false;
        }
        self.follows[usize::from(reader)].retain(|it| *it != author);
        self.followers[usize::from(author)].retain(|it| *it != reader);
        true
    }
}

/// Puts something into an ascending list that has it once; false if it was there.
fn add<T: Ord>(list: &mut Vec<T>, one: T) -> bool {
    match list.binary_search(&one) {
        Ok(_) => false,
        Err(place) => {
            list.insert(place, one);
            true
        }
    }
}

/// A list of numbers for each user, of which only the newest are kept: inboxes, outboxes. A copy of all lists shares those that
/// have not changed since.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Boxes {
    lists: Vec<Rc<Vec<Number>>>,
    room: usize,
}

impl Boxes {
    /// Empty lists with room for so many numbers each.
    pub fn new(users: usize, room: usize) -> Boxes {
        Boxes {
            lists: vec![Rc::default(); users],
            room,
        }
    }

    /// The numbers in a user's list, ascending.
    pub fn of(&self, user: User) -> &[Number] {
        self.lists.get(usize::from(user)).map_or(&[], |it| it)
    }

    /// Whether a number lies in a user's list.
    pub fn has(&self, user: User, number: Number) -> bool {
        self.of(user).binary_search(&number).is_ok()
    }

    // region: keep
    /// Puts a number into a user's list at its place, however late it comes; the oldest gives way. False if it was there, or is
    /// older than all that a full list has.
    pub fn put(&mut self, user: User, number: Number) -> bool {
        let room = self.room;
        let Some(list) = self.lists.get_mut(usize::from(user)) else {
            return false;
        };
        if list.len() >= room && list.first().is_none_or(|oldest| number < *oldest) {
            return false;
        }
        let list = Rc::make_mut(list);
        let new = add(list, number);
        if list.len() > room {
            list.remove(0);
        }
        new
    }
    // endregion

    /// A user's list is what these lists together have.
    pub fn fill(&mut self, user: User, lists: &[&[Number]]) {
        let mut numbers = newest(lists, self.room, |_| true);
        numbers.reverse();
        if let Some(list) = self.lists.get_mut(usize::from(user)) {
            *list = Rc::new(numbers);
        }
    }

    /// A user's list is dropped.
    pub fn clear(&mut self, user: User) {
        if let Some(list) = self.lists.get_mut(usize::from(user)) {
            *list = Rc::default();
        }
    }
}

// region: merge
/// The newest numbers of these ascending lists, newest first, each once, of those that `wanted` lets through; at most `most`.
pub fn newest(
    lists: &[&[Number]],
    most: usize,
    mut wanted: impl FnMut(Number) -> bool,
) -> Vec<Number> {
    // The newest of each list that is left, and how many are left before it.
    let last = |nth: usize, left: usize| lists[nth][..left].last().map(|it| (*it, nth, left - 1));
    let heads = (0..lists.len()).filter_map(|nth| last(nth, lists[nth].len()));
    let mut heads: BinaryHeap<(Number, usize, usize)> = heads.collect();
    let (mut page, mut before) = (Vec::new(), None);
    while page.len() < most
        && let Some((number, nth, left)) = heads.pop()
    {
        heads.extend(last(nth, left));
        let double = before.replace(number) == Some(number);
        if !double && wanted(number) {
            page.push(number);
        }
    }
    page
}
// endregion

/// What it costs to copy a number to an inbox, and to fetch an outbox; in any unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Prices {
    /// For each post, paid when it is written.
    pub copy: f64,
    /// For each look, paid when somebody looks.
    pub fetch: f64,
}

impl Prices {
    // region: pair
    /// Whether it is cheaper to copy an author's posts to a reader than to fetch them: her pace against the reader's. The number of
    /// her followers does not matter. Where both cost the same, it is fetched.
    pub fn copies(self, posts_per_s: f64, looks_per_s: f64) -> bool {
        posts_per_s * self.copy < looks_per_s * self.fetch
    }
    // endregion

    /// What a pair costs a second.
    pub fn pair(self, copied: bool, posts_per_s: f64, looks_per_s: f64) -> f64 {
        match copied {
            true => posts_per_s * self.copy,
            false => looks_per_s * self.fetch,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_graph_has_as_many_followers_as_were_asked_for_and_more_are_these_and_others() {
        let sizes = |star: usize| {
            let mut sizes = vec![28; 1_000];
            sizes[0] = star;
            sizes
        };
        let (few, many) = (Graph::draw(&sizes(100), 7), Graph::draw(&sizes(600), 7));
        assert_eq!(few.users(), 1_000);
        assert_eq!(few.followers(0).len(), 100);
        assert_eq!(many.followers(0).len(), 600);
        assert!(few.followers(0).iter().all(|it| many.is_followed(*it, 0)));
        for user in 0..1_000 {
            assert!(!many.is_followed(user, user));
            assert!(many.followers(user).is_sorted() && many.follows(user).is_sorted());
        }
        let all: usize = (0..1_000).map(|it| many.follows(it).len()).sum();
        assert_eq!(all, 600 + 999 * 28);
        // No more than there are.
        assert_eq!(Graph::draw(&[9, 0, 0], 1).followers(0), [1, 2]);
        assert_eq!(Graph::draw(&[], 1).users(), 0);
    }

    #[test]
    fn one_follows_once_and_leaves_once() {
        let mut graph = Graph::draw(&[0, 0, 0], 1);
        assert!(graph.follow(1, 0));
        assert!(!graph.follow(1, 0) && !graph.follow(2, 2) && !graph.follow(9, 0));
        assert_eq!((graph.follows(1), graph.followers(0)), (&[0][..], &[1][..]));
        assert!(graph.unfollow(1, 0) && !graph.unfollow(1, 0));
        assert!(graph.followers(0).is_empty() && graph.follows(1).is_empty());
        assert!(graph.followers(9).is_empty());
    }

    #[test]
    fn an_inbox_keeps_the_newest_in_order_however_late_they_come() {
        let mut boxes = Boxes::new(2, 3);
        for number in [5, 2, 9, 2, 7] {
            boxes.put(0, number);
        }
        assert_eq!(boxes.of(0), [5, 7, 9]);
        assert!(!boxes.put(0, 1), "older than all that is kept");
        assert!(!boxes.put(0, 7), "there already");
        assert!(boxes.has(0, 7) && !boxes.has(0, 2) && !boxes.has(1, 7));
        let copy = boxes.clone();
        boxes.clear(0);
        assert!(boxes.of(0).is_empty() && !boxes.put(5, 1));
        assert_eq!(copy.of(0), [5, 7, 9], "a copy has a list of its own");
        // A single loud author fills it.
        (10..100).for_each(|number| _ = boxes.put(1, number));
        assert_eq!(boxes.of(1), [97, 98, 99]);
        boxes.fill(1, &[&[1, 4], &[2, 4, 8, 9]]);
        assert_eq!(boxes.of(1), [4, 8, 9]);
    }

    #[test]
    fn a_merge_of_lists_equals_a_sort() {
        for round in 0..200_u64 {
            let dice = |purpose: u64| mix64(round << 32 | purpose);
            let lists: Vec<Vec<Number>> = (0..dice(1) % 9)
                .map(|nth| {
                    let drawn = (0..dice(2 + nth) % 40).map(|i| dice(nth << 8 | i) as u32 % 90);
                    let mut list: Vec<Number> = drawn.collect();
                    list.sort_unstable();
                    list.dedup();
                    list
                })
                .collect();
            let most = (dice(99) % 30) as usize;
            let slices: Vec<&[Number]> = lists.iter().map(Vec::as_slice).collect();
            let merged = newest(&slices, most, |number| number % 7 != 3);
            let mut sorted: Vec<Number> = lists.concat();
            sorted.sort_unstable_by(|a, b| b.cmp(a));
            sorted.dedup();
            sorted.retain(|number| number % 7 != 3);
            sorted.truncate(most);
            assert_eq!(merged, sorted, "round {round}");
        }
    }

    #[test]
    fn an_author_who_is_copied_and_fetched_shows_once() {
        let (inbox, outbox) = ([3, 4, 6, 8], [4, 8, 9]);
        assert_eq!(newest(&[&inbox, &outbox], 20, |_| true), [9, 8, 6, 4, 3]);
    }

    /// Section 3 of the paper: push if the reader's rate over the author's is above the price of a push over that of a pull.
    #[test]
    fn a_pair_is_copied_where_its_ratio_of_rates_is_above_the_ratio_of_prices() {
        let prices = Prices {
            copy: 20.0,
            fetch: 3.0,
        };
        // Who looks once in ten seconds: copied of who writes less than once in 67 s.
        assert!(prices.copies(1.0 / 67.0, 0.1) && !prices.copies(1.0 / 66.0, 0.1));
        // Who never looks gets nothing, who never writes costs nothing copied.
        assert!(!prices.copies(0.01, 0.0) && prices.copies(0.0, 0.1));
        let mut rates = (0..60).map(|i| f64::from(i) * 0.01);
        assert!(rates.all(|posts| {
            let above = 0.1 / posts > prices.copy / prices.fetch;
            prices.copies(posts, 0.1) == above
        }));
    }

    #[test]
    fn by_pair_is_never_dearer_than_any_other_choice() {
        let prices = Prices {
            copy: 20.0,
            fetch: 3.0,
        };
        for round in 0..20_u64 {
            let unit = |purpose: u64| (mix64(round << 32 | purpose) % 1_000) as f64 / 1_000.0;
            let graph = Graph::draw(&[11, 6, 3, 3, 2, 2, 1, 1, 1, 0, 4, 5], round);
            let pairs: Vec<(u16, f64, f64)> = (0..12)
                .flat_map(|author| {
                    let posts = unit(u64::from(author)) * 0.2;
                    let each = graph.followers(author).iter();
                    each.map(move |it| (author, posts, unit(100 + u64::from(*it)) * 0.5))
                })
                .collect();
            let cost = |copied: &dyn Fn(u16, f64, f64) -> bool| -> f64 {
                let each = pairs.iter();
                each.map(|(author, posts, looks)| {
                    prices.pair(copied(*author, *posts, *looks), *posts, *looks)
                })
                .sum()
            };
            let by_pair = cost(&|_, posts, looks| prices.copies(posts, looks));
            let others = (0..13).map(|above| {
                cost(&move |author, _, _| {
                    [11, 6, 3, 3, 2, 2, 1, 1, 1, 0, 4, 5][usize::from(author)] <= above
                })
            });
            // None copied to all copied, and every threshold between.
            assert!(others.into_iter().all(|other| by_pair <= other + 1e-9));
            // Every subset of who is copied, author by author.
            for set in 0_u32..1 << 12 {
                let other = cost(&|author, _, _| set >> author & 1 == 1);
                assert!(by_pair <= other + 1e-9, "round {round}, {set:b}");
            }
        }
    }
}
