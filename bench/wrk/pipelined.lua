-- Sixteen requests in one write.
init = function()
  local requests = {}
  for index = 1, 16 do requests[index] = wrk.format('GET', '/') end
  batch = table.concat(requests)
end

request = function() return batch end
