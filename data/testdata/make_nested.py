"""Writes nested.parquet, a table of every kind of column, and nested.jsonl, its
rows as pyarrow reads them: python make_nested.py."""
import base64
import datetime
import decimal
import json
import math
import re

import numpy
import pyarrow as pa
import pyarrow.parquet as pq

T = datetime.datetime
rows = [
    dict(text="one", tags=["a", None, "b"], grid=[[1, 2], [], None, [3]], meta={"k": "v", "n": None},
         who={"name": "Ada", "marks": [{"at": 1, "of": "x"}, {"at": None, "of": None}], "far": {"deep": ["z"]}},
         turns=[{"role": "user", "content": "Hi \"there\" <é>\n"}, {"role": "assistant", "content": None}],
         price=decimal.Decimal("-12.345"), wide=decimal.Decimal("123456789012345678901.50"), day=datetime.date(1969, 12, 31),
         at=T(2024, 2, 29, 12, 30, 1, 250000), utc=T(2024, 2, 29, 12, 30, tzinfo=datetime.timezone.utc),
         big=2**64 - 1, small=-5, u32=2**32 - 1, yes=True, f=0.1, d=1e300, raw=b"\xff\x00"),
    dict(text="two", tags=[], grid=[], meta={}, who={"name": None, "marks": [], "far": None}, turns=[], price=decimal.Decimal("0.000"),
         wide=decimal.Decimal("-0.01"), day=datetime.date(2024, 2, 29), at=T(1970, 1, 1), utc=T(1970, 1, 1, tzinfo=datetime.timezone.utc),
         big=0, small=0, u32=0, yes=False, f=math.inf, d=math.nan, raw=b"ok"),
    dict(text="three"),
    dict(text="four", tags=None, who={"name": "x", "marks": None, "far": {"deep": None}}, meta={"a": "1", "b": "2"}, grid=[None]),
]
string = pa.string()
schema = pa.schema([
    ("text", string), ("tags", pa.list_(string)), ("grid", pa.list_(pa.list_(pa.int64()))), ("meta", pa.map_(string, string)),
    ("who", pa.struct([("name", string), ("marks", pa.list_(pa.struct([("at", pa.int32()), ("of", string)]))), ("far", pa.struct([("deep", pa.list_(string))]))])),
    ("turns", pa.list_(pa.struct([("role", string), ("content", string)]))),
    ("price", pa.decimal128(9, 3)), ("wide", pa.decimal128(30, 2)), ("day", pa.date32()), ("at", pa.timestamp("us")),
    ("utc", pa.timestamp("ms", tz="UTC")), ("big", pa.uint64()), ("small", pa.int8()), ("u32", pa.uint32()), ("yes", pa.bool_()),
    ("f", pa.float32()), ("d", pa.float64()), ("raw", pa.binary()),
])
table = pa.Table.from_pylist(rows, schema=schema)
pq.write_table(table, "nested.parquet", store_schema=False)


def number(x):
    """Stands for the digits of x until the line is written."""
    return f"@number:{x}"


def plain(x):
    """As laurel writes it: NaN and infinities null, bytes base64 unless they are UTF-8."""
    if isinstance(x, dict):
        return {k: plain(v) for k, v in x.items()}
    if isinstance(x, list):
        return [plain(v) for v in x]
    if isinstance(x, bytes):
        try:
            return x.decode()
        except UnicodeDecodeError:
            return base64.b64encode(x).decode()
    if isinstance(x, T):
        text = x.strftime("%Y-%m-%dT%H:%M:%S") + (f".{x.microsecond:06d}".rstrip("0") if x.microsecond else "")
        return text + ("Z" if x.tzinfo else "")
    if isinstance(x, datetime.date):
        return x.isoformat()
    if isinstance(x, decimal.Decimal):
        return number(x)
    if isinstance(x, float):
        return x if math.isfinite(x) else None
    return x


with open("nested.jsonl", "w") as out:
    for row in pq.read_table("nested.parquet").to_pylist(maps_as_pydicts="strict"):
        row = plain(row)
        if row["f"] is not None:  # the shortest decimal of a float32
            row["f"] = number(str(numpy.float32(row["f"])))
        line = json.dumps(row, ensure_ascii=False, separators=(",", ":"))
        out.write(re.sub('"@number:([^"]*)"', r"\1", line) + "\n")
