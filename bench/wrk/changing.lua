-- The twenty fields of browser.lua, ten of them others in each request: what a server remembers of the last one does not help.
local fields = {
  { 'Connection', 'keep-alive' },
  { 'Cache-Control', 'max-age=', '' },
  { 'sec-ch-ua', '"Chromium";v="128", "Not;A=Brand";v="24", "Google Chrome";v="', '"' },
  { 'sec-ch-ua-mobile', '?0' },
  { 'sec-ch-ua-platform', '"Linux ', '"' },
  { 'DNT', '1' },
  { 'Upgrade-Insecure-Requests', '1' },
  { 'User-Agent', 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/', '.0.0.0 Safari/537.36' },
  { 'Accept', 'text/html,application/xhtml+xml,application/xml;q=0.', ',image/avif,image/webp,image/apng,*/*;q=0.8' },
  { 'Sec-Fetch-Site', 'same-origin' },
  { 'Sec-Fetch-Mode', 'navigate' },
  { 'Sec-Fetch-User', '?1' },
  { 'Sec-Fetch-Dest', 'document' },
  { 'Referer', 'https://shop.example.com/catalogue/shoes/', '' },
  { 'Accept-Encoding', 'gzip, deflate, br, zstd' },
  { 'Accept-Language', 'en-GB,en;q=0.', ',de;q=0.8' },
  { 'If-None-Match', 'W/"5f3c-8e1b', '"' },
  { 'Priority', 'u=0, i, n=', '' },
  { 'Cookie', 'session=8f14e45fceea167a5a36dedd4bea', '; theme=dark; consent=all; _ga=GA1.2.1234567890.1700000000' },
}

local kinds = 499
local requests = {}

init = function()
  for kind = 1, kinds do
    local lines = { 'GET /catalogue/shoes/running?size=44&colour=blue&page=2 HTTP/1.1', 'Host: ' .. wrk.headers['Host'] }
    for _, field in ipairs(fields) do
      local value = field[3] and field[2] .. (1000 + kind) .. field[3] or field[2]
      lines[#lines + 1] = field[1] .. ': ' .. value
    end
    requests[kind] = table.concat(lines, '\r\n') .. '\r\n\r\n'
  end
end

local at = 0
request = function()
  at = at % kinds + 1
  return requests[at]
end
