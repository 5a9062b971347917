-- Argo CD's health of an object from the conditions lenses-operator writes. The same file serves both kinds.
local metadata = obj.metadata or {}
local status = obj.status or {}

local function condition(name)
  for _, found in ipairs(status.conditions or {}) do
    if found.type == name then
      return found
    end
  end
end

local function health(word, found)
  local reason, message = found.reason or "", found.message or ""
  if reason ~= "" and message ~= "" then
    reason = reason .. ": "
  end
  return {status = word, message = reason .. message}
end

local ready = condition("Ready")
if ready == nil or status.observedGeneration == nil or status.observedGeneration ~= metadata.generation then
  return {status = "Progressing", message = "lenses-operator has not looked at this generation yet"}
end

local stalled, reconciling = condition("Stalled"), condition("Reconciling")
if stalled ~= nil and stalled.status == "True" then
  return health("Degraded", stalled)
end
if reconciling ~= nil and reconciling.status == "True" then
  return health("Progressing", reconciling)
end
if ready.status == "True" then
  return health("Healthy", ready)
end
if ready.reason == "Suspended" then
  return health("Suspended", ready)
end
return health("Progressing", ready)
