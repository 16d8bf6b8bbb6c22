"""Variants out of their two binaries, after Parquet's VariantEncoding.md: a second reading, to hold the library's against."""
import struct

WIDTHS = {3: ("int8", "b"), 4: ("int16", "h"), 5: ("int32", "i"), 6: ("int64", "q"), 7: ("double", "d"), 11: ("date", "i"),
          12: ("timestamp", "q"), 13: ("timestamp_ntz", "q"), 14: ("float", "f"), 17: ("time", "q"), 18: ("timestamp_nanos", "q"),
          19: ("timestamp_ntz_nanos", "q")}


def number(data, at, width):
    return int.from_bytes(data[at:at + width], "little")


def split(data):
    """Metadata and value that stand one after the other in a file: where the first ends."""
    width = (data[0] >> 6) + 1
    count = number(data, 1, width)
    end = 1 + (count + 2) * width + number(data, 1 + (count + 1) * width, width)
    return data[:end], data[end:]


def name_of(metadata, index):
    width = (metadata[0] >> 6) + 1
    count = number(metadata, 1, width)
    texts = 1 + (count + 2) * width
    start, end = (number(metadata, 1 + (index + step) * width, width) for step in (1, 2))
    assert index < count
    return metadata[texts + start:texts + end].decode("utf-8")


def primitive(kind, data):
    if kind < 3:
        return (("null", None), ("boolean", True), ("boolean", False))[kind]
    if kind in WIDTHS:
        name, code = WIDTHS[kind]
        return name, struct.unpack_from("<" + code, data, 1)[0]
    if 8 <= kind <= 10:
        size = 4 << (kind - 8)
        return f"decimal{size}", (data[1], int.from_bytes(data[2:2 + size], "little", signed=True))
    if kind in (15, 16):
        text = bytes(data[5:5 + number(data, 1, 4)])
        return ("binary", text) if kind == 15 else ("string", text.decode("utf-8"))
    assert kind == 20, kind
    return "uuid", bytes(data[1:17])


def decode(metadata, data):
    """A pair of type and value; of objects a dictionary of them, of arrays a list."""
    basic, bits = data[0] & 3, data[0] >> 2
    if basic == 0:
        return primitive(bits, data)
    if basic == 1:
        return "string", data[1:1 + bits].decode("utf-8")
    is_object = basic == 2
    large = 4 if bits >> (4 if is_object else 2) & 1 else 1
    offset_width, id_width = (bits & 3) + 1, (bits >> 2 & 3) + 1 if is_object else 0
    count = number(data, 1, large)
    ids = 1 + large
    offsets = ids + count * id_width
    values = offsets + (count + 1) * offset_width
    items = [decode(metadata, data[values + number(data, offsets + i * offset_width, offset_width):]) for i in range(count)]
    if not is_object:
        return "array", items
    names = [name_of(metadata, number(data, ids + i * id_width, id_width)) for i in range(count)]
    assert names == sorted(names, key=lambda name: name.encode("utf-8")), "an object's names must ascend"
    return "object", dict(zip(names, items, strict=True))


def plain(metadata, data):
    """What a variant of JSON's own types says."""
    def said(pair):
        kind, value = pair
        if kind == "object":
            return {name: said(item) for name, item in value.items()}
        if kind == "array":
            return [said(item) for item in value]
        assert kind in {"null", "boolean", "int8", "int16", "int32", "int64", "double", "string"}, kind
        return value

    return said(decode(metadata, data))
