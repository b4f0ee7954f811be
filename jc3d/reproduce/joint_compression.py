"""What is measured, drawn and written of [J], Golts & Schechner: shapes, images, and both from one stream.

Shapes are measured on all procedural test objects and on the test meshes. Images are measured on objects that come
after these, which nothing was chosen by: those before have been looked at while settings were chosen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from jc3d.evaluate import BASELINES, Protocol, Report
from jc3d.reproduce.artefacts import FOLDER, Artefact, Inputs, Page, Picture, StoredReport
from jc3d.reproduce.compression_page import CODEC, FLOATS, JOINT, RATES, SHAPE_RATES, compression_page
from jc3d.reproduce.markdown import with_block
from jc3d.reproduce.model_cards import model_card
from jc3d.reproduce.readme import readme_table
from jc3d.reproduce.shape_page import TWIN, shape_page

SHAPES = ("implicit-384", "r2n2-small")
"""Packaged models whose views have one code."""
DECODING = (CODEC, *JOINT)
"""Packaged models that decode images."""

PROCEDURAL = Protocol(iterations=(1,))
MESHES = Protocol(data=f"meshes={FOLDER}", iterations=(1,), objects=0)
UNSEEN = Protocol(first=1300, objects=130)
FIRST_VIEWS = replace(UNSEEN, views=(1,))
REFINED = replace(FIRST_VIEWS, iterations=(1, 2, 3, 4), refinement_steps=40)
SAMPLE_OBJECTS = {name: 3 for name in SHAPES} | {name: 1 for name in DECODING}
"""Objects of the reports by which tests see whether today's code still gives the numbers of the pages."""

_STRIP_OBJECTS = (0, 5, 18, 25)  # of the unseen ones
_STRIP_RATES = (1, 2, 4, 8)
_PHOTO_RATES = tuple(range(1, 9))


def _shape_reports() -> Iterator[StoredReport]:
    for label in (*SHAPES, TWIN):
        yield StoredReport(f"{label}-procedural", label, PROCEDURAL, minutes=3)
        yield StoredReport(f"{label}-meshes", label, MESHES, minutes=1)


def _image_reports() -> Iterator[StoredReport]:
    yield StoredReport(f"{CODEC}-first-views", CODEC, replace(FIRST_VIEWS, iterations=_PHOTO_RATES), minutes=2)
    yield StoredReport(f"{CODEC}-refined", CODEC, REFINED, minutes=10)
    yield StoredReport(f"{FLOATS}-same-objects", FLOATS, UNSEEN, minutes=0.5)
    for name in DECODING:
        yield StoredReport(f"{name}-procedural", name, replace(UNSEEN, iterations=SHAPE_RATES), minutes=7)
    sized = replace(FIRST_VIEWS, num_bytes=tuple(128 * rate for rate in RATES))
    for name in BASELINES:
        yield StoredReport(f"{name}-first-views", name, sized, minutes=4)


def _samples() -> Iterator[StoredReport]:
    """The first objects of the reports of every packaged model."""
    for report in (*_shape_reports(), *_image_reports()):
        if report.name.endswith("-procedural") and report.model != TWIN:
            protocol = replace(report.protocol, objects=SAMPLE_OBJECTS[report.model])
            yield StoredReport(f"samples/{report.model}", report.model, protocol, minutes=0.1)


def _flips(model: str | Path, protocol: Protocol) -> Report:
    from jc3d.reproduce.instruction_sets import compare_instruction_sets

    return compare_instruction_sets(str(model), protocol)


INSTRUCTION_SETS = StoredReport(
    "instruction-sets", "implicit-384", Protocol(iterations=(1,), objects=40), _flips, minutes=1
)


def _pictures() -> Iterator[Picture]:
    yield Picture("gallery-procedural", "procedural.png", None, _gallery("procedural"), minutes=1)
    yield Picture("gallery-meshes", "meshes.png", "--meshes", _gallery("meshes"), minutes=1)
    yield Picture("armchair", "armchair.png", "--armchair", _armchair, minutes=0.1)
    for name in DECODING:
        yield Picture(f"strip-{name}", f"strip-{name}.png", None, _strip(name), minutes=0.2)
    yield Picture("photos", "photo-*.png", "--photos", _photos, minutes=1)


def _gallery(kind: str) -> Callable[[Inputs], Iterator[tuple[str, bytes]]]:
    def draw(inputs: Inputs) -> Iterator[tuple[str, bytes]]:
        from jc3d.data.sources.spec import SourceSpec
        from jc3d.infer import load
        from jc3d.reproduce.pictures import gallery

        source = SourceSpec.parse(kind if kind == "procedural" else f"{kind}={inputs.meshes}").open("test")
        yield f"{kind}.png", gallery(load("implicit-384"), source)

    return draw


def _armchair(inputs: Inputs) -> Iterator[tuple[str, bytes]]:
    from jc3d.infer import load
    from jc3d.reproduce.pictures import photographs, reconstruction

    assert inputs.armchair is not None
    yield "armchair.png", reconstruction(load("implicit-384"), photographs([inputs.armchair]))


def _strip(name: str) -> Callable[[Inputs], Iterator[tuple[str, bytes]]]:
    def draw(inputs: Inputs) -> Iterator[tuple[str, bytes]]:
        from jc3d.data.sources.procedural import ProceduralSource
        from jc3d.infer import load
        from jc3d.reproduce.pictures import first_views, strip

        views = first_views(ProceduralSource("test"), [UNSEEN.first + index for index in _STRIP_OBJECTS])
        yield f"strip-{name}.png", strip(load(name), views, _STRIP_RATES, original=True)

    return draw


def _photos(inputs: Inputs) -> Iterator[tuple[str, bytes]]:
    from jc3d.infer import load
    from jc3d.io.images import load_views
    from jc3d.reproduce.pictures import photographs, strip

    codec = load(CODEC)
    for path in photographs(inputs.photos):
        picture = strip(codec, load_views(path, None), _PHOTO_RATES, original=False)
        yield f"photo-{path.parent.name}-{path.stem}.png", picture


def _pages() -> Iterator[Page]:
    shapes, images = tuple(_shape_reports()), tuple(_image_reports())
    yield Page("shape-page", "README.md", (*shapes, INSTRUCTION_SETS), _write_shape_page)
    yield Page("compression-page", "compression.md", images, _write_compression_page)
    shown = [report for report in (*shapes, *images) if report.model != TWIN and report.protocol.views == UNSEEN.views]
    both = tuple(report for report in shown if not report.name.endswith("-same-objects"))
    yield Page("readme", "../../README.md", both, _write_readme, block=True)
    for name in (*SHAPES, *DECODING):
        own = tuple(report for report in (*shapes, *images) if report.name in (f"{name}-procedural", f"{name}-meshes"))
        yield Page(f"card-{name}", f"../../jc3d/weights/{name}.md", own, _card(name))


def _labelled(reports: Mapping[str, Report], labels: tuple[str, ...], kind: str) -> dict[str, Report]:
    return {label: reports[f"{label}-{kind}"] for label in labels}


def _write_shape_page(reports: Mapping[str, Report], path: Path) -> str:
    procedural, meshes = (_labelled(reports, (*SHAPES, TWIN), kind) for kind in ("procedural", "meshes"))
    return shape_page(procedural, meshes, reports[INSTRUCTION_SETS.name])


def _write_compression_page(reports: Mapping[str, Report], path: Path) -> str:
    return compression_page(
        _labelled(reports, DECODING, "procedural"),
        reports[f"{CODEC}-first-views"],
        reports[f"{CODEC}-refined"],
        reports[f"{FLOATS}-same-objects"],
        _labelled(reports, BASELINES, "first-views"),
        sorted(path.parent.glob("photo-*.png")),
    )


def _write_readme(reports: Mapping[str, Report], path: Path) -> str:
    procedural, meshes = (_labelled(reports, SHAPES, kind) for kind in ("procedural", "meshes"))
    table = readme_table(procedural, meshes, _labelled(reports, DECODING, "procedural"))
    return with_block(path.read_text(), "results", table)


def _card(name: str) -> Callable[[Mapping[str, Report], Path], str]:
    def write(reports: Mapping[str, Report], path: Path) -> str:
        return model_card(name, reports[f"{name}-procedural"], reports.get(f"{name}-meshes"))

    return write


ARTEFACTS: tuple[Artefact, ...] = (
    *_shape_reports(),
    *_image_reports(),
    INSTRUCTION_SETS,
    *_samples(),
    *_pictures(),
    *_pages(),
)
