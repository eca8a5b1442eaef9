"""Ways in which a file can be wrong: chosen by a seed, the same for the same seed."""

import json
import struct
from copy import deepcopy
from random import Random

# Where sizes and offsets overflow, and what stands beside.
EXTREMES = (0, 1, 2, 7, 255, 2**15, 2**16 - 1, 10**6, 2**24, 2**31 - 1, 2**31, 2**32 - 1)
_LONG = (2**53, 2**62, 2**63 - 1, 2**63, 2**64 - 1)
# Values that no entry expects, whatever it is.
STRANGE = (
    None,
    True,
    False,
    *(-1, 0, 1, 2, 60, 10**6, 10**9, 10**12, 2**63, -(2**63), 10**399),
    *(0.0, -0.0, 0.5, 1e-320, 1e308, float("nan"), float("inf"), float("-inf")),
    *("", "x", "60", "\0", "..", "../../outside", "/etc/passwd", "C:\\x", "~nobody/x", "é" * 300),
    "x" * 100_000,
    [],
    [[]],
    [1, 2],
    [-1, 60],
    [1e9, 1e9],
    [10**12] * 3,
    ["a"],
    [{}],
    {},
    {"a": {"b": []}},
    {"name": "blosc"},
    {"path": "../outside"},
)


def mutate_bytes(content: bytes, random: Random) -> bytes:
    """One of the ways in which bytes go wrong."""
    content = bytearray(content)
    size = len(content)
    place = random.randrange(size) if size else 0
    if random.random() < 0.5:  # in the header, where it matters
        place = min(place, random.randrange(64))
    match random.randrange(7):
        case 0:  # bits that flip
            for _ in range(random.choice((1, 1, 2, 8, 64))):
                if size:
                    at = min(size - 1, place + random.randrange(16))
                    content[at] ^= 1 << random.randrange(8)
        case 1:  # cut off
            del content[place:]
        case 2:  # too long
            content += random.randbytes(random.choice((1, 2, 3, 1000, 65_536)))
        case 3:  # a piece of it elsewhere
            begin = random.randrange(size + 1)
            content[place:place] = content[begin : begin + random.randrange(1, 200)]
        case 4:  # a piece lost
            del content[place : place + random.randrange(1, 200)]
        case 5:  # a number at its limits
            kind, values = random.choice((("<I", EXTREMES), ("<Q", EXTREMES + _LONG)))
            number = struct.pack(kind, random.choice(values))
            content[place : place + len(number)] = number
        case 6:  # noise
            noise = random.randbytes(random.randrange(1, 64))
            content[place : place + len(noise)] = noise
    return bytes(content)


def mutate_json(text: str, random: Random) -> bytes:
    """One of the ways in which a JSON document goes wrong; mostly it is JSON still."""
    if random.random() < 0.1:
        return _broken_json(text, random)
    document = json.loads(text)
    for _ in range(random.choice((1, 1, 1, 2, 4))):
        document = _changed(document, random)
    return json.dumps(document, ensure_ascii=random.random() < 0.5).encode()


def _broken_json(text: str, random: Random) -> bytes:
    match random.randrange(6):
        case 0:
            depth = random.choice((50, 65, 1000, 100_000))
            return b"[" * depth + b"]" * depth
        case 1:
            return b'{"attributes":' * 70 + b"1" + b"}" * 70
        case 2:  # a name that is given twice
            return text.replace("{", '{"zarr_format": 3, "zarr_format": 3, ', 1).encode()
        case 3:
            return text.encode("utf-16")
        case 4:
            return b"[" + b"1," * random.choice((1000, 600_000)) + b"1]"
        case _:
            return mutate_bytes(text.encode(), random)


def _changed(document, random):
    places = list(_places(document))
    if not places:
        return deepcopy(random.choice(STRANGE))
    # Deeper ones are more: each level is meant as often.
    depth = random.choice(sorted({len(place) for place in places}))
    *way, last = random.choice([place for place in places if len(place) == depth])
    inside = document
    for step in way:
        inside = inside[step]
    match random.randrange(6):
        case 0:
            del inside[last]
        case 1 if isinstance(inside, dict):
            inside[random.choice(("x", "..", "type", "shape", "napari-kikuchi"))] = inside.pop(last)
        case 2 if isinstance(inside, list):
            value = inside[last]
            # Of what has been multiplied already not as many again.
            many = 1000 if isinstance(value, int | float | str) and len(inside) < 1000 else 3
            inside.extend(deepcopy(value) for _ in range(random.choice((1, 3, many))))
        case 3 if isinstance(inside[last], int | float):
            inside[last] = random.choice((-1, 0, 1, 2.5, 2 * inside[last], 10**9, 10**12, 2**63))
        case 4:
            deep = inside[last]
            for _ in range(random.choice((1, 70))):
                deep = [deep]
            inside[last] = deep
        case _:
            inside[last] = deepcopy(random.choice(STRANGE))
    return document


def _places(document, way=()):
    """The way to each value inside a document."""
    if isinstance(document, dict):
        entries = document.items()
    else:
        entries = enumerate(document) if isinstance(document, list) else ()
    for name, value in entries:
        yield (*way, name)
        yield from _places(value, (*way, name))
