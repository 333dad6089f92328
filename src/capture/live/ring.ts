import { Direction, type Frame } from '../../wire/frame.js';
import { type Libc, libc } from './libc.js';
import { insideNamespace } from './namespace.js';

/*
 * AF_PACKET with a TPACKET_V3 ring (packet(7); kernel: include/uapi/linux/if_packet.h, Documentation/networking/
 * packet_mmap.rst). The ring is memory shared with the kernel, in blocks that it hands over when they are full
 * or when `RETIRE_MS` have passed. Numbers are in the machine's byte order: little-endian wherever koffi runs here.
 *
 * Block:  8 status, bit 0: ours   12 packets   16 offset of the first
 * Packet: 0 offset of the next    4 seconds    8 nanoseconds   12 captured   16 length on the wire   20 status
 *        24 offset of the MAC header (u16)     32 VLAN tci     36 VLAN tpid (u16)
 *        48 sockaddr_ll: 52 interface index, 56 ARPHRD type (u16), 58 packet type (u8)
 */
const AF_PACKET = 17;
const SOCK_RAW = 3;
const SOL_SOCKET = 1;
const SO_ERROR = 4;
const SO_ATTACH_FILTER = 26;
const SOL_PACKET = 263;
const PACKET_ADD_MEMBERSHIP = 1;
const PACKET_RX_RING = 5;
const PACKET_STATISTICS = 6;
const PACKET_VERSION = 10;
const TPACKET_V3 = 2;
const PACKET_MR_PROMISC = 1;
const ETH_P_ALL_BE = 0x0300;
const VLAN_VALID = 0x10;
const VLAN_TPID_VALID = 0x40;
const PACKET_OUTGOING = 4;
const ARPHRD_ETHER = 1;
const ARPHRD_LOOPBACK = 772;
const ENETDOWN = 100;
const SOCKADDR_LL = 20;
/** Where a packet's header and its sockaddr_ll end: a VLAN tag put back must not reach below. */
const PACKET_HEADERS = 68;

const BLOCK = 256 * 1024;
/** Milliseconds after which a block that is not full is handed over. */
export const RETIRE_MS = 20;
export const LINKTYPE_ETHERNET = 1;
const LINKTYPE_RAW = 101;

export interface RingOptions {
  /** Device name, or null for all devices of the namespace. */
  device: string | null;
  /** Name under /run/netns, null for the own namespace. */
  netns: string | null;
  promiscuous: boolean;
  /** Bytes kept of each packet at most. */
  snapLength: number;
  /** Bytes of the ring. */
  size: number;
  /** A program for SO_ATTACH_FILTER (struct sock_fprog), null for none. */
  filter: unknown;
}

/** A socket could not be opened; `code` is the errno's name, such as `EPERM`. */
export class RingError extends Error {
  constructor(
    readonly call: string,
    readonly code: string,
  ) {
    super(`${call}: ${code}`);
  }
}

/** One AF_PACKET socket with its ring. Packets are walked in place; nothing is copied. */
export class Ring {
  /** Packets that the kernel had no room for, and all it saw, both since the beginning. */
  dropped = 0;
  seen = 0;
  readonly index: number;
  private readonly c: Libc;
  private readonly fd: number;
  private readonly bytes: Uint8Array;
  private readonly view: DataView;
  private readonly words: Int32Array;
  private readonly unmap: () => void;
  private readonly blocks: number;
  private block = 0;
  /** Offset of the next packet of the block at hand, and how many are left in it. */
  private at = 0;
  private left = 0;
  private closed = false;

  /** @throws RingError if the kernel refuses: no permission (EPERM), no such device (ENODEV), no memory (ENOMEM) */
  constructor(readonly options: RingOptions) {
    this.c = libc();
    const { fd, index } = insideNamespace(options.netns, () => this.open());
    this.fd = fd;
    this.index = index;
    this.blocks = Math.max(4, Math.round(options.size / BLOCK));
    try {
      this.configure();
      const { bytes, unmap } = this.c.map(fd, this.blocks * BLOCK);
      this.bytes = bytes;
      this.unmap = unmap;
      this.attach();
    } catch (error) {
      this.c.close(fd);
      throw error;
    }
    this.view = new DataView(this.bytes.buffer, this.bytes.byteOffset, this.bytes.byteLength);
    this.words = new Int32Array(this.bytes.buffer, this.bytes.byteOffset, this.bytes.byteLength / 4);
  }

  /** Whether a packet is at hand; takes the next block from the kernel if it has one. */
  ready(): boolean {
    while (this.left === 0) {
      const block = this.block * BLOCK;
      if ((this.view.getUint32(block + 8, true) & 1) === 0) return false;
      this.left = this.view.getUint32(block + 12, true);
      this.at = block + this.view.getUint32(block + 16, true);
      if (this.left === 0) this.giveBack();
    }
    return true;
  }

  /** Time of the packet at hand, in nanoseconds since 1970 as far as a double holds them: to put rings in order. */
  get time(): number {
    return this.view.getUint32(this.at + 4, true) * 1e9 + this.view.getUint32(this.at + 8, true);
  }

  /** Index of the device of the packet at hand. */
  get device(): number {
    return this.view.getInt32(this.at + 52, true);
  }

  /** LINKTYPE_ of the packet at hand: devices without link header carry bare IP. */
  get linkType(): number {
    const type = this.view.getUint16(this.at + 56, true);
    return type === ARPHRD_ETHER || type === ARPHRD_LOOPBACK ? LINKTYPE_ETHERNET : LINKTYPE_RAW;
  }

  /** A loopback device shows every packet twice; its way out is left out, as libpcap does. */
  get isLoopbackOut(): boolean {
    const { view, at } = this;
    return view.getUint16(at + 56, true) === ARPHRD_LOOPBACK && view.getUint8(at + 58) === PACKET_OUTGOING;
  }

  /** Points the frame at the packet at hand, its VLAN tag put back in front of what the kernel took it from. */
  fill(frame: Frame): void {
    const { view, at } = this;
    if (frame.bytes !== this.bytes) {
      frame.bytes = this.bytes;
      frame.view = view;
    }
    const captured = view.getUint32(at + 12, true);
    const status = view.getUint32(at + 20, true);
    let start = at + view.getUint16(at + 24, true);
    frame.end = start + captured;
    frame.wireLength = view.getUint32(at + 16, true);
    if ((status & VLAN_VALID) !== 0 && captured >= 12 && start - 4 >= at + PACKET_HEADERS) {
      this.bytes.copyWithin(start - 4, start, start + 12);
      start -= 4;
      view.setUint16(start + 12, (status & VLAN_TPID_VALID) !== 0 ? view.getUint16(at + 36, true) : 0x8100);
      view.setUint16(start + 14, view.getUint32(at + 32, true));
      frame.wireLength += 4;
    }
    frame.start = start;
    frame.direction = view.getUint8(at + 58) === PACKET_OUTGOING ? Direction.Out : Direction.In;
    frame.setTime(view.getUint32(at + 4, true), view.getUint32(at + 8, true));
  }

  /** Moves on behind the packet at hand; the last one gives its block back to the kernel. */
  next(): void {
    this.at += this.view.getUint32(this.at, true);
    if (--this.left === 0) this.giveBack();
  }

  /** Asks the kernel what it lost; asking sets its counters to 0. */
  readStatistics(): void {
    const value = new Uint8Array(12);
    const length = new Uint8Array(Uint32Array.of(12).buffer);
    if (this.c.getsockopt(this.fd, SOL_PACKET, PACKET_STATISTICS, value, length) !== 0) return;
    const counts = new DataView(value.buffer);
    this.seen += counts.getUint32(0, true);
    this.dropped += counts.getUint32(4, true);
  }

  /** Whether the device went down since it was last asked; the ring goes on when it comes up again. */
  wentDown(): boolean {
    const value = new Uint8Array(4);
    const length = new Uint8Array(Uint32Array.of(4).buffer);
    this.c.getsockopt(this.fd, SOL_SOCKET, SO_ERROR, value, length);
    return new DataView(value.buffer).getInt32(0, true) === ENETDOWN;
  }

  /**
   * Whether the device still is: one that was deleted and made again is another, even if it got the same index. The
   * kernel unbinds the socket then (packet_notifier in net/packet/af_packet.c).
   */
  exists(): boolean {
    if (this.index === 0) return true;
    const address = new Uint8Array(SOCKADDR_LL);
    const length = new Uint8Array(Uint32Array.of(SOCKADDR_LL).buffer);
    if (this.c.getsockname(this.fd, address, length) !== 0) return true;
    return new DataView(address.buffer).getInt32(4, true) === this.index;
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.unmap();
    this.c.close(this.fd);
  }

  private giveBack(): void {
    Atomics.store(this.words, (this.block * BLOCK + 8) / 4, 0);
    this.block = (this.block + 1) % this.blocks;
  }

  private open(): { fd: number; index: number } {
    const { device } = this.options;
    const index = device === null ? 0 : this.c.ifIndex(device);
    if (device !== null && index === 0) throw new RingError('if_nametoindex', 'ENODEV');
    // Protocol 0 receives nothing before `bind`.
    const fd = this.c.socket(AF_PACKET, SOCK_RAW, 0);
    if (fd < 0) throw new RingError('socket', this.c.nameOf(this.c.errno()));
    return { fd, index };
  }

  private configure(): void {
    const { filter, snapLength } = this.options;
    this.set(SOL_PACKET, PACKET_VERSION, ints(TPACKET_V3), 4, 'PACKET_VERSION');
    this.set(SOL_SOCKET, SO_ATTACH_FILTER, filter ?? keep(snapLength), 16, 'SO_ATTACH_FILTER');
    const frameSize = 2048;
    const ring = ints(BLOCK, this.blocks, frameSize, (BLOCK / frameSize) * this.blocks, RETIRE_MS, 0, 0);
    this.set(SOL_PACKET, PACKET_RX_RING, ring, ring.length, 'PACKET_RX_RING');
  }

  private attach(): void {
    const address = new Uint8Array(SOCKADDR_LL);
    const view = new DataView(address.buffer);
    view.setUint16(0, AF_PACKET, true);
    view.setUint16(2, ETH_P_ALL_BE, true);
    view.setInt32(4, this.index, true);
    if (this.c.bind(this.fd, address, address.length) !== 0) throw new RingError('bind', this.c.nameOf(this.c.errno()));
    if (!this.options.promiscuous || this.index === 0) return;
    const membership = new Uint8Array(16);
    const request = new DataView(membership.buffer);
    request.setInt32(0, this.index, true);
    request.setUint16(4, PACKET_MR_PROMISC, true);
    this.set(SOL_PACKET, PACKET_ADD_MEMBERSHIP, membership, membership.length, 'PACKET_ADD_MEMBERSHIP');
  }

  private set(level: number, name: number, value: unknown, length: number, call: string): void {
    if (this.c.setsockopt(this.fd, level, name, value, length) !== 0)
      throw new RingError(call, this.c.nameOf(this.c.errno()));
  }
}

function ints(...values: number[]): Uint8Array {
  return new Uint8Array(Uint32Array.from(values).buffer);
}

/** A program that keeps so many bytes of every packet: BPF_RET | BPF_K. */
function keep(snapLength: number): Uint8Array {
  return libc().filterProgram([{ code: 0x06, jt: 0, jf: 0, k: snapLength }]);
}
