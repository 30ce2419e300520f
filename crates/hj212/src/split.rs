//! Packets of a transmission that is split: what a later one needs of the first.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::time::Duration;

use city_decode::hj212::{Flag, Head};
use tokio::time::Instant;

/// Transmissions that are remembered at a time.
const REMEMBERED: usize = 32;
/// For how long.
const MEMORY: Duration = Duration::from_mins(10);

/// The first packets of the transmissions of one connection.
///
/// A packet with a `DataTime` of its own is whole in itself. One without (`PNO` from 2 on) is put
/// behind the first packet of its transmission. It is of that one if it is the next, or the last
/// one once more: no packet names its transmission, and where the first one of the next was lost,
/// the others look the same.
#[derive(Debug, Default)]
pub(crate) struct Transmissions {
    list: VecDeque<First>,
}

#[derive(Debug)]
struct First {
    mn: Box<str>,
    cn: Box<str>,
    packets: u16,
    frame: Box<[u8]>,
    at: Instant,
    /// The last packet that came.
    last: Last,
}

/// A packet, as far as it takes to know it again. A logger that waited in vain for the answer sends
/// it once more, by HJ 212-2025 with `RF=1`, so that the frame is another.
#[derive(Debug, PartialEq, Eq)]
struct Last {
    number: u16,
    /// A hash of its `QN` and data.
    content: u64,
}

impl Last {
    fn of(head: &Head<'_>, number: u16) -> Self {
        let mut hasher = DefaultHasher::new();
        (head.qn, head.data).hash(&mut hasher);
        Self { number, content: hasher.finish() }
    }
}

impl First {
    /// Whether this packet follows those that came. `PNO = PNUM` ends the transmission: there is no
    /// next one then.
    fn goes_on_in(&self, last: &Last) -> bool {
        last == &self.last
            || (last.number <= self.packets && last.number == self.last.number.saturating_add(1))
    }
}

impl Transmissions {
    /// What goes to the pipeline for this frame. `timed` says whether it has a `DataTime`; none if
    /// nobody can say, because it is encrypted.
    pub(crate) fn whole(
        &mut self,
        head: &Head<'_>,
        timed: Option<bool>,
        frame: &[u8],
        now: Instant,
    ) -> Vec<u8> {
        self.list.retain(|first| now.duration_since(first.at) < MEMORY);
        let split = head.flag.is_none_or(Flag::is_split);
        let (Some(packets), Some(number), true) = (head.pnum, head.pno, split) else {
            return frame.to_vec();
        };
        let of =
            |first: &First| (&*first.mn, &*first.cn, first.packets) == (head.mn, head.cn, packets);
        let last = Last::of(head, number);
        if number == 1 && packets > 1 {
            self.list.retain(|first| !of(first));
            if timed == Some(false) {
                return frame.to_vec();
            }
            if self.list.len() >= REMEMBERED {
                self.list.pop_front();
            }
            self.list.push_back(First {
                mn: head.mn.into(),
                cn: head.cn.into(),
                packets,
                frame: frame.into(),
                at: now,
                last,
            });
        } else if number > 1
            && let Some(place) = self.list.iter().position(of)
            && let Some(first) = self.list.get_mut(place)
        {
            if !first.goes_on_in(&last) {
                self.list.remove(place);
                return frame.to_vec();
            }
            first.last = last;
            if timed != Some(true) {
                return [&first.frame, frame].concat();
            }
        }
        frame.to_vec()
    }
}

#[cfg(test)]
mod tests {
    use city_decode::hj212::{CrcKind, Frame, encode};

    use super::*;

    fn packet_of(mn: &str, qn: u32, (number, packets): (u16, u16), data: &str) -> Vec<u8> {
        let head = format!("QN={qn};ST=22;CN=2051;MN={mn};Flag=6;PNUM={packets};PNO={number}");
        encode(&format!("{head};CP=&&{data}&&"), CrcKind::Standard)
    }

    fn packet(mn: &str, number: u16, data: &str) -> Vec<u8> {
        packet_of(mn, 1, (number, 2), data)
    }

    fn whole(transmissions: &mut Transmissions, frame: &[u8], now: Instant) -> Vec<u8> {
        let head = Frame::parse(frame).and_then(|frame| frame.head()).expect("a frame");
        let timed = Some(head.item("DataTime").is_some());
        transmissions.whole(&head, timed, frame, now)
    }

    #[test]
    fn a_packet_without_its_time_goes_behind_the_first_of_its_transmission() {
        let (now, mut known) = (Instant::now(), Transmissions::default());
        let first = packet("A", 1, "DataTime=20261123163000;a34004-Avg=1");
        let second = packet("A", 2, "a34002-Avg=2");
        let timed = packet("A", 2, "DataTime=20261123163000;a34002-Avg=2");
        let other = packet("B", 2, "a34002-Avg=2");
        assert_eq!(whole(&mut known, &second, now), second, "nothing is known yet");
        assert_eq!(whole(&mut known, &first, now), first);
        assert_eq!(whole(&mut known, &second, now), [&first[..], &second].concat());
        assert_eq!(whole(&mut known, &other, now), other, "another device's");
        assert_eq!(whole(&mut known, &second, now), [&first[..], &second].concat(), "again");
        assert_eq!(whole(&mut known, &second, now + MEMORY), second, "long ago");
        assert_eq!(whole(&mut known, &first, now), first);
        assert_eq!(whole(&mut known, &timed, now), timed);
    }

    #[test]
    fn a_packet_whose_first_one_was_lost_gets_no_time_of_the_transmission_before() {
        let (now, mut known) = (Instant::now(), Transmissions::default());
        let data = |number: u16| format!("a34002-Avg={number}");
        let first = packet_of("A", 1, (1, 3), "DataTime=20261123163000;a34004-Avg=1");
        let later = |qn, number| packet_of("A", qn, (number, 3), &data(number));
        let behind = |later: &Vec<u8>| [&first[..], later].concat();
        for number in 1..=3 {
            let packet = if number == 1 { first.clone() } else { later(1, number) };
            let expected = if number == 1 { first.clone() } else { behind(&packet) };
            assert_eq!(whole(&mut known, &packet, now), expected);
        }
        // Sent once more for want of an answer, and then that of the next minute.
        assert_eq!(whole(&mut known, &later(1, 3), now), behind(&later(1, 3)));
        assert_eq!(whole(&mut known, &later(2, 2), now), later(2, 2));
        assert_eq!(whole(&mut known, &later(1, 3), now), later(1, 3), "forgotten");

        assert_eq!(whole(&mut known, &first, now), first);
        assert_eq!(whole(&mut known, &later(2, 3), now), later(2, 3), "the second is not here");
        assert_eq!(whole(&mut known, &later(1, 2), now), later(1, 2), "nor is any known now");
        // A first one without its time ends what was before it too.
        assert_eq!(whole(&mut known, &first, now), first);
        let untimed = packet_of("A", 2, (1, 3), "a34004-Avg=1");
        assert_eq!(whole(&mut known, &untimed, now), untimed);
        assert_eq!(whole(&mut known, &later(2, 2), now), later(2, 2));
    }

    #[test]
    fn packets_that_nobody_can_read_are_taken_for_ones_without_a_time() {
        let (now, mut known) = (Instant::now(), Transmissions::default());
        let packets = [1, 2].map(|number| packet("A", number, "?"));
        let [first, second] = packets.each_ref().map(|frame| {
            let head = Frame::parse(frame).and_then(|frame| frame.head()).expect("a frame");
            known.whole(&head, None, frame, now)
        });
        assert_eq!((first, second), (packets[0].clone(), packets.concat()));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let (now, mut known) = (Instant::now(), Transmissions::default());
        for number in 0..1_000 {
            let first = packet(&format!("M{number}"), 1, "DataTime=20261123163000");
            whole(&mut known, &first, now);
        }
        assert_eq!(known.list.len(), REMEMBERED);
    }
}
