//! DEFLATE, read in the plainest way, from the text of RFC 1951, and cut into messages as RFC 7692,
//! section 7.2.2, does.
//!
//! Bit by bit, one symbol after the other, from tables that are searched. Shares nothing with the library
//! but its names for parameters.

use sansocket::extension::{ContextTakeover, SenderParameters};

const INVALID_PAYLOAD: u16 = 1007;

/// RFC 1951, section 2: how far back anything may refer.
const WINDOW: usize = 32 * 1024;

/// How many further bits follow the symbols from 257 on, and what these are added to (section
/// 3.2.5).
const LENGTH_BITS: [u32; 29] =
    [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];
/// See [`LENGTH_BITS`].
const LENGTH_BASES: [usize; 29] = [
    3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131,
    163, 195, 227, 258,
];

/// The order of the lengths of the code lengths' own code (section 3.2.7).
const ORDER: [usize; 19] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/// Why a symbol or a header was not read.
enum Stop {
    /// Its last bit has not arrived.
    Incomplete,
    /// It can't be right.
    Wrong,
}

/// What happens to each byte that comes out.
type Emit<'a> = &'a mut dyn FnMut(u8) -> Result<(), u16>;

/// Inflates the messages of one sender.
#[derive(Debug)]
pub struct Inflater {
    sender: SenderParameters,
    /// How far back a distance may reach.
    reach: usize,
    bits: Bits,
    block: Block,
    /// Whether the block has BFINAL set.
    is_final: bool,
    /// Whether a byte has arrived since the message began, or since a block with BFINAL ended.
    begun: bool,
    /// What came out so far, as far as it may be referred to.
    history: Vec<u8>,
}

/// What the next bit is part of.
#[derive(Debug)]
enum Block {
    /// The header of a block.
    Header,
    /// This many bytes without compression.
    Stored(usize),
    /// Symbols.
    Compressed { literals: Code, distances: Code },
}

impl Inflater {
    /// For a sender that has agreed to this, but may refer further back all the same.
    pub fn new(sender: SenderParameters) -> Self {
        Self {
            sender,
            reach: WINDOW,
            bits: Bits::default(),
            block: Block::Header,
            is_final: false,
            begun: false,
            history: Vec::new(),
        }
    }

    /// For a sender that keeps to the window that it has agreed to (7.1.2).
    pub fn strict(sender: SenderParameters) -> Self {
        let reach = sender.max_window_bits.map_or(WINDOW, |bits| 1 << bits.get());
        Self { reach, ..Self::new(sender) }
    }

    /// Takes the next byte of a message, and gives each byte that comes out to `emit`; a close code from
    /// it ends everything.
    pub fn byte(&mut self, byte: u8, emit: Emit<'_>) -> Result<(), u16> {
        self.begun = true;
        self.bits.bytes.push(byte);
        loop {
            let before = self.bits.at;
            match self.step(emit) {
                Ok(()) => {}
                Err(Err(Stop::Incomplete)) => {
                    self.bits.at = before;
                    self.bits.drop_read_bytes();
                    return Ok(());
                }
                Err(Err(Stop::Wrong)) => return Err(INVALID_PAYLOAD),
                Err(Ok(code)) => return Err(code),
            }
        }
    }

    /// The message has ended.
    pub fn finish(&mut self) -> Result<(), u16> {
        if self.begun {
            // 7.2.2: "Append 4 octets of 0x00 0x00 0xff 0xff to the tail end of the payload".
            for byte in [0x00, 0x00, 0xFF, 0xFF] {
                self.byte(byte, &mut |_| Err(INVALID_PAYLOAD))?;
            }
            let ends_a_block = matches!(self.block, Block::Header) && self.bits.is_empty();
            if !ends_a_block {
                return Err(INVALID_PAYLOAD);
            }
        }
        self.begun = false;
        // 7.1.1: without context takeover each message begins with an empty window.
        if self.sender.context_takeover == ContextTakeover::No {
            self.history.clear();
        }
        Ok(())
    }

    /// Reads one header, symbol or byte. Returns the close code if the byte that came out caused one.
    fn step(&mut self, emit: Emit<'_>) -> Result<(), Result<u16, Stop>> {
        match &mut self.block {
            Block::Header => {
                self.is_final = self.bits.number(1).map_err(Err)? == 1;
                self.block = match self.bits.number(2).map_err(Err)? {
                    0 => Block::Stored(self.bits.stored_length().map_err(Err)?),
                    1 => Block::fixed(),
                    2 => self.bits.dynamic_codes().map_err(Err)?,
                    _ => return Err(Err(Stop::Wrong)),
                };
                if let Block::Stored(0) = self.block {
                    self.end_block();
                }
            }
            Block::Stored(left) => {
                let byte = self.bits.byte().map_err(Err)?;
                *left -= 1;
                let is_last = *left == 0;
                self.emit(byte, emit)?;
                if is_last {
                    self.end_block();
                }
            }
            Block::Compressed { literals, distances } => {
                let symbol = literals.symbol(&mut self.bits).map_err(Err)?;
                match symbol {
                    0..256 => self.emit(u8::try_from(symbol).unwrap(), emit)?,
                    256 => self.end_block(),
                    _ => {
                        let more = *LENGTH_BITS.get(symbol - 257).ok_or(Err(Stop::Wrong))?;
                        let more = self.bits.number(more).map_err(Err)?;
                        let length = LENGTH_BASES[symbol - 257] + more;
                        let symbol = distances.symbol(&mut self.bits).map_err(Err)?;
                        let distance = self.bits.distance(symbol).map_err(Err)?;
                        let start = self.history.len().checked_sub(distance);
                        let start = start.filter(|_| distance <= self.reach);
                        let start = start.ok_or(Err(Stop::Wrong))?;
                        for at in start..start + length {
                            self.emit(self.history[at], emit)?;
                        }
                    }
                }
            }
        }
        Ok(())
    }

    fn emit(&mut self, byte: u8, emit: Emit<'_>) -> Result<(), Result<u16, Stop>> {
        emit(byte).map_err(Ok)?;
        self.history.push(byte);
        Ok(())
    }

    fn end_block(&mut self) {
        self.block = Block::Header;
        let window = self.sender.max_window_bits.map_or(WINDOW, |bits| 1 << bits.get());
        if self.is_final {
            // 7.2.3.4: further blocks may follow, at the next byte, and refer to what came before.
            self.bits.skip_to_byte();
            self.begun = false;
            self.forget_all_but(window);
        } else {
            self.forget_all_but(WINDOW);
        }
    }

    fn forget_all_but(&mut self, window: usize) {
        let forgotten = self.history.len().saturating_sub(window);
        self.history.drain(..forgotten);
    }
}

/// Bytes that have arrived, and the bit that reading has reached.
#[derive(Debug, Default)]
struct Bits {
    bytes: Vec<u8>,
    at: usize,
}

impl Bits {
    /// The bits of a byte are read from the least significant on (section 3.1.1).
    fn bit(&mut self) -> Result<usize, Stop> {
        let byte = *self.bytes.get(self.at / 8).ok_or(Stop::Incomplete)?;
        let bit = usize::from(byte >> (self.at % 8) & 1);
        self.at += 1;
        Ok(bit)
    }

    fn is_empty(&self) -> bool {
        self.at == 8 * self.bytes.len()
    }

    fn drop_read_bytes(&mut self) {
        self.bytes.drain(..self.at / 8);
        self.at %= 8;
    }

    /// A number of this many bits, the least significant first (section 3.1.1).
    fn number(&mut self, bits: u32) -> Result<usize, Stop> {
        (0..bits).try_fold(0, |number, bit| Ok(number | self.bit()? << bit))
    }

    fn byte(&mut self) -> Result<u8, Stop> {
        Ok(u8::try_from(self.number(8)?).unwrap())
    }

    fn skip_to_byte(&mut self) {
        self.at = self.at.next_multiple_of(8);
    }

    /// Section 3.2.4: LEN, and NLEN, which is its complement.
    fn stored_length(&mut self) -> Result<usize, Stop> {
        self.skip_to_byte();
        let (len, nlen) = (self.number(16)?, self.number(16)?);
        if len == nlen ^ 0xFFFF { Ok(len) } else { Err(Stop::Wrong) }
    }

    /// Section 3.2.5.
    fn distance(&mut self, symbol: usize) -> Result<usize, Stop> {
        match symbol {
            0..4 => Ok(symbol + 1),
            4..30 => {
                let more = u32::try_from(symbol / 2 - 1).unwrap();
                Ok(1 + ((2 + symbol % 2) << more) + self.number(more)?)
            }
            _ => Err(Stop::Wrong),
        }
    }

    /// Section 3.2.7.
    fn dynamic_codes(&mut self) -> Result<Block, Stop> {
        let literals = 257 + self.number(5)?;
        let distances = 1 + self.number(5)?;
        let own = 4 + self.number(4)?;
        if literals > 286 || distances > 30 {
            return Err(Stop::Wrong);
        }
        let mut own_lengths = [0; 19];
        for at in &ORDER[..own] {
            own_lengths[*at] = self.number(3)?;
        }
        // With a code for nothing, each bit reads as a length of 0: that the end of the block then has no
        // code shows when all lengths are read.
        let code = if own_lengths == [0; 19] {
            Code::of_nothing()
        } else {
            Code::new(&own_lengths, Incomplete::Never)?
        };
        let mut lengths = Vec::new();
        while lengths.len() < literals + distances {
            let (count, length) = match code.symbol(self)? {
                16 => (3 + self.number(2)?, *lengths.last().ok_or(Stop::Wrong)?),
                17 => (3 + self.number(3)?, 0),
                18 => (11 + self.number(7)?, 0),
                length => (1, length),
            };
            lengths.extend(std::iter::repeat_n(length, count));
        }
        if lengths.len() > literals + distances || lengths[256] == 0 {
            return Err(Stop::Wrong);
        }
        Ok(Block::Compressed {
            literals: Code::new(&lengths[..literals], Incomplete::OfOneBit)?,
            distances: Code::new(&lengths[literals..], Incomplete::OfOneBit)?,
        })
    }
}

/// Which code may leave sequences of bits without a symbol: one for a single symbol (section 3.2.7).
#[derive(Clone, Copy, PartialEq, Eq)]
enum Incomplete {
    Never,
    OfOneBit,
}

/// A Huffman code: for each length in bits, from 1 on, the first code, and the symbols of it and those that
/// follow.
#[derive(Debug)]
struct Code(Vec<(usize, Vec<usize>)>);

impl Code {
    /// Section 3.2.2: codes of one length are in the order of their symbols, and follow the shorter ones.
    fn new(lengths: &[usize], incomplete: Incomplete) -> Result<Self, Stop> {
        let longest = lengths.iter().copied().max().unwrap_or_default();
        let mut code = Vec::new();
        let mut next = 0;
        for length in 1..=longest {
            next <<= 1;
            let is_of_length = |symbol: &usize| lengths[*symbol] == length;
            let symbols: Vec<_> = (0..lengths.len()).filter(is_of_length).collect();
            let first = next;
            next += symbols.len();
            if next > 1 << length {
                return Err(Stop::Wrong);
            }
            code.push((first, symbols));
        }
        let is_complete = next == 1 << longest;
        let may_be_incomplete = longest <= 1 && incomplete == Incomplete::OfOneBit;
        if is_complete || may_be_incomplete { Ok(Self(code)) } else { Err(Stop::Wrong) }
    }

    /// Whatever a bit is, it stands for 0.
    fn of_nothing() -> Self {
        Self(vec![(0, vec![0, 0])])
    }

    /// The bits of a code are read from the most significant on (section 3.1.1).
    fn symbol(&self, bits: &mut Bits) -> Result<usize, Stop> {
        let mut read = 0;
        for (first, symbols) in &self.0 {
            read = read << 1 | bits.bit()?;
            if let Some(symbol) = symbols.get(read - first) {
                return Ok(*symbol);
            }
        }
        // Where nothing has a code, that is known when there is a bit.
        if self.0.is_empty() {
            bits.bit()?;
        }
        Err(Stop::Wrong)
    }
}

impl Block {
    /// Section 3.2.6.
    fn fixed() -> Self {
        let lengths: Vec<_> = (0..288)
            .map(|symbol| match symbol {
                144..256 => 9,
                256..280 => 7,
                _ => 8,
            })
            .collect();
        let code = |lengths: &[usize]| match Code::new(lengths, Incomplete::Never) {
            Ok(code) => code,
            Err(_) => unreachable!("the fixed codes are complete"),
        };
        Self::Compressed { literals: code(&lengths), distances: code(&[5; 32]) }
    }
}
