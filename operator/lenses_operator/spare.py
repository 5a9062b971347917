"""Imports that are left out: most of the time and memory of a start would go into code that never runs.

`kubernetes` imports, with any part of it, all of itself with requests and OAuth, and kopf and httpx import what else is
installed in case somebody wants it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec, module_from_spec
from types import ModuleType
from typing import Any

BARE: Mapping[str, Mapping[str, str]] = {
    "kubernetes": {},
    "kubernetes.aio": {},
    "kubernetes.aio.config": {},
    "kubernetes.aio.utils": {},
    "kubernetes.aio.client": {"ApiClient": "api_client", "Configuration": "configuration"},
    "kubernetes.aio.client.models": {},
}
"""Packages that are imported without their own `__init__`: of each only the modules that are named are loaded, and the
names that others of its modules import from it are looked for in these."""
LATER = {"dateutil.parser": ("parse", "dateutil.parser._parser")}
"""Packages of which others import a function that nobody here calls: its module is imported by the first call."""
ABSENT = ("kubernetes.client", "httpx._main")
"""Modules that count as not installed: models of objects that kopf would take too, and httpx' command line."""


def leave_out() -> None:
    """Before anything else is imported; what has been imported already stays as it is."""
    for name in BARE:
        spec = None if name in sys.modules else find_spec(name)
        if spec is None:
            continue
        module = sys.modules[name] = module_from_spec(spec)
        setattr(module, "__getattr__", _named(name))  # noqa: B010 - of a module, which has no such method
        parent, _, child = name.rpartition(".")
        if parent:
            setattr(sys.modules[parent], child, module)
    for name, (function, where) in LATER.items():
        if name not in sys.modules and (spec := find_spec(name)) is not None:
            module = sys.modules[name] = module_from_spec(spec)
            setattr(module, function, _later(where, function))
    if "aiohttp.connector" not in sys.modules:
        sys.meta_path.insert(0, _AiohttpWithoutAuthorities())
    for name in ABSENT:
        if name not in sys.modules:
            sys.modules[name] = None  # type: ignore[assignment]  # how Python notes that there is no such module


class _AiohttpWithoutAuthorities(MetaPathFinder):
    """Has aiohttp imported without the context of all the system's authorities that it makes for whoever gives it none,
    and that stays in memory. Ours is always given one; by this one nobody is trusted."""

    def find_spec(self, fullname: str, path: object = None, target: object = None) -> ModuleSpec | None:  # noqa: ARG002
        if fullname != "aiohttp.connector":
            return None
        sys.meta_path.remove(self)
        spec = find_spec(fullname)
        if spec is not None and spec.loader is not None:
            setattr(spec.loader, "exec_module", partial(_trusting_nobody, spec.loader.exec_module))  # noqa: B010
        return spec


def _trusting_nobody(execute: Callable[[ModuleType], None], module: ModuleType) -> None:
    import ssl  # imported here: most commands end without it

    make = ssl.create_default_context
    setattr(ssl, make.__name__, partial(ssl.SSLContext, ssl.PROTOCOL_TLS_CLIENT))
    try:
        execute(module)
    finally:
        setattr(ssl, make.__name__, make)


def _later(module: str, function: str) -> Callable[..., Any]:
    def call(*arguments: Any, **options: Any) -> Any:
        return getattr(import_module(module), function)(*arguments, **options)

    return call


def _named(package: str) -> Callable[[str], Any]:
    def find(name: str) -> Any:
        where = BARE[package].get(name)
        if where is None:
            raise AttributeError(f"{package} is imported without its own {name}")
        return getattr(import_module(f"{package}.{where}"), name)

    return find
