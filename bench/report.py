"""Turns the JSON of `pytest bench/ops --benchmark-json=FILE` into the tables of docs/reference/op-timings.md.

`python bench/report.py FILE [--update PAGE --block NAME]`: prints them, or writes them between the page's marks
`<!-- NAME -->` and `<!-- /NAME -->`.

A table is a group of contenders that did the same work on the same inputs in one run; the first is ours. GB/s are the
bytes that the work must move over the median; the fraction is of the copy bandwidth measured in the same run.
"""

from __future__ import annotations

import json
import re
import textwrap
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

WIDTH = 100  # of prose in the docs


def report(data: dict[str, Any]) -> str:
    """The tables, with the run they came from."""
    groups: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for bench in data["benchmarks"]:
        groups[bench["group"]].append(bench)
    by_products = {name: members for name, members in groups.items() if members[0]["extra_info"].get("num_products")}
    by_bytes = {name: members for name, members in groups.items() if name not in by_products}
    lines = [*(_machine(data, device) for device in dict.fromkeys(_device(bench) for bench in data["benchmarks"]))]
    if by_bytes:
        lines += ["", "| work | contender | median | MB moved | GB/s | of copy | times ours |"]
        lines += ["| --- | --- | ---: | ---: | ---: | ---: | ---: |", *_rows(by_bytes, _bytes_columns)]
    if by_products:
        lines += ["", "| work | contender | median | our G multiply-adds | a second | times ours |"]
        lines += ["| --- | --- | ---: | ---: | ---: | ---: |", *_rows(by_products, _products_columns)]
    return "\n".join(lines) + "\n"


def _rows(groups: dict[str, list[dict[str, Any]]], columns: Callable[[dict[str, Any]], str]) -> Iterator[str]:
    for name, members in groups.items():
        ours = _median(members[0])
        for index, bench in enumerate(members):
            seconds = _median(bench)
            cells = f"{_contender(bench)} | {seconds * 1e6:,.1f} µs | {columns(bench)} | {seconds / ours:.2f}"
            yield f"| {name if index == 0 else ''} | {cells} |"


def _device(bench: dict[str, Any]) -> str:
    return str(bench["group"].rsplit(" ", 1)[-1])


def _machine(data: dict[str, Any], device: str) -> str:
    """A paragraph on what ran the benchmarks of a device."""
    info = next(bench["extra_info"] for bench in data["benchmarks"] if _device(bench) == device)
    bandwidth = f"a copy of 256 MiB moves {info['copy_bytes_per_s'] / 1e9:.1f} GB/s (read and written)"
    if device == "cuda":
        return textwrap.fill(f"{info['device']}, float32, one run; {bandwidth}.", WIDTH)
    name = data["machine_info"]["cpu"].get("brand_raw", "CPU")
    pages = "Freed memory is kept by the allocator." if info["pages_kept"] else "Large results come in new pages."
    return textwrap.fill(f"{name}, {info['threads']} threads, float32, one run; {bandwidth}. {pages}", WIDTH)


def _median(bench: dict[str, Any]) -> float:
    seconds: float = bench["stats"]["median"] / bench["extra_info"]["calls"]
    return seconds


def _contender(bench: dict[str, Any]) -> str:
    contender = bench["params"]["contender"]
    name: str = bench["param"]
    if isinstance(contender, str) and not contender.startswith("UNSERIALIZABLE"):
        name = contender
    return name.split("-")[-1] if "-" in name else name


def _bytes_columns(bench: dict[str, Any]) -> str:
    info = bench["extra_info"]
    rate = info["num_bytes"] / _median(bench)
    return f"{info['num_bytes'] / 1e6:,.3g} | {rate / 1e9:.1f} | {rate / info['copy_bytes_per_s']:.2f}"


def _products_columns(bench: dict[str, Any]) -> str:
    """Every contender's rate is that of our products: what the time would be worth at our count."""
    products = bench["extra_info"]["num_products"]
    return f"{products / 1e9:.3f} | {products / _median(bench) / 1e9:.1f}"


def main(
    file: Annotated[Path, typer.Argument(help="What --benchmark-json wrote.", show_default=False)],
    update: Annotated[Path | None, typer.Option(help="Page to write the tables into.", show_default=False)] = None,
    block: Annotated[str, typer.Option(help="Name of the page's marks to write between.")] = "ops",
) -> None:
    """Print the tables of a run."""
    tables = report(json.loads(file.read_text()))
    if update is None:
        print(tables)
        return
    page = update.read_text()
    begin, end = f"<!-- {block} -->", f"<!-- /{block} -->"
    if begin not in page or end not in page:
        raise typer.BadParameter(f"expected a page with {begin} and {end}, got {update}", param_hint="--update")
    update.write_text(re.sub(f"{begin}.*{end}", lambda _: f"{begin}\n{tables}{end}", page, flags=re.DOTALL))


if __name__ == "__main__":
    typer.run(main)
