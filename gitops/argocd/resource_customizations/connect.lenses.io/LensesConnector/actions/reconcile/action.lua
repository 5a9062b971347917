-- The operator looks at the connector again, drift included; once for each value.
local os = require("os")

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

if not exact(obj) then
  error("an integer of this object is too long for Argo CD's Lua and would be rounded; use kubectl annotate", 0)
end
if obj.metadata.annotations == nil then
  obj.metadata.annotations = {}
end
obj.metadata.annotations["connect.lenses.io/reconcile"] = os.date("!%Y-%m-%dT%XZ")
return obj
