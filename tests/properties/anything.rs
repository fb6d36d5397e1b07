//! No input makes anything panic or breaks a law: neither meaningless bytes nor nearly meaningful ones.

use std::fs;
use std::path::Path;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use crate::laws;

/// The seeds of a fuzz target.
fn seeds(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(target);
    let mut paths: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

/// Something that is done to a seed.
#[derive(Debug, Clone)]
enum Change {
    Replace(Index, u8),
    Insert(Index, Vec<u8>),
    Remove(Index, usize),
    Repeat(Index, usize),
}

impl Change {
    fn any() -> impl Strategy<Value = Self> {
        let index = any::<Index>;
        prop_oneof![
            4 => (index(), any::<u8>()).prop_map(|(at, byte)| Self::Replace(at, byte)),
            2 => (index(), vec(any::<u8>(), 1..8)).prop_map(|(at, bytes)| Self::Insert(at, bytes)),
            2 => (index(), 1..30_usize).prop_map(|(at, count)| Self::Remove(at, count)),
            1 => (index(), 1..30_usize).prop_map(|(at, count)| Self::Repeat(at, count)),
        ]
    }

    fn apply(&self, bytes: &mut Vec<u8>) {
        let (Self::Replace(at, _)
        | Self::Insert(at, _)
        | Self::Remove(at, _)
        | Self::Repeat(at, _)) = self;
        let at = at.index(bytes.len() + 1);
        let end = |count| bytes.len().min(at + count);
        match self {
            Self::Replace(_, byte) => {
                bytes.splice(at..end(1), [*byte]);
            }
            Self::Insert(_, inserted) => {
                bytes.splice(at..at, inserted.iter().copied());
            }
            Self::Remove(_, count) => {
                bytes.drain(at..end(*count));
            }
            Self::Repeat(_, count) => {
                let repeated = bytes[at..end(*count)].to_vec();
                bytes.splice(at..at, repeated);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn no_bytes_break_a_law(bytes in vec(any::<u8>(), 0..400)) {
        for (_, law) in laws::ALL {
            law(&bytes);
        }
    }

    #[test]
    fn no_change_to_a_seed_breaks_a_law(seed in any::<Index>(), changes in vec(Change::any(), 1..6)) {
        for (target, law) in laws::ALL {
            let seeds = seeds(target);
            let mut bytes = seeds[seed.index(seeds.len())].clone();
            for change in &changes {
                change.apply(&mut bytes);
            }
            law(&bytes);
        }
    }
}
