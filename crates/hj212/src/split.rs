//! Packets of a transmission that is split: what a later one needs of the first.

use std::collections::VecDeque;
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
/// behind the first packet of its transmission.
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
}

impl Transmissions {
    /// What goes to the pipeline for this frame.
    pub(crate) fn whole(&mut self, head: &Head<'_>, frame: &[u8], now: Instant) -> Vec<u8> {
        self.list.retain(|first| now.duration_since(first.at) < MEMORY);
        let split = head.flag.is_none_or(Flag::is_split);
        let (Some(packets), Some(number), true) = (head.pnum, head.pno, split) else {
            return frame.to_vec();
        };
        let timed = head.item("DataTime").is_some();
        let of =
            |first: &First| (&*first.mn, &*first.cn, first.packets) == (head.mn, head.cn, packets);
        if number == 1 && packets > 1 && timed {
            self.list.retain(|first| !of(first));
            if self.list.len() >= REMEMBERED {
                self.list.pop_front();
            }
            self.list.push_back(First {
                mn: head.mn.into(),
                cn: head.cn.into(),
                packets,
                frame: frame.into(),
                at: now,
            });
        } else if number > 1
            && !timed
            && let Some(first) = self.list.iter().find(|first| of(first))
        {
            return [&first.frame, frame].concat();
        }
        frame.to_vec()
    }
}

#[cfg(test)]
mod tests {
    use city_decode::hj212::{CrcKind, Frame, encode};

    use super::*;

    fn packet(mn: &str, number: u16, data: &str) -> Vec<u8> {
        encode(
            &format!("ST=22;CN=2051;MN={mn};Flag=6;PNUM=2;PNO={number};CP=&&{data}&&"),
            CrcKind::Standard,
        )
    }

    fn whole(transmissions: &mut Transmissions, frame: &[u8], now: Instant) -> Vec<u8> {
        let head = Frame::parse(frame).and_then(|frame| frame.head()).expect("a frame");
        transmissions.whole(&head, frame, now)
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
        assert_eq!(whole(&mut known, &timed, now), timed);
        assert_eq!(whole(&mut known, &other, now), other, "another device's");
        assert_eq!(whole(&mut known, &second, now + MEMORY), second, "long ago");
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
