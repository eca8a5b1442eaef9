"""``napari-kikuchi orient``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from napari_kikuchi.cli.console import (
    Output,
    errors_told,
    output_for,
    report_result,
    run,
    shown,
)
from napari_kikuchi.cli.options import (
    DeviceOption,
    EventsOption,
    JsonOption,
    PartialOption,
    ScanNameOption,
    ShapeOption,
    StepOption,
    WorkersOption,
    leave_out,
    numbers,
    scan_options,
)

if TYPE_CHECKING:
    from napari_kikuchi.orientation.kept_libraries import LibrarySettings
    from napari_kikuchi.orientation.scan_spots import ScanSpots
    from napari_kikuchi.orientation.spot_calibration import SpotCalibration

_GOING_ON = "The same command goes on from here."
# Between the ends of a range of thicknesses, in Å.
_THICKNESS_STEP = 50
# Of a crystal without multiple scattering.
_THIN = "100"


def orient(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="SCAN",
            help="4D-STEM scan, or the file of its spots (.spots).",
            show_default=False,
        ),
    ],
    phases: Annotated[
        list[str],
        typer.Option(
            "--phase",
            metavar="NAME",
            help="Crystal that may be there: cu, ni, al, fe, ti or a CIF file. For several phases "
            "give it several times.",
            show_default=False,
        ),
    ],
    spots: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.spots",
            help="Where the spots are kept: read if they are there, found and written if not.  "
            "[default: SCAN.spots beside the scan]",
            show_default=False,
        ),
    ] = None,
    radius: Annotated[
        float | None,
        typer.Option(help="Of a spot, in pixels.  [default: found out]", show_default=False),
    ] = None,
    scale: Annotated[
        float | None,
        typer.Option(
            metavar="1/Å",
            help="Of a pixel of the detector, in 1/Å.  [default: found out]",
            show_default=False,
        ),
    ] = None,
    centre: Annotated[
        str | None,
        typer.Option(
            metavar="ROW,COL",
            help="Of the direct beam, in pixels.  [default: found out]",
            show_default=False,
        ),
    ] = None,
    rotation: Annotated[
        float, typer.Option(help="Of the detector against the scan, in degrees.")
    ] = 0.0,
    flipped: Annotated[
        bool, typer.Option("--flipped", help="The detector shows patterns mirrored.")
    ] = False,
    voltage: Annotated[float, typer.Option(min=1, help="Of the beam, in kV.")] = 300.0,
    thickness: Annotated[
        str | None,
        typer.Option(
            metavar="Å",
            help="Of the foil, in Å: a range 100-800, or some 100,200,400.  [default: 100-800; "
            "with --kinematical 100]",
            show_default=False,
        ),
    ] = None,
    kinematical: Annotated[
        bool,
        typer.Option(
            "--kinematical",
            help="Simulate patterns without multiple scattering: quick also for large cells.",
        ),
    ] = False,
    least_confidence: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=1,
            help="Patterns of a lower confidence are not indexed.  [default: 0.2]",
            show_default=False,
        ),
    ] = None,
    grain_threshold: Annotated[
        float,
        typer.Option(
            min=0,
            help="Misorientation in degrees above which neighbours belong to different grains.",
        ),
    ] = 5.0,
    restart: Annotated[
        bool, typer.Option("--restart", help="Begin anew where a run was stopped.")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Map store to write.  [default: SCAN.orientations.zarr beside the scan]",
            show_default=False,
        ),
    ] = None,
    device: DeviceOption = "auto",
    workers: WorkersOption = None,
    shape: ShapeOption = None,
    step: StepOption = None,
    scan_name: ScanNameOption = None,
    allow_partial: PartialOption = False,
    as_json: JsonOption = False,
    events: EventsOption = False,
) -> None:
    """Map phases and orientations from the spots of a 4D-STEM scan.

    Finds the spots of all patterns, the calibration of the detector where it is not given, and
    the orientation of each pattern by comparison with simulated ones: phase, confidence, inverse
    pole figure colours, KAM, GROD, grains. Simulated patterns are kept for the next time.

    Stopped with Ctrl-C it keeps what is done; the same command goes on from there.

    [bold]napari-kikuchi orient scan.mib --phase cu --phase oxide.cif[/]
    """
    output = output_for(as_json, events)
    with errors_told(output):
        from dataclasses import asdict

        from napari_kikuchi.devices import pick_device
        from napari_kikuchi.orientation.crystal import open_crystal
        from napari_kikuchi.orientation.maps import (
            LEAST_CONFIDENCE,
            default_orientations_path,
            orientation_maps,
        )
        from napari_kikuchi.orientation.report import report_orientations

        crystals = [open_crystal(phase) for phase in phases]
        library = _library_settings(voltage, thickness, kinematical)
        options = scan_options(shape, step, scan_name, False, False, allow_partial)
        where = pick_device(device)
        found = _spots(source, options, spots, radius, restart, device, workers, output)
        target = default_orientations_path(source, options) if out is None else out
        job = orientation_maps(
            found,
            _calibration(found, scale, centre, rotation, flipped),
            crystals,
            target,
            step=found.step,
            library=library,
            least_confidence=LEAST_CONFIDENCE if least_confidence is None else least_confidence,
            grain_threshold=grain_threshold,
            device=where,
            workers=workers,
            resume=not restart,
        )
        stack = run(job, output, going_on=_GOING_ON)
        report = report_orientations(stack)
        report_result(
            output,
            f"Wrote [bold]{shown(target)}[/]. {report.in_words()}\n"
            f"See it with: napari-kikuchi view {shown(target)}",
            result=target,
            **asdict(report),
        )


def _spots(
    source: Path,
    options: dict[str, Any],
    kept: Path | None,
    radius: float | None,
    restart: bool,
    device: str,
    workers: int | None,
    output: Output,
) -> ScanSpots:
    """The spots in the source, those that were found of it, or those that are found now."""
    from napari_kikuchi.io import open_scan
    from napari_kikuchi.orientation.detection_settings import Detection
    from napari_kikuchi.orientation.find_spots import default_spots_path, find_spots
    from napari_kikuchi.orientation.scan_spots import SUFFIX, ScanSpots
    from napari_kikuchi.orientation.spot_radius import guess_radius

    if source.suffix.lower() == SUFFIX:
        given = {f"--{name.replace('_', '-')}": value for name, value in options.items()}
        leave_out({"--spots": kept, "--radius": radius, **given}, f"{source} holds the spots")
        return ScanSpots.open(source)
    scan = open_scan(source, **options)
    path = default_spots_path(source, options) if kept is None else kept
    if path.exists():
        found = ScanSpots.open(path)
        if found.fingerprint != scan.fingerprint():
            raise ValueError(
                f"{path}: these are the spots of another scan than {source}. Name another file "
                "for those of this one (--spots)."
            )
        if radius in (None, found.detection.radius):
            return found
    detection = Detection(guess_radius(scan) if radius is None else radius)
    job = find_spots(scan, path, detection, device=device, workers=workers, resume=not restart)
    return run(job, output, going_on=_GOING_ON)


def _library_settings(voltage: float, thickness: str | None, kinematical: bool) -> LibrarySettings:
    from napari_kikuchi.orientation.kept_libraries import LibrarySettings

    if thickness is None and not kinematical:
        return LibrarySettings(voltage)
    return LibrarySettings(voltage, _thicknesses(thickness or _THIN), kinematical)


def _thicknesses(text: str) -> tuple[float, ...]:
    """Read ``100-800``, or ``100,200,400``."""
    if "-" in text:
        first, last = numbers(text.replace("-", ","), "--thickness", (float, float))
        count = max(1, round((last - first) / _THICKNESS_STEP))
        found = tuple(first + (last - first) * i / count for i in range(count + 1))
    else:
        found = numbers(text, "--thickness", (float,) * (text.count(",") + 1))
    if not all(one > 0 for one in found) or list(found) != sorted(set(found)):
        raise ValueError(
            f"--thickness needs thicknesses above 0 Å, from thin to thick, not {text!r}"
        )
    return found


def _calibration(
    spots: ScanSpots,
    scale: float | None,
    centre: str | None,
    rotation: float,
    flipped: bool,
) -> SpotCalibration:
    from napari_kikuchi.orientation.spot_calibration import SpotCalibration

    assert scale is not None
    assert centre is not None
    at = numbers(centre, "--centre", (float, float))
    return SpotCalibration(at, scale, rotation, flipped, beam_radius=2 * spots.detection.radius)
