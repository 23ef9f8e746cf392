"""The environments of packages that do not share ours: built by ``make bench-env``, one per package.

``python -m optiproxy.baselines.packages.environments [NAME...]`` builds those that are missing or out of date. Each is
pinned to the last package by a file in ``requirements/``. They lie in the folder ``$OPTIPROXY_BENCH_ENV``, or else
``bench-env`` within the environment that optiproxy itself runs in.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from optiproxy.errors import PackageError, unknown

_REMEDY = "Run `make bench-env`, or `python -m optiproxy.baselines.packages.environments`, to build it."

_REQUIREMENTS = Path(__file__).parent / "requirements"


@dataclass(frozen=True, kw_only=True)
class Environment:
    """One package and all that it needs.

    Attributes:
        name: Name of the package, of its folder and of its file of requirements.
        beside_ours: It sees the packages of our environment too: torch is too large to be installed twice.
    """

    name: str
    beside_ours: bool = False

    @property
    def folder(self) -> Path:
        """Folder of the environment, whether or not it has been built."""
        chosen = os.environ.get("OPTIPROXY_BENCH_ENV")
        return (Path(chosen) if chosen else Path(sys.prefix) / "bench-env") / self.name

    @property
    def python(self) -> Path:
        """Path of its interpreter."""
        scripts, suffix = ("Scripts", ".exe") if os.name == "nt" else ("bin", "")
        return self.folder / scripts / f"python{suffix}"

    @property
    def requirements(self) -> Path:
        """File that lists its packages, every one pinned."""
        return _REQUIREMENTS / f"{self.name}.txt"

    @property
    def ready(self) -> bool:
        """Whether it has been built to the end, from the present requirements."""
        try:
            return self._stamp.read_text(encoding="utf-8") == self._digest and self.python.exists()
        except OSError:
            return False

    @property
    def problem(self) -> str:
        """Why its package cannot be used, and what to do; empty if it can."""
        return "" if self.ready else f"The package {self.name} is not in {self.folder}. {_REMEDY}"

    def build(self) -> None:
        """Build it, in place of what is there.

        Raises:
            PackageError: If Python or pip fails; the message ends with what it said last.
        """
        # From nothing, because pip would leave packages that an older list of requirements had.
        shutil.rmtree(self.folder, ignore_errors=True)
        # Without pip: ours installs into it (--python below), which spares a copy in each environment.
        _run([sys.executable, "-m", "venv", "--without-pip", str(self.folder)])
        if self.beside_ours:
            # A .pth file puts our packages on the path behind its own, which therefore win.
            ours = sysconfig.get_path("purelib")
            theirs = sysconfig.get_path("purelib", "venv", vars={"base": str(self.folder)})
            (Path(theirs) / "optiproxy-beside.pth").write_text(f"{ours}\n", encoding="utf-8")
        # The pins are complete; resolving them again would only bring what they leave out on purpose (GPU libraries).
        pip = [sys.executable, "-m", "pip", "--python", str(self.python), "--disable-pip-version-check"]
        _run([*pip, "install", "--quiet", "--no-deps", "-r", str(self.requirements)])
        # Last, so that a build that was interrupted does not look ready.
        self._stamp.write_text(self._digest, encoding="utf-8")

    @property
    def _stamp(self) -> Path:
        return self.folder / "optiproxy-requirements.sha256"

    @property
    def _digest(self) -> str:
        return hashlib.sha256(self.requirements.read_bytes()).hexdigest()


ENVIRONMENTS = {
    environment.name: environment
    for environment in (
        Environment(name="cmaes"),
        Environment(name="smac"),
        Environment(name="syne-tune"),
        Environment(name="dehb"),
        Environment(name="botorch", beside_ours=True),
    )
}
"""Name -> environment."""


def main(names: Sequence[str]) -> None:
    """Build those of these names, or all, that are not ready.

    Raises:
        UsageError: If a name is unknown.
        PackageError: If one cannot be built; those before it stay.
    """
    for name in names or ENVIRONMENTS:
        if name not in ENVIRONMENTS:
            raise unknown("environment", name, ENVIRONMENTS)
    for name in names or ENVIRONMENTS:
        environment = ENVIRONMENTS[name]
        if not environment.ready:
            print(f"Building {environment.folder}", flush=True)  # noqa: T201 - a build script talks
            environment.build()


def _run(command: Sequence[str]) -> None:
    done = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603 - our own commands
    if done.returncode:
        # Both venv and pip end with the reason; what comes before it would fill the screen.
        last = (done.stderr.strip() or done.stdout.strip() or "it said nothing").splitlines()[-1].rstrip(".")
        raise PackageError(f"`{' '.join(command)}` failed: {last}. Correct that and run it again.")


if __name__ == "__main__":
    main(sys.argv[1:])
