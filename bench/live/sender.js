/*
 * Sends small UDP packets, each other than the one before:
 *   node bench/live/sender.js <device> <packets> <packets a second, 0: as fast as it goes>
 * Prints { "sent": packets, "seconds": … } at the end: whole calls, so up to 127 packets more than asked for. No
 * compiler is needed: koffi calls the kernel, and a call sends many packets. The destination is no address of the
 * receiving device: a capture sees the packets, nobody answers.
 *
 * Where the device has a small gso_max_size (`ip link set <device> gso_max_size 1000`) and the kernel can (Linux 6.2),
 * it cuts one large send into 128 packets itself, which is two to three times as fast as sendmmsg(2).
 */
import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';

const AF_PACKET = 17;
const SOCK_RAW = 3;
const SOL_PACKET = 263;
const PACKET_VNET_HDR = 15;
const ENOBUFS = 105;
const EAGAIN = 11;
const EINVAL = 22;
const HEADERS = 42;
const PAYLOAD = 18;
/** Packets that one call sends: by sendmmsg, and cut by the kernel (UDP_MAX_SEGMENTS is 128). */
const BATCH = 64;
const SEGMENTS = 128;
/** struct mmsghdr on 64-bit Linux: a msghdr of 56 bytes, the length sent, padding. */
const MMSGHDR = 64;
const ON = new Uint8Array(Int32Array.of(1).buffer);

const [device, packets, rate] = process.argv.slice(2);
/** @type {typeof import('koffi')} */
const koffi = createRequire(import.meta.url)('koffi');
const library = koffi.load(null);
const socket = library.func('int socket(int domain, int type, int protocol)');
const bind = library.func('int bind(int fd, void *address, uint32_t length)');
const setsockopt = library.func('int setsockopt(int fd, int level, int name, void *value, uint32_t length)');
const ifIndex = library.func('uint32_t if_nametoindex(const char *name)');
const sendOne = library.func('int64_t send(int fd, void *bytes, uint64_t length, int flags)');
const sendmmsg = library.func('int sendmmsg(int fd, void *messages, uint32_t count, int flags)');

const gsoMaxSize = JSON.parse(execFileSync('ip', ['-d', '-j', 'link', 'show', device], { encoding: 'utf8' }))[0]
  .gso_max_size;
const isCut = gsoMaxSize < HEADERS + SEGMENTS * PAYLOAD;
console.log(JSON.stringify((isCut && send(segmenting())) || send(batching())));

/**
 * Sends in steps until all is sent, no faster than asked for.
 * @param {{ size: number, step: (first: number, count: number) => number }} way `step` sends
 *   `count` packets, numbered from `first`, and returns how many went out, or minus errno
 */
function send({ size, step }) {
  const rest = new Int32Array(new SharedArrayBuffer(4));
  const count = Math.ceil(Number(packets) / size) * size;
  const begin = performance.now();
  let sent = 0;
  while (sent < count) {
    while (Number(rate) > 0 && sent / Number(rate) > (performance.now() - begin) / 1000) Atomics.wait(rest, 0, 0, 0.2);
    const done = step(sent, size);
    if (done === -EINVAL && sent === 0) return null;
    if (done < 0 && done !== -ENOBUFS && done !== -EAGAIN) throw new Error(`errno ${-done}`);
    if (done > 0) sent += done;
  }
  return { sent, seconds: (performance.now() - begin) / 1000 };
}

/** One large packet behind a virtio_net_hdr (include/uapi/linux/virtio_net.h) that says how it is to be cut. */
function segmenting() {
  const fd = open();
  const noHeader = setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, ON, 4) !== 0;
  const bytes = new Uint8Array(10 + HEADERS + SEGMENTS * PAYLOAD);
  const header = new DataView(bytes.buffer);
  const frame = new DataView(bytes.buffer, 10);
  // VIRTIO_NET_HDR_F_NEEDS_CSUM, VIRTIO_NET_HDR_GSO_UDP_L4; the checksum of UDP begins at 34 and lies 6 behind.
  bytes.set([1, 5]);
  [HEADERS, PAYLOAD, 34, 6].forEach((value, i) => {
    header.setUint16(2 + 2 * i, value, true);
  });
  return {
    size: SEGMENTS,
    /** @type {(first: number, count: number) => number} */
    step(first, count) {
      if (noHeader) return -EINVAL;
      putHeaders(frame, count * PAYLOAD);
      for (let i = 0; i < count; i++) frame.setUint32(HEADERS + i * PAYLOAD, first + i);
      const length = 10 + HEADERS + count * PAYLOAD;
      return sendOne(fd, bytes, length, 0) === length ? count : -koffi.errno();
    },
  };
}

/** A packet each, many in a call. */
function batching() {
  const fd = open();
  const size = HEADERS + PAYLOAD;
  const frames = new Uint8Array(BATCH * size);
  const vectors = new Uint8Array(16 * BATCH);
  const messages = new Uint8Array(MMSGHDR * BATCH);
  const vector = new DataView(vectors.buffer);
  const message = new DataView(messages.buffer);
  const views = Array.from({ length: BATCH }, (_, i) => new DataView(frames.buffer, i * size, size));
  views.forEach((view, i) => {
    putHeaders(view, PAYLOAD);
    vector.setBigUint64(16 * i, koffi.address(frames) + BigInt(i * size), true);
    vector.setBigUint64(16 * i + 8, BigInt(size), true);
    message.setBigUint64(MMSGHDR * i + 16, koffi.address(vectors) + BigInt(16 * i), true);
    message.setBigUint64(MMSGHDR * i + 24, 1n, true);
  });
  return {
    size: BATCH,
    // The kernel follows the addresses in the messages: what they point to must live as long.
    keep: [frames, vectors],
    /** @type {(first: number, count: number) => number} */
    step(first, count) {
      for (let i = 0; i < count; i++) views[i].setUint32(HEADERS, first + i);
      const done = sendmmsg(fd, messages, count, 0);
      return done < 0 ? -koffi.errno() : done;
    },
  };
}

function open() {
  // Protocol 0: nothing is received here.
  const fd = socket(AF_PACKET, SOCK_RAW, 0);
  const address = new DataView(new ArrayBuffer(20));
  address.setUint16(0, AF_PACKET, true);
  address.setInt32(4, ifIndex(device), true);
  if (fd < 0 || bind(fd, new Uint8Array(address.buffer), 20) !== 0) throw new Error(`errno ${koffi.errno()}`);
  return fd;
}

/**
 * Ethernet, IPv4 and UDP in front of so many bytes; as UDP's checksum the sum of its pseudo header, which is what
 * whoever finishes it begins with.
 * @param {DataView} view
 * @param {number} payload
 */
function putHeaders(view, payload) {
  const bytes = new Uint8Array(view.buffer, view.byteOffset);
  bytes.set([0x02, 0, 0, 0, 0, 0x99, 0x02, 0, 0, 0, 0, 0x01, 0x08, 0x00]);
  bytes.set([0x45, 0, 0, 0, 0, 0, 0x40, 0, 64, 17, 0, 0, 10, 9, 0, 1, 10, 9, 0, 2], 14);
  view.setUint16(16, 28 + payload);
  view.setUint16(24, ~sum(view, 14, 34));
  view.setUint16(34, 9);
  view.setUint16(36, 9);
  view.setUint16(38, 8 + payload);
  view.setUint16(40, payload > PAYLOAD || isCut ? sum(view, 26, 34, 17 + 8 + payload) : 0);
}

/**
 * The one's complement sum of RFC 1071.
 * @param {DataView} view
 * @param {number} start
 * @param {number} end
 * @param {number} [from]
 */
function sum(view, start, end, from = 0) {
  let total = from;
  for (let at = start; at < end; at += 2) total += view.getUint16(at);
  total = (total & 0xffff) + (total >>> 16);
  return (total & 0xffff) + (total >>> 16);
}
