-- What Lua programs do: tables, closures, string methods, metatables, coroutines, numeric loops.
local scale = tonumber(arg[1])
local Vector = {}
Vector.__index = Vector
Vector.__add = function(a, b) return setmetatable({x = a.x + b.x, y = a.y + b.y}, Vector) end
function Vector:square() return self.x * self.x + self.y * self.y end

local sum = setmetatable({x = 0, y = 0}, Vector)
for i = 1, 40000 * scale do sum = sum + setmetatable({x = i % 7, y = i % 11}, Vector) end

local counts = {}
for i = 1, 4000 * scale do
  for word in string.gmatch("alpha beta gamma" .. i % 50 .. " delta", "%a+%d*") do counts[word] = (counts[word] or 0) + 1 end
end
local names = {}
for name in pairs(counts) do names[#names + 1] = name end
table.sort(names)

local function permute(a, n)
  if n == 0 then coroutine.yield(a) end
  for i = 1, n do
    a[n], a[i] = a[i], a[n]
    permute(a, n - 1)
    a[n], a[i] = a[i], a[n]
  end
end
local seen = 0
for a in coroutine.wrap(function() permute({1, 2, 3, 4, 5, 6, 7}, 7) end) do seen = seen + a[1] * a[7] end

local sieve, found = {}, 0
for i = 2, 30000 * scale do
  if not sieve[i] then
    found = found + 1
    for j = i * i, 30000 * scale, i do sieve[j] = true end
  end
end
local function fib(n) if n < 2 then return n end return fib(n - 1) + fib(n - 2) end
print(sum:square(), #names, counts[names[3]], seen, found, fib(20 + scale // 2))
