import type { Protocol } from './protocol.js';

/** How well a header could be read. Everything but `Ok` ends the decoding of its frame. */
export const Status = {
  Ok: 0,
  /** The capture kept fewer bytes than the wire carried, and the header lies in the cut. */
  Snapped: 1,
  /** The packet itself ends before the header does. */
  TooShort: 2,
  /** A length field contradicts the bytes around it. */
  BadLength: 3,
  /** A version field that the protocol does not have. */
  BadVersion: 4,
  /** More nested headers than `MAX_LAYERS` or tunnels than `MAX_TUNNELS`. */
  TooDeep: 5,
} as const;
export type Status = (typeof Status)[keyof typeof Status];

/** Which way a frame went, seen from the machine that captured it. */
export const Direction = { Unknown: 0, In: 1, Out: 2 } as const;
export type Direction = (typeof Direction)[keyof typeof Direction];

/** Headers recorded in one frame at most; deeper nesting is `Status.TooDeep`. */
export const MAX_LAYERS = 32;
/** Tunnels inside tunnels that are followed at most. */
export const MAX_TUNNELS = 4;

const NO_BYTES = new Uint8Array(0);
const NO_PORTS = new Uint8Array(65536);

/**
 * One captured frame, refilled for every record: nothing here is allocated per packet, and nothing
 * that a reader keeps may refer to it after the next record.
 *
 * The columns describe layer *i*, outermost first. All offsets are absolute in `bytes`/`view`, which
 * is the reader's whole buffer; subtract `start` to get the offset within the frame.
 */
export class Frame {
  bytes: Uint8Array = NO_BYTES;
  view: DataView = new DataView(NO_BYTES.buffer);
  /** Offset of the first captured byte in `bytes`. */
  start = 0;
  /** Offset behind the last captured byte. */
  end = 0;
  /** Length on the wire in bytes; `end - start` of them were captured. */
  wireLength = 0;

  /** 1-based position in its capture, as Wireshark counts. */
  number = 0;
  /** Index of the capture among the inputs. */
  capture = 0;
  /** Index into the interfaces of the capture. */
  interface = 0;
  /** LINKTYPE_ value of that interface (https://www.tcpdump.org/linktypes.html). */
  linkType = 0;
  /** Offset of the record in the uncompressed capture, in bytes; -1 where there is no file. */
  position = 0;

  /** Seconds since 1970-01-01 UTC. */
  seconds = 0;
  /** Nanoseconds within the second, 0 to 999999999. */
  nanoseconds = 0;
  /**
   * Nanoseconds since `epoch`: exact for 104 days around it, what all time comparisons use. NaN until the first
   * record is read; were it a small integer, compiled code would be thrown away when it outgrows 32 bits.
   */
  time = Number.NaN;
  /** The second at which `time` is 0; NaN, as `time`, until the first record is read, then fixed for the run. */
  epoch = Number.NaN;

  direction: Direction = 0;
  /** Device number in the capturing kernel where each packet tells it (LINUX_SLL2), else 0. */
  deviceIndex = 0;

  layerCount = 0;
  /** Layers that what observes and judges may look at: those in front of the first quoted one, without a last one that is not `Ok`. */
  readable = 0;
  /** The protocols of all layers, as bits `1 << kind`. */
  protocols = 0;
  readonly kinds = new Uint8Array(MAX_LAYERS);
  /** Where the header of layer i begins. */
  readonly offsets = new Int32Array(MAX_LAYERS);
  /** Where the header of layer i ends and its payload begins. */
  readonly ends = new Int32Array(MAX_LAYERS);
  /** Where the payload of layer i ends, by its own length field and by what was captured. */
  readonly limits = new Int32Array(MAX_LAYERS);
  /** How well the header of layer i could be read: `Ok` of all but perhaps the last. */
  readonly statuses = new Uint8Array(MAX_LAYERS);
  /** Index of the first layer that is only quoted (inside an ICMP error); `MAX_LAYERS` if none is. */
  quotedFrom = MAX_LAYERS;

  /** Decoder state: where the next header begins, */
  cursor = 0;
  /** and where its bytes end at the latest, */
  limit = 0;
  /** and where they ended on the wire: behind `limit` where the capture cut them. */
  wireLimit = 0;
  /** and how many tunnels it is inside. */
  tunnels = 0;
  /** and the layer whose status is not `Ok`, if any is. */
  private marked = 0;
  /** UDP port → protocol, 0 where none is known; shared with the decoder that owns the frame. */
  udpPorts: Uint8Array = NO_PORTS;

  /** Points the frame at another buffer. Only when the buffer changes: a DataView is not free. */
  useBuffer(bytes: Uint8Array): void {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Sets the time stamp; the first one of the run fixes `epoch`. */
  setTime(seconds: number, nanoseconds: number): void {
    if (Number.isNaN(this.epoch)) this.epoch = seconds;
    this.seconds = seconds;
    this.nanoseconds = nanoseconds;
    this.time = (seconds - this.epoch) * 1e9 + nanoseconds;
  }

  /** Begins a frame anew for decoding: no layer, and all the bytes before it. */
  open(): void {
    // All layers are `Ok` again, so that each that is need not be told so.
    this.statuses[this.marked] = Status.Ok;
    this.layerCount = 0;
    this.protocols = 0;
    this.quotedFrom = MAX_LAYERS;
    this.tunnels = 0;
    this.cursor = this.start;
    this.limit = this.end;
    this.wireLimit = Math.max(this.end, this.start + this.wireLength);
  }

  /** Ends decoding: says how many layers are readable. */
  close(): void {
    const count = Math.min(this.layerCount, this.quotedFrom);
    // Only the last can be other than `Ok`.
    this.readable = count > 0 && this.statuses[count - 1] !== Status.Ok ? count - 1 : count;
  }

  /** Records a header that was read well and moves on behind it. */
  push(kind: Protocol, end: number): void {
    const i = this.layerCount++;
    this.protocols |= 1 << kind;
    this.kinds[i] = kind;
    this.offsets[i] = this.cursor;
    this.ends[i] = end;
    this.limits[i] = this.limit;
    this.cursor = end;
  }

  /** Ends the packet at `end` where a length field says so; an end behind the bytes there are changes nothing. */
  narrow(end: number): void {
    if (end < this.wireLimit) this.wireLimit = end;
    if (end < this.limit) this.limit = end;
  }

  /** Records a header that could not be read to its end, spanning what there is of it. Returns 0. */
  fail(kind: Protocol, status: Status): 0 {
    const i = this.layerCount++;
    this.protocols |= 1 << kind;
    this.kinds[i] = kind;
    this.offsets[i] = this.cursor;
    this.ends[i] = this.limit;
    this.limits[i] = this.limit;
    this.cursor = this.limit;
    this.mark(i, status);
    return 0;
  }

  /** Gives a layer another status than `Ok`, and with it ends the frame. */
  mark(layer: number, status: Status): void {
    this.statuses[layer] = status;
    this.marked = layer;
  }

  /** Records a header that is longer than the bytes there are: cut by the capture, or too short. Returns 0. */
  short(kind: Protocol): 0 {
    return this.fail(kind, this.limit < this.wireLimit ? Status.Snapped : Status.TooShort);
  }
}
