"""Images that stand in for those that ``deploy/`` names, where no image registry is reached.

They are made of Debian packages, from this machine's apt sources, and of Kafka's Maven artifacts
(``images/Containerfile``). They are named ``localhost/stream-attr-check/…``, tagged with a digest of what
they are made of, and stay for the next run.
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import apache_kafka

from tests.deploy.manifests import DEPLOY

HERE = Path(__file__).resolve().parent / "images"
NAMES = ("python", "kafka", "postgres", "prometheus")
PROGRAMS = ("podman", "runc", "catatonit", "mmdebstrap", "iptables")
HELPERS = ("netavark", "aardvark-dns")
"""Podman starts these itself; they are not on the PATH."""
HELPER_FOLDERS = ("/usr/lib/podman", "/usr/libexec/podman", "/usr/local/libexec/podman")
APT_SETTING = re.compile(r"^Acquire::(Check-|http|https|Retries).*$", re.MULTILINE)
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")

_LOG4J = DEPLOY / "kafka" / "log4j2.properties"
_POM = DEPLOY / "kafka" / "pom.xml"


def why_not() -> str | None:
    """What this machine lacks to run containers; None when it lacks nothing."""
    missing = [name for name in PROGRAMS if shutil.which(name) is None]
    missing += [name for name in HELPERS if not any(Path(folder, name).exists() for folder in HELPER_FOLDERS)]
    if missing:
        return f"missing: {', '.join(missing)}; `make containers` installs them, as root on Debian"
    if os.geteuid() != 0:
        return "podman without root has not been tried; root is needed"
    return apache_kafka.why_not()


def built(environment: Mapping[str, str]) -> dict[str, str]:
    """The name of each stand-in's image, all of them built; the first time takes minutes.

    Raises:
        subprocess.CalledProcessError: one cannot be built; the command has said why.
    """
    made_of = [*sorted(file for file in HERE.rglob("*") if file.is_file()), Path(__file__), _LOG4J, _POM]
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in made_of)).hexdigest()[:12]
    images = {name: f"localhost/stream-attr-check/{name}:{digest}" for name in ("debian", *NAMES)}
    with tempfile.TemporaryDirectory() as folder:
        if not _is_there(images["debian"], environment):
            _make_base(images["debian"], Path(folder), environment)
        for name in NAMES:
            if not _is_there(images[name], environment):
                _build(name, images, Path(folder) / name, environment)
    return images


def network_mounts(folder: Path) -> list[str]:
    """Options of ``podman build`` by which pip and apt within a build reach what they reach on this machine.

    ``folder`` takes the file that is mounted as the build's configuration of pip.
    """
    said = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], check=True, capture_output=True, text=True
    ).stdout
    settings = dict(re.findall(r"^[^\s=]*\.([\w-]+)=(.*)$", said, re.MULTILINE))
    values = {name: value.strip("'\"") for name, value in settings.items()}
    file = folder / "pip.conf"
    file.write_text("[global]\n" + "".join(f"{name} = {value}\n" for name, value in values.items()), "utf-8")
    paths = {value for value in (*values.values(), str(CERTIFICATES)) if Path(value).is_absolute()}
    mounts = [f"{path}:{path}:ro" for path in sorted(paths) if Path(path).exists()]
    return [word for mount in (f"{file}:/etc/pip.conf:ro", *mounts) for word in ("--volume", mount)]


def _is_there(image: str, environment: Mapping[str, str]) -> bool:
    return subprocess.run(["podman", "image", "exists", image], env=environment, check=False).returncode == 0


def _make_base(image: str, folder: Path, environment: Mapping[str, str]) -> None:
    settings = subprocess.run(["apt-config", "dump"], check=True, capture_output=True, text=True).stdout
    (folder / "apt.conf").write_text("".join(m[0] + "\n" for m in APT_SETTING.finditer(settings)), "utf-8")
    release = platform.freedesktop_os_release()
    suite = release["VERSION_CODENAME"] if release["ID"] == "debian" else "bookworm"
    sources = [Path("/etc/apt/sources.list"), Path("/etc/apt/sources.list.d/debian.sources")]
    ours = [str(file) for file in sources if file.exists() and file.read_text("utf-8").strip()]
    base = folder / "base.tar"
    subprocess.run(
        ["mmdebstrap", "--quiet", "--variant=apt", "--include=ca-certificates",
         f"--aptopt={folder / 'apt.conf'}", suite, str(base), *ours],
        check=True,
    )  # fmt: skip
    subprocess.run(["podman", "import", "--quiet", str(base), image], env=environment, check=True)


def _build(name: str, images: Mapping[str, str], context: Path, environment: Mapping[str, str]) -> None:
    shutil.copytree(HERE, context)
    if name == "kafka":
        shutil.copy(_LOG4J, context)
        shutil.copytree(apache_kafka.fetched_jars(), context / "libs")
        [version] = re.findall(r"<kafka.version>(.*)</kafka.version>", _POM.read_text("utf-8"))
        subprocess.run(
            ["mvn", "-B", "-ntp", "-q", "dependency:copy", f"-DoutputDirectory={context / 'libs'}",
             f"-Dartifact=org.apache.kafka:kafka-tools:{version}"],
            check=True, stdin=subprocess.DEVNULL, cwd=context,
        )  # fmt: skip
    subprocess.run(
        ["podman", "build", "--isolation", "chroot", "--format", "docker", *network_mounts(context.parent),
         "--build-arg", f"DEBIAN={images['debian']}", "--target", name, "--tag", images[name],
         "--file", str(context / "Containerfile"), str(context)],
        env=environment, check=True,
    )  # fmt: skip
