"""Turns the JSON of `pytest bench/ops --benchmark-json=FILE` into the tables of docs/performance.md.

`python bench/report.py FILE [--update PAGE]`: prints them, or writes them between the page's `<!-- ops -->` marks.

A table is a group of contenders that did the same work on the same inputs in one run; the first is ours. GB/s are the
bytes that the work must move over the median; the fraction is of the copy bandwidth measured in the same run.
"""

from __future__ import annotations

import argparse
import json
import re
from collections import defaultdict
from pathlib import Path
from typing import Any

MARKS = ("<!-- ops -->", "<!-- /ops -->")


def report(data: dict[str, Any]) -> str:
    """The tables, with the run they came from."""
    groups: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for bench in data["benchmarks"]:
        groups[bench["group"]].append(bench)
    lines = [
        *(_machine(data, device) for device in dict.fromkeys(_device(bench) for bench in data["benchmarks"])),
        "",
        "| work | contender | median | MB moved | GB/s | of copy | times ours |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for name, members in groups.items():
        ours = _median(members[0])
        for index, bench in enumerate(members):
            lines.append(f"| {name if index == 0 else ''} | {_row(bench, ours)} |")
    return "\n".join(lines) + "\n"


def _device(bench: dict[str, Any]) -> str:
    return str(bench["group"].rsplit(" ", 1)[-1])


def _machine(data: dict[str, Any], device: str) -> str:
    """One line on what ran the benchmarks of a device."""
    info = next(bench["extra_info"] for bench in data["benchmarks"] if _device(bench) == device)
    bandwidth = f"a copy of 256 MiB moves {info['copy_bytes_per_s'] / 1e9:.1f} GB/s (read and written)"
    if device == "cuda":
        return f"{info['device']}, float32, one run; {bandwidth}."
    name = data["machine_info"]["cpu"].get("brand_raw", "CPU")
    pages = "Freed memory is kept by the allocator." if info["pages_kept"] else "Large results come in new pages."
    return f"{name}, {info['threads']} threads, float32, one run; {bandwidth}. {pages}"


def _median(bench: dict[str, Any]) -> float:
    seconds: float = bench["stats"]["median"] / bench["extra_info"]["calls"]
    return seconds


def _row(bench: dict[str, Any], ours: float) -> str:
    seconds, info = _median(bench), bench["extra_info"]
    rate = info["num_bytes"] / seconds
    contender = bench["params"]["contender"]
    name = contender if isinstance(contender, str) and not contender.startswith("UNSERIALIZABLE") else bench["param"]
    name = name.split("-")[-1] if "-" in name else name
    fraction = rate / info["copy_bytes_per_s"]
    moved = f"{info['num_bytes'] / 1e6:,.3g}"
    return f"{name} | {seconds * 1e6:,.1f} µs | {moved} | {rate / 1e9:.1f} | {fraction:.2f} | {seconds / ours:.2f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("json", type=Path)
    parser.add_argument("--update", type=Path, help="page to write the tables into")
    args = parser.parse_args()
    tables = report(json.loads(args.json.read_text()))
    if args.update is None:
        print(tables)
        return
    page = args.update.read_text()
    begin, end = MARKS
    if begin not in page or end not in page:
        parser.error(f"--update: expected a page with {begin} and {end}, got {args.update}")
    args.update.write_text(re.sub(f"{begin}.*{end}", lambda _: f"{begin}\n{tables}{end}", page, flags=re.DOTALL))


if __name__ == "__main__":
    main()
