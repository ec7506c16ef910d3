-- Which of the two root slots is booted, and how the loader remembers it.
--
-- The state is a few lines of text in a sector of its own, twice: in the files state.0 and state.1 of a small file system.
-- The loader cannot make files or let them grow, but it can overwrite what is there. The valid copy with the higher number
-- counts; a change goes over the other one, so that a write that is cut off leaves the state that was.
--
-- Nothing here but `run` touches the machine. It gets its hands on it by the loader's own modules only.

local slots = {}

local SECTOR = 512
local HEADER = "ngforge-state 1\n"
local COPIES = { "state.0", "state.1" }
-- Numbers of partitions.
local STATE = 4
local ROOT = { a = 5, b = 6 }
-- A slot that was started so often without ever being healthy gives way to the other one.
local MOST_STARTS = 3

local SLOT = { a = true, b = true }
local SLOT_OR_NONE = { a = true, b = true, ["-"] = true }
local CONDITION = { good = true, new = true, empty = true, bad = true }

local function crc32(text)
	local crc = 0xffffffff
	for i = 1, #text do
		crc = crc ~ text:byte(i)
		for _ = 1, 8 do
			crc = (crc >> 1) ~ (0xedb88320 & -(crc & 1))
		end
	end
	return string.format("%08x", crc ~ 0xffffffff)
end

local function number(text)
	return text ~= nil and #text <= 9 and text:match("^%d+$") and tonumber(text) or nil
end

-- The state that a sector holds, or nil and the reason.
function slots.parse(sector)
	local text, sum = sector:match("^(.-\n)sum=(%x+)\n*$")
	if text == nil or text:sub(1, #HEADER) ~= HEADER then
		return nil, "holds no state"
	end
	if sum ~= crc32(text) then
		return nil, "does not match its checksum"
	end
	local state = {}
	for key, value in text:sub(#HEADER + 1):gmatch("(%w+)=([^\n]*)\n") do
		state[key] = value
	end
	state.seq = number(state.seq)
	state.starts = number(state.starts)
	local sound = state.seq and state.starts and SLOT[state.boot] and SLOT_OR_NONE[state.try]
	    and SLOT_OR_NONE[state.tried] and CONDITION[state.a] and CONDITION[state.b]
	if not sound then
		return nil, "makes no sense"
	end
	return state
end

-- The sector that holds a state.
function slots.format(state)
	local text = HEADER
	for _, key in ipairs({ "seq", "boot", "try", "tried", "starts", "a", "b" }) do
		text = text .. key .. "=" .. state[key] .. "\n"
	end
	text = text .. "sum=" .. crc32(text) .. "\n"
	return text .. ("\n"):rep(SECTOR - #text)
end

local function other(slot)
	return slot == "a" and "b" or "a"
end

local function changed(state, changes)
	local new = {}
	for key, value in pairs(state) do
		new[key] = changes[key] or value
	end
	return new
end

-- What to do in a state: the slot to boot, the state to write before, the slot to boot if that cannot be written, and why.
function slots.plan(state)
	local boot = state.boot
	local seq = state.seq + 1
	if state.try ~= "-" then
		local new = changed(state, { seq = seq, try = "-", tried = state.try })
		return state.try, new, boot, "to be tried once"
	end
	local new = changed(state, { seq = seq, starts = state.starts + 1 })
	local rounds = state.starts // MOST_STARTS
	if rounds % 2 == 1 and state[other(boot)] == "good" then
		return other(boot), new, other(boot), boot .. " was started " .. state.starts .. " times and was never healthy"
	end
	return boot, new, boot, "as always"
end

local function read(path)
	local file = io.open(path, "r")
	if file == nil then
		return nil
	end
	local text = io.read(file, SECTOR)
	io.close(file)
	return text
end

local function write(path, text)
	local file = io.open(path, "w")
	if file == nil then
		return false
	end
	local written = io.write(file, text)
	io.close(file)
	return written == #text and read(path) == text
end

-- The newest valid state, and the path to write the next one to.
local function newest(folder)
	local best, into
	for i, name in ipairs(COPIES) do
		local state, reason = nil, "cannot be read"
		local text = read(folder .. name)
		if text ~= nil then
			state, reason = slots.parse(text)
		end
		if state == nil then
			print("ngforge: " .. folder .. name .. " " .. reason)
		elseif best == nil or state.seq > best.seq then
			best, into = state, folder .. COPIES[3 - i]
		end
	end
	return best, into
end

-- Loads the kernel and the modules of a slot, with its own settings, and says whether there is a kernel.
local function load_slot(disk, label, slot)
	local device = disk .. "p" .. ROOT[slot] .. ":"
	loader.perform("unload")
	if loader.setenv("currdev", device) ~= 0 or lfs.attributes("/boot", "mode") ~= "directory" then
		return false
	end
	local config = require("config")
	config.reload()
	loader.setenv("vfs.root.mountfrom", "ufs:/dev/gpt/" .. label .. "-" .. slot)
	loader.setenv("vfs.root.mountfrom.options", "ro")
	loader.setenv("ngforge.slot", slot)
	config.loadelf()
	return loader.getenv("kernelname") ~= nil
end

-- The slot to begin with.
local function decide(disk)
	local state, into = newest(disk .. "p" .. STATE .. ":/")
	if state == nil then
		return "a", "nothing valid says which one"
	end
	local slot, new, otherwise, reason = slots.plan(state)
	if not write(into, slots.format(new)) then
		print("ngforge: could not write " .. into)
		return otherwise, reason
	end
	return slot, reason
end

-- Whoever loads a kernel later finds it loaded.
local function keep_loaded()
	local config = require("config")
	local loadelf = config.loadelf
	config.loadelf = function()
		return loader.getenv("kernelname") ~= nil or loadelf()
	end
end

-- Picks a slot and loads it; if it has no kernel, the other one.
function slots.run()
	local label = loader.getenv("ngforge.label")
	local disk = (loader.getenv("currdev") or ""):match("^(.*)p%d+:$")
	if label == nil or disk == nil then
		print("ngforge: this is no disk with slots")
		return
	end
	local first, reason = decide(disk)
	for _, slot in ipairs({ first, other(first) }) do
		print("ngforge: slot " .. slot .. ", " .. reason)
		if load_slot(disk, label, slot) then
			keep_loaded()
			return
		end
		reason = "since there is no kernel in slot " .. slot
	end
	print("ngforge: there is no kernel in either slot")
end

return slots
