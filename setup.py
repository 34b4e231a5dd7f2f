"""The compiled module and the folder that becomes trtcolor_train; the rest is in pyproject.toml."""

from glob import glob

from Cython.Build import cythonize
from setuptools import Extension, find_packages, setup
from setuptools.command.build_ext import build_ext

# No -march: a wheel runs on any machine of its architecture, and the files of other architectures
# are empty there. No contraction: every compiler rounds alike.
COMPILE_ARGS = ["-std=c11", "-O3", "-g0", "-ffp-contract=off", "-pthread"]


class BuildColor(build_ext):
    def build_extensions(self) -> None:
        if self.compiler.compiler_type != "unix":
            raise SystemExit(
                f"error: a compiler of type {self.compiler.compiler_type!r} came, but trtcolor's "
                "kernels need POSIX threads, which Windows lacks; build trtcolor in WSL"
            )
        super().build_extensions()


color = Extension(
    "trtcolor._color",
    sources=["trtcolor/_color.pyx", *sorted(glob("csrc/*.c"))],
    depends=["trtcolor/_color.pxd", *sorted(glob("csrc/*.h"))],
    include_dirs=["csrc"],
    extra_compile_args=COMPILE_ARGS,
    extra_link_args=["-pthread"],
)

setup(
    packages=[
        *find_packages(include=["trtcolor", "trtcolor.*"]),
        "trtcolor_train",
        *(f"trtcolor_train.{name}" for name in find_packages("train")),
    ],
    package_dir={"trtcolor_train": "train"},
    package_data={
        "trtcolor": [
            "py.typed",
            "*.pyi",
            "models/**/*",
            "adopt/specs/*.toml",
            "theme.css",
            "gallery/assets/*",
            "study/assets/*",
        ],
        "trtcolor_train": ["py.typed", "configs/*.toml"],
    },
    # The sources of the compiled module belong in the sdist (MANIFEST.in), not in the wheel.
    include_package_data=False,
    ext_modules=cythonize([color], language_level=3),
    cmdclass={"build_ext": BuildColor},
)
