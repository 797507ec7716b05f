//! From which lane a worker claims next, if it may claim from all.
//!
//! Of calls that are not short, the one that was handed over first: so that no call waits in a long lane while later ones of a shorter lane run.
//! Where all lanes are looked at, that is one queue for all, whatever the balancer does. Looking at other lanes costs tens of ns each. So of short
//! calls the worker's own lane is next, and of others' the first that is found; and for one that is not short so many lanes are looked at as
//! its run time does not show ([`Costs::looks`](crate::cost::Costs::looks)): from some 0.2 ms on, all of 256.

/// The first unclaimed call of a lane.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Head {
    /// When it was handed over.
    pub(crate) since: u64,
    /// Whether it is known to be short.
    pub(crate) short: bool,
    /// Most lanes of others that are looked at for a call that waits longer.
    pub(crate) looks: usize,
}

/// The lane to claim from. None if all are empty. `first` is any lane, drawn by lot, from which the others are looked at.
pub(crate) fn choose<E>(
    own: usize,
    count: usize,
    first: usize,
    mut head: impl FnMut(usize) -> Result<Option<Head>, E>,
) -> Result<Option<usize>, E> {
    let mut oldest = None;
    if let Some(mine) = head(own)? {
        if mine.short {
            return Ok(Some(own));
        }
        oldest = Some((mine, own));
    }
    let others = (0..count).map(|turn| (first + turn) % count);
    for (looks, lane) in (1..).zip(others.filter(|lane| *lane != own)) {
        if let Some(other) = head(lane)? {
            if oldest.is_none_or(|(head, _): (Head, usize)| other.since < head.since) {
                oldest = Some((other, lane));
            }
            if other.short {
                break;
            }
        }
        if oldest.is_some_and(|(head, _)| looks >= head.looks) {
            break;
        }
    }
    Ok(oldest.map(|(_, lane)| lane))
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    fn chosen(own: usize, first: usize, heads: &[Option<(u64, bool)>]) -> (Option<usize>, usize) {
        let mut looks = 0;
        let head = |lane: usize| {
            looks += 1;
            let head = heads[lane];
            Ok::<_, Infallible>(head.map(|(since, short)| Head {
                since,
                short,
                looks: LOOKS,
            }))
        };
        let lane = choose(own, heads.len(), first, head).unwrap();
        (lane, looks)
    }

    const LOOKS: usize = 16;
    const LONG: bool = false;
    const SHORT: bool = true;

    #[test]
    fn the_oldest_call_that_is_not_short_is_next_wherever_it_waits() {
        let heads = [Some((5, LONG)), Some((3, LONG)), None, Some((4, LONG))];
        for own in 0..4 {
            for first in 0..4 {
                assert_eq!(chosen(own, first, &heads).0, Some(1));
            }
        }
    }

    #[test]
    fn short_calls_of_its_own_are_next_without_a_look_at_others() {
        let heads = [Some((5, SHORT)), Some((3, LONG))];
        assert_eq!(chosen(0, 1, &heads), (Some(0), 1));
    }

    #[test]
    fn an_idle_worker_finds_the_only_call_in_however_many_lanes() {
        let mut heads = vec![None; 100];
        heads[42] = Some((9, LONG));
        assert_eq!(chosen(0, 43, &heads).0, Some(42));
        heads[42] = Some((9, SHORT));
        assert_eq!(chosen(0, 42, &heads), (Some(42), 2));
        assert_eq!(chosen(0, 0, &vec![None; 100]), (None, 100));
    }

    #[test]
    fn many_lanes_are_not_all_looked_at_while_there_is_something_to_claim() {
        let heads = vec![Some((9, LONG)); 100];
        let (lane, looks) = chosen(7, 50, &heads);
        assert_eq!(lane, Some(7));
        assert_eq!(looks, 1 + LOOKS);
    }

    #[test]
    fn a_call_for_which_many_looks_are_allowed_gets_them() {
        let mut heads = vec![None; 100];
        heads[7] = Some((9, LONG));
        heads[49] = Some((1, LONG));
        let head = |allowed: usize| {
            let heads = heads.clone();
            move |lane: usize| {
                Ok::<_, Infallible>(heads[lane].map(|(since, short)| Head {
                    since,
                    short,
                    looks: allowed,
                }))
            }
        };
        assert_eq!(choose(7, 100, 50, head(16)), Ok(Some(7)));
        assert_eq!(choose(7, 100, 50, head(99)), Ok(Some(49)));
    }
}
