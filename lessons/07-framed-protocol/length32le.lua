-- length32le.lua: Wireshark shows the frames of length32le, and the requests and responses in them.
--
--     tshark -X lua_script:lessons/07-framed-protocol/length32le.lua -d tcp.port==7007,length32le -i lo
--     wireshark -X lua_script:lessons/07-framed-protocol/length32le.lua
--
-- In Wireshark: "Decode As..." on a packet of the connection, and choose LENGTH32LE. A frame is a length of
-- 4 bytes, the one of least weight first, and a body of so many bytes: see frame.h and measure.h.

local length32le = Proto("length32le", "Frames with a 32-bit little-endian length")

local HEAD, MEASURE, MOST = 4, 16, 2 * 1024 * 1024

local fields = length32le.fields
fields.length = ProtoField.uint32("length32le.length", "Length of the body")
fields.id = ProtoField.int32("length32le.id", "Id")
fields.padding = ProtoField.bytes("length32le.padding", "Padding")
fields.value = ProtoField.double("length32le.value", "Value")
fields.body = ProtoField.bytes("length32le.body", "Body")

local not_zero = ProtoExpert.new("length32le.padding.not_zero", "The padding is not zero: whose bytes are these?",
    expert.group.PROTOCOL, expert.severity.NOTE)
local no_measure = ProtoExpert.new("length32le.no_measure", "Neither a request nor a response: those have 16 bytes",
    expert.group.PROTOCOL, expert.severity.WARN)
local too_long = ProtoExpert.new("length32le.too_long", "Longer than 2 MiB: not length32le, or the other byte order",
    expert.group.MALFORMED, expert.severity.ERROR)
length32le.experts = { not_zero, no_measure, too_long }

-- Where in the packet's bytes one frame lies: its size, for Wireshark to wait until it is whole. A bad length
-- must not make it wait for gigabytes.
local function frame_size(bytes, _, offset)
    local length = bytes(offset, HEAD):le_uint()
    return length > MOST - HEAD and HEAD or HEAD + length
end

local function show_measure(tree, body)
    tree:add_le(fields.id, body(0, 4))
    local padding = tree:add(fields.padding, body(4, 4))
    if body(4, 4):uint() ~= 0 then
        padding:add_proto_expert_info(not_zero)
    end
    tree:add_le(fields.value, body(8, 8))
    return string.format("id %d, value %g", body(0, 4):le_int(), body(8, 8):le_float())
end

local function show_frame(bytes, packet, root)
    local length = bytes(0, HEAD):le_uint()
    local tree = root:add(length32le, bytes(), "Frame, " .. length .. " bytes in its body")
    local shown = tree:add_le(fields.length, bytes(0, HEAD))
    local text = length .. " bytes"
    if length > MOST - HEAD then
        shown:add_proto_expert_info(too_long)
        text = "bad length " .. length
    elseif length == MEASURE then
        text = show_measure(tree, bytes(HEAD))
    else
        if length > 0 then
            tree:add(fields.body, bytes(HEAD))
        end
        shown:add_proto_expert_info(no_measure)
    end
    packet.cols.info:append(" [" .. text .. "]")
    return bytes:len()
end

-- Wireshark gives segments, not frames: a frame may begin and end anywhere in them. dissect_tcp_pdus() is its
-- frame_decoder.
function length32le.dissector(bytes, packet, root)
    packet.cols.protocol = "length32le"
    packet.cols.info = packet.src_port .. " > " .. packet.dst_port
    dissect_tcp_pdus(bytes, root, HEAD, frame_size, show_frame)
    return bytes:len()
end

DissectorTable.get("tcp.port"):add_for_decode_as(length32le)
