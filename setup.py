"""The compiled module and the folder that becomes trtcolor_train; the rest is in pyproject.toml."""

from Cython.Build import cythonize
from setuptools import Extension, find_packages, setup
from setuptools.command.build_ext import build_ext

# No -march: a wheel runs on any machine of its architecture. No contraction: every machine and
# compiler rounds alike.
COMPILE_ARGS = {
    "unix": ["-std=c11", "-O3", "-g0", "-ffp-contract=off"],
    "mingw32": ["-std=c11", "-O3", "-g0", "-ffp-contract=off"],
    "msvc": ["/std:c11", "/O2", "/fp:precise"],
}


class BuildColor(build_ext):
    def build_extensions(self) -> None:
        kind = self.compiler.compiler_type
        if kind not in COMPILE_ARGS:
            raise SystemExit(
                f"error: trtcolor knows no options for a compiler of type {kind!r}; "
                f"use one of {', '.join(COMPILE_ARGS)} (python setup.py build_ext --compiler=...)"
            )
        for extension in self.extensions:
            extension.extra_compile_args = COMPILE_ARGS[kind]
        super().build_extensions()


color = Extension(
    "trtcolor._color",
    sources=["trtcolor/_color.pyx", "csrc/color.c"],
    depends=["csrc/color.h"],
    include_dirs=["csrc"],
)

setup(
    packages=[
        *find_packages(include=["trtcolor", "trtcolor.*"]),
        "trtcolor_train",
        *(f"trtcolor_train.{name}" for name in find_packages("train")),
    ],
    package_dir={"trtcolor_train": "train"},
    package_data={
        "trtcolor": ["py.typed", "*.pyi", "models/**/*"],
        "trtcolor_train": ["py.typed", "configs/*.toml"],
    },
    # The sources of the compiled module belong in the sdist (MANIFEST.in), not in the wheel.
    include_package_data=False,
    ext_modules=cythonize([color], language_level=3),
    cmdclass={"build_ext": BuildColor},
)
