//! Where a packet goes in the end that its sender sends by way of other hosts.
//!
//! In: the options of an IPv4 header. Out: the last address of a source route of which a part lies
//! ahead. The destination in the IP header is the next host on the way then (RFC 791 section 3.1).
//! Of a route that is done, or that breaks its rules, nothing comes out: the destination in the IP
//! header holds. Not here: the routing headers of IPv6, whose packets count for the next host.

/// The options that end the list and fill it up, which have no length.
const END: u8 = 0;
const NO_OPERATION: u8 = 1;
/// Loose and strict source route (RFC 791 section 3.1): kind, length, pointer, addresses. The
/// pointer counts from 1, to the next address that is to be visited.
const LOOSE: u8 = 131;
const STRICT: u8 = 137;
const ROUTE_HEADER: usize = 3;

/// The last address of the source route among the options of an IPv4 header.
pub(super) fn last_of_route(options: &[u8]) -> Option<[u8; 4]> {
    let mut rest = options;
    loop {
        match *rest {
            [NO_OPERATION, ref behind @ ..] => rest = behind,
            [END, ..] => return None,
            [kind, length, ..] => {
                let (option, behind) = rest.split_at_checked(length.into())?;
                if matches!(kind, LOOSE | STRICT) {
                    return last_ahead(option);
                }
                // An option of no length would be met for ever.
                rest = Some(behind).filter(|_| option.len() > 1)?;
            }
            _ => return None,
        }
    }
}

fn last_ahead(option: &[u8]) -> Option<[u8; 4]> {
    let pointer = usize::from(*option.get(2)?);
    let addresses = option.get(ROUTE_HEADER..)?;
    let on_an_address = pointer > ROUTE_HEADER && pointer % 4 == 0;
    let ahead = on_an_address && addresses.len() % 4 == 0 && pointer <= option.len();
    addresses.last_chunk().copied().filter(|_| ahead)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routes_that_break_their_rules_lead_nowhere() {
        let good = [131, 11, 4, 10, 0, 0, 3, 10, 0, 0, 4, 0];
        assert_eq!(last_of_route(&good), Some([10, 0, 0, 4]));
        // The pointer below the first address, between two, behind the last; no whole address; an
        // option that is longer than the header; options without length.
        let bad: [(usize, u8); 5] = [(2, 3), (2, 5), (2, 12), (1, 10), (1, 13)];
        for (place, value) in bad {
            let mut options = good;
            options[place] = value;
            assert_eq!(last_of_route(&options), None, "{options:?}");
        }
        assert_eq!(last_of_route(&[7, 0, 131, 7, 4, 10, 0, 0, 3]), None);
        assert_eq!(last_of_route(&[7, 1, 131, 7, 4, 10, 0, 0, 3]), None);
        assert_eq!(last_of_route(&[131]), None);
        assert_eq!(last_of_route(&[0, 131, 7, 4, 10, 0, 0, 3]), None);
        // Other options stand before it: a time stamp, and two that fill up.
        let behind = [68, 4, 5, 0, 1, 1, 137, 7, 4, 10, 0, 0, 3];
        assert_eq!(last_of_route(&behind), Some([10, 0, 0, 3]));
    }
}
