"""As much of PNG as a screenshot needs: it is checked to the last byte and turned into pixels."""

import struct
import zlib

SIGNATURE = b"\x89PNG\r\n\x1a\n"
CHANNELS = {2: 3, 6: 4}  # colour type: bytes of a pixel


def pixels(image):
    """The rows of an image of 8 bits a channel, each a list of pixels."""
    assert image[:8] == SIGNATURE, "no PNG"
    header, compressed, at, kind = None, b"", 8, None
    while kind != b"IEND":
        length, kind = struct.unpack_from("!I4s", image, at)
        body = image[at + 8:at + 8 + length]
        checksum, = struct.unpack_from("!I", image, at + 8 + length)
        assert zlib.crc32(kind + body) == checksum, f"the chunk {kind} is damaged"
        if kind == b"IHDR":
            header = struct.unpack("!IIBBBBB", body)
        elif kind == b"IDAT":
            compressed += body
        at += 12 + length
    width, height, depth, colour, _, _, interlaced = header
    assert (depth, interlaced) == (8, 0) and colour in CHANNELS, header
    size = CHANNELS[colour]
    data = zlib.decompress(compressed)
    stride = width * size
    assert len(data) == height * (stride + 1), "rows are missing"
    rows, above = [], bytes(stride)
    for start in range(0, len(data), stride + 1):
        above = unfiltered(data[start], data[start + 1:start + 1 + stride], above, size)
        rows.append([above[x:x + size] for x in range(0, stride, size)])
    return rows


def unfiltered(kind, row, above, size):
    row = bytearray(row)
    for at, value in enumerate(row):
        left = row[at - size] if at >= size else 0
        corner = above[at - size] if at >= size else 0
        row[at] = (value + prediction(kind, left, above[at], corner)) & 0xFF
    return bytes(row)


def prediction(kind, left, above, corner):
    match kind:
        case 0:
            return 0
        case 1:
            return left
        case 2:
            return above
        case 3:
            return (left + above) // 2
        case 4:
            estimate = left + above - corner
            return min((left, above, corner), key=lambda value: abs(estimate - value))
