"""The load by whose counts the compiler lays out pgsluice (scripts/profile): what applications do all day, each for a moment."""
import os
import shutil

from support.system import give_to_unprivileged

MEASUREMENTS = ["simple1", "simple16", "extended16", "prepared16", "tls16", "begin16", "settings64", "rules16", "rules_prepared16",
                "copy_out", "copy_in"]
SECONDS = 2


def environment(folder):
    """Sends the counts of a pgsluice that ends into a folder of its own user, whatever folder it was compiled for."""
    return ["env", f"GCOV_PREFIX={folder}", "GCOV_PREFIX_STRIP=99"]


def run(stage, measurements, options):
    counts = stage.folder / "counts"
    counts.mkdir()
    give_to_unprivileged(counts)
    stage.prefix = environment(counts)
    options.seconds = SECONDS
    for name in MEASUREMENTS:
        measurement = measurements[name]
        for target in measurement.targets(["pgsluice"]):
            print(f"{name:18} {target}", flush=True)
            measurement.take(stage, target, options)
    stage.stop()
    files = sorted(counts.glob("*.gcda"))
    if not files:
        raise SystemExit(f"{os.environ['PGSLUICE_BIN']} leaves no counts: is it of the preset 'counting'?")
    shutil.rmtree(options.output, ignore_errors=True)
    options.output.mkdir(parents=True)
    for file in files:
        shutil.copy(file, options.output)
    print(f"counts of {len(files)} sources are in {options.output}")
