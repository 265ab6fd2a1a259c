"""Puts what is needed into the cache, outside of the clone: environments, jars, Java, the Thalweg program, the input.

cache/venvs/<engine>/    a Python environment of its own for each engine: their packages want different versions
cache/data/<size>/       the Parquet files, drawn once; anew when `payments.py` has changed
"""

import hashlib
import json
import os
import shutil
import subprocess

from settings import CACHE, HERE, PYTHONS, ROOT, TOOLS

DEBIAN = {"java": "openjdk-17-jre-headless", "mvn": "maven"}


class Missing(Exception):
    """An engine cannot be had on this machine; says why."""


def ran(command, **options):
    """Runs a command whose output matters only when it fails."""
    done = subprocess.run(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options)
    if done.returncode != 0:
        last = done.stdout.strip().splitlines()[-1:] or ["it said nothing"]
        raise Missing(f"`{' '.join(map(os.path.basename, command[:3]))}` failed: {last[0]}")
    return done.stdout


def python_of(engine):
    return os.path.join(CACHE, "venvs", engine.name.lower(), "bin", "python")


def python():
    """A Python that the engines' packages are built for."""
    for name in PYTHONS:
        found = shutil.which(name)
        # A version manager's name may stand for a version that it does not have.
        if found and subprocess.run([found, "-c", ""], stderr=subprocess.DEVNULL).returncode == 0:
            return found
    raise Missing(f"none of {', '.join(PYTHONS)} is here")


def install(engine):
    """Makes the engine's environment, unless it is there as it is wanted."""
    folder = os.path.join(CACHE, "venvs", engine.name.lower())
    wanted = json.dumps([engine.before, engine.packages, engine.jars])
    marker = os.path.join(folder, "wanted")
    if os.path.exists(marker) and open(marker).read() == wanted:
        return
    print(f"installing {engine.name}", flush=True)
    shutil.rmtree(folder, ignore_errors=True)
    ran([python(), "-m", "venv", folder])
    for packages in filter(None, (engine.before, engine.packages)):
        ran([python_of(engine), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *packages])
    if engine.jars:
        install_jars(engine)
    with open(marker, "w") as file:
        file.write(wanted)


def install_jars(engine):
    for package in [package for program, package in DEBIAN.items() if not shutil.which(program)]:
        ran(["apt-get", "-qq", "update"])
        ran(["apt-get", "-qq", "install", "-y", "--no-install-recommends", package])
    lib = ran([python_of(engine), "-c", "import os, pyflink; print(os.path.dirname(pyflink.__file__))"])
    for jar in engine.jars:
        command = ["mvn", "-q", "dependency:copy", f"-Dartifact={jar}", f"-DoutputDirectory={lib.strip()}/lib"]
        ran(command, cwd=CACHE, stdin=subprocess.DEVNULL)


def thalweg():
    """Builds the Thalweg program, as every bench is built, and says where it is."""
    print("building Thalweg", flush=True)
    command = ["cargo", "bench", "--quiet", "--locked", "-p", "benches", "--bench", "compare", "--no-run"]
    built = subprocess.run([*command, "--message-format=json"], cwd=ROOT, text=True, stdout=subprocess.PIPE, check=True)
    artifacts = (json.loads(line) for line in built.stdout.splitlines())
    return next(a["executable"] for a in artifacts if a.get("target", {}).get("name") == "compare" and a["executable"])


def data(size):
    """The folder with the input of a size, drawn if it is not there."""
    folder = os.path.join(CACHE, "data", size.name)
    with open(os.path.join(HERE, "payments.py"), "rb") as file:
        wanted = hashlib.sha256(file.read() + repr((size, TOOLS.packages)).encode()).hexdigest()
    marker = os.path.join(folder, "wanted")
    if not (os.path.exists(marker) and open(marker).read() == wanted):
        print(f"drawing {size.said()}", flush=True)
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        program = os.path.join(HERE, "payments.py")
        ran([python_of(TOOLS), "-B", program, folder, str(size.payments), str(size.users)])
        with open(marker, "w") as file:
            file.write(wanted)
    return folder
