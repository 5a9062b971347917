-- Lua's numbers are floats: an action would hand a longer integer back rounded, and Argo CD would write it.
local function exact(value)
  if type(value) == "table" then
    for _, inner in pairs(value) do
      if not exact(inner) then
        return false
      end
    end
  end
  return type(value) ~= "number" or (value < 2 ^ 53 and value > -(2 ^ 53))
end

local able = exact(obj)
return {
  restart = {
    disabled = not able or (obj.spec or {}).suspend == true,
    displayName = "Restart what failed",
    iconClass = "fa fa-redo"
  },
  reconcile = {
    disabled = not able,
    displayName = "Look again now",
    iconClass = "fa fa-sync"
  }
}
