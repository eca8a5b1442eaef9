"""``napari-kikuchi orient``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from napari_kikuchi.cli.console import errors_told, output_for, report_result, run, say, shown
from napari_kikuchi.cli.flattened import flattened
from napari_kikuchi.cli.options import (
    DeviceOption,
    EventsOption,
    JsonOption,
    WorkersOption,
)
from napari_kikuchi.cli.orient_inputs import (
    calibration_in,
    calibration_of,
    kept_calibration,
    library_settings,
    scan_in,
    spots_in,
)
from napari_kikuchi.cli.scan_options import ScanOptions

if TYPE_CHECKING:
    from napari_kikuchi.jobs import Job
    from napari_kikuchi.maps import MapStack


@flattened
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
            help="Where the spots are kept: read if they are there, found and written if not.",
            show_default="SCAN.spots beside the scan",
        ),
    ] = None,
    radius: Annotated[
        float | None,
        typer.Option(help="Of a spot, in pixels.", show_default="found out"),
    ] = None,
    calibration: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.json",
            help="Of the detector, all of it: the calibration that an earlier run tells "
            "with --json.",
            show_default="as told below, or as it was set by hand in the window and kept, or found "
            "out",
        ),
    ] = None,
    find_calibration: Annotated[
        bool,
        typer.Option("--find-calibration", help="Find it out even where one was set by hand."),
    ] = False,
    scale: Annotated[
        float | None,
        typer.Option(
            metavar="1/Å",
            help="Of a pixel of the detector, in 1/Å.",
            show_default="found out",
        ),
    ] = None,
    centre: Annotated[
        str | None,
        typer.Option(
            metavar="ROW,COL",
            help="Of the direct beam, in pixels.",
            show_default="found out",
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
            help="Of the foil, in Å: a range 100-800, or some 100,200,400.",
            show_default="100-800; with --kinematical 100",
        ),
    ] = None,
    kinematical: Annotated[
        bool,
        typer.Option(
            "--kinematical",
            help="Simulate patterns without multiple scattering: quick also for large cells.",
        ),
    ] = False,
    models: Annotated[
        list[Path] | None,
        typer.Option(
            "--model",
            metavar="FILE",
            help="Spot transformer of a phase, which proposes orientations instead of a comparison "
            "with all templates.",
            show_default=False,
        ),
    ] = None,
    least_confidence: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=1,
            help="Patterns of a lower confidence are not indexed.",
            show_default="0.2",
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
            help="Map store to write.",
            show_default="SCAN.orientations.zarr beside the scan",
        ),
    ] = None,
    device: DeviceOption = "auto",
    workers: WorkersOption = None,
    *,
    opening: ScanOptions,
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
        from napari_kikuchi.crystals.crystal import open_crystal
        from napari_kikuchi.devices import pick_device
        from napari_kikuchi.io.origin import unreadable_told
        from napari_kikuchi.orientation.find_spots import default_spots_path
        from napari_kikuchi.orientation.maps import (
            LEAST_CONFIDENCE,
            check_request,
            orientation_maps,
        )
        from napari_kikuchi.orientation.places import default_orientations_path
        from napari_kikuchi.orientation.report import calibration_in_words, report_orientations
        from napari_kikuchi.orientation.spot_model import SpotModel

        crystals = [open_crystal(phase) for phase in phases]
        proposing = [SpotModel.load(path, device="cpu") for path in models or ()]
        library = library_settings(voltage, thickness, kinematical)
        given = calibration_in(calibration, scale, centre, rotation, flipped, find_calibration)
        scan = scan_in(source, opening, spots, radius)
        options = opening.given()
        if not any((given, find_calibration, scale, centre, rotation, flipped)):
            by_hand = kept_calibration(source, scan, options)
            if by_hand is not None:
                given = by_hand.calibration
                say(
                    output,
                    f"Calibration as it was set by hand, kept in {by_hand.path}; "
                    "--find-calibration finds it out instead.",
                )
        kept = default_spots_path(source, options) if spots is None else spots
        target = default_orientations_path(source, options) if out is None else out
        # What is wrong with these is told before the spots are found, which takes long.
        check_request(target, crystals, proposing, library)
        how: dict[str, Any] = {
            "device": pick_device(device),
            "workers": workers,
            "resume": not restart,
        }

        def whole_way() -> Job[MapStack]:
            found = yield from spots_in(source, scan, kept, radius, **how)
            told = given
            if told is None:
                told = yield from calibration_of(
                    found,
                    crystals,
                    found.calibration if scan is None else scan.calibration,
                    scale,
                    centre,
                    voltage=voltage,
                    rotation=rotation,
                    flipped=flipped,
                )
            return (
                yield from orientation_maps(
                    found,
                    told,
                    crystals,
                    target,
                    step=found.step if scan is None else scan.step,
                    library=library,
                    models=proposing,
                    least_confidence=(
                        LEAST_CONFIDENCE if least_confidence is None else least_confidence
                    ),
                    grain_threshold=grain_threshold,
                    **how,
                )
            )

        # One job: whoever stops it need not know how far it is.
        stack = run(whole_way(), output, going_on="The same command goes on from here.")
        report = report_orientations(stack)
        report_result(
            output,
            f"Wrote [bold]{shown(target)}[/]. {report.in_words()}\n"
            f"{calibration_in_words(stack)}\n"
            + "".join(f"{told}\n" for told in [unreadable_told(stack)] if told)
            + f"See it with: napari-kikuchi view {shown(target)}",
            result=target,
            **asdict(report),
            calibration=dict(stack.provenance["indexing"]["calibration"]),
        )
