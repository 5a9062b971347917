"""Argo CD's Lua machine, as far as scripts can tell: Lua 5.1 with the libraries it opens, objects in and out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lupa import lua51

from harness.paths import ROOT

ARGOCD = ROOT / "gitops" / "argocd"
CUSTOMIZATIONS = ARGOCD / "resource_customizations" / "connect.lenses.io"
# package, base and table are opened; os, with these two functions alone, is there for those who require it.
SANDBOX = """
local os, keep = {time = os.time, date = os.date}, {}
for _, name in ipairs({
  "_G", "_VERSION", "assert", "collectgarbage", "error", "getfenv", "getmetatable", "ipairs", "load", "loadstring",
  "module", "next", "package", "pairs", "pcall", "print", "rawequal", "rawget", "rawset", "require", "select",
  "setfenv", "setmetatable", "table", "tonumber", "tostring", "type", "unpack", "xpcall"
}) do keep[name] = true end
for name in pairs(_G) do
  if not keep[name] then
    _G[name] = nil
    package.loaded[name] = nil
  end
end
getmetatable("").__index = nil
package.path, package.cpath = "", ""
package.preload.os = function() return os end
"""


def run(script: Path, found: Mapping[str, Any]) -> Any:
    """What the script returns for this object. Raises lupa's LuaError."""
    lua = lua51.LuaRuntime(register_eval=False, register_builtins=False, unpack_returned_tuples=True)
    lua.execute(SANDBOX)
    lua.globals()["obj"] = _to_lua(lua, found)
    return _from_lua(lua.execute(script.read_text()))


def _to_lua(lua: Any, value: Any) -> Any:
    """Integers become Lua's numbers, which are floats, and so lose what is beyond 53 bits; a null is nothing."""
    if isinstance(value, Mapping):
        return lua.table_from({key: _to_lua(lua, inner) for key, inner in value.items() if inner is not None})
    if isinstance(value, list | tuple):
        return lua.table_from([_to_lua(lua, inner) for inner in value])
    return value


def _from_lua(value: Any) -> Any:
    """A table is a list if its keys are 1 and so on, or if it is empty."""
    if lua51.lua_type(value) != "table":
        return int(value) if isinstance(value, float) and value.is_integer() else value
    keys = list(value.keys())
    if keys == list(range(1, len(keys) + 1)):
        return [_from_lua(inner) for inner in value.values()]
    return {key: _from_lua(value[key]) for key in keys}


def merge_patch(before: Any, after: Any) -> Any:
    """What Argo CD sends after an action: the difference as a merge patch; {} if there is none."""
    patch: dict[str, Any] = {key: None for key in before if key not in after}
    for key, value in after.items():
        old = before.get(key)
        if isinstance(value, dict) and isinstance(old, dict):
            if inner := merge_patch(old, value):
                patch[key] = inner
        elif value != old and not (value == [] and old == {}):  # the one thing Argo CD puts right itself
            patch[key] = value
    return patch
