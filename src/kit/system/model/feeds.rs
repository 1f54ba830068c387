//! Feeds: what members post to each other arrives in its order, or dies with a cut or with either of the two.

use super::{Event, System};
use crate::flow::Key;
use crate::system::parcel::{Feed, Parcel, Seat};
use crate::system::script::Cx;
use engine::Time;

impl System {
    /// Posts something from one member to another; it travels so long, or longer, so that nothing overtakes. The script hears of
    /// its arrival ([`super::super::Script::delivered`]). A member that is down or isolated posts in vain.
    pub fn post(
        &mut self,
        [from, to]: [Seat; 2],
        (kind, value): (u8, u64),
        number: u32,
        travel: Time,
        cx: Cx<'_, '_>,
    ) {
        let (Some(sender), Some(receiver)) = (self.life_of(from), self.life_of(to)) else {
            return;
        };
        let due = cx.now() + travel;
        let feed = self.feeds.iter_mut();
        let known = feed
            .into_iter()
            .find(|feed| feed.from == from && feed.to == to);
        let due = match known {
            Some(feed) => {
                feed.last = feed.last.max(due);
                feed.last
            }
            None => {
                let last = due;
                self.feeds.push(Feed { from, to, last });
                due
            }
        };
        self.tallies.posted += 1;
        let key = self.parcels.insert(Parcel {
            from,
            to,
            kind,
            value,
            number,
            left: cx.now(),
            due,
            lives: [sender, receiver],
        });
        cx.schedule(due.since(cx.now()), Event::Parcel(key));
    }

    /// A parcel has come to the end of its way.
    pub(in crate::system) fn deliver(&mut self, key: Key, cx: Cx<'_, '_>) {
        let Some(parcel) = self.parcels.remove(key) else {
            return;
        };
        let lives = [parcel.from, parcel.to].map(|seat| self.life_of(seat));
        if lives != parcel.lives.map(Some) {
            self.tallies.strayed += 1;
            return;
        }
        self.tallies.delivered += 1;
        self.script.delivered(&parcel, self, cx);
    }

    /// What is on its way from member to member, in no order.
    pub fn parcels(&self) -> impl Iterator<Item = &Parcel> {
        self.parcels.iter().map(|(_, parcel)| parcel)
    }

    /// The number of a member's life, if it is up and not isolated.
    fn life_of(&self, seat: Seat) -> Option<u32> {
        let member = self.node(seat.node)?.members.get(seat.member)?;
        let hears = member.down.is_none() && !member.own.isolated;
        hears.then(|| member.life())
    }

    /// What was posted has arrived, has strayed or is on its way; none overtakes another.
    pub(super) fn feeds_are_right(&self) -> Result<(), String> {
        let all = self.tallies;
        let on_the_way = self.parcels.len() as u64;
        if all.posted != all.delivered + all.strayed + on_the_way {
            return Err(format!("{on_the_way} parcels are on their way: {all:?}"));
        }
        for feed in &self.feeds {
            let mine = self
                .parcels
                .iter()
                .filter(|(_, parcel)| (parcel.from, parcel.to) == (feed.from, feed.to));
            let mut mine: Vec<(u32, Time)> = mine
                .map(|(key, parcel)| (key.serial(), parcel.due))
                .collect();
            mine.sort_unstable();
            if !mine.is_sorted_by_key(|(_, due)| *due) || mine.iter().any(|it| it.1 < self.now) {
                return Err(format!("a parcel is late or overtakes on {feed:?}"));
            }
        }
        Ok(())
    }
}
